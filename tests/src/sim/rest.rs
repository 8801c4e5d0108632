//! How a world comes to rest.

use super::client::Sent;
use super::invariant::Breach;
use super::poll::now;
use super::world::{ROUNDS_MAX, World};
use domain::state::{DELIVERY_WINDOW_MS, IDEMPOTENCY_WINDOW_MS};
use ports::Clock;

/// Rounds of a second each without anything to do: longer than any pause of a step or a retry.
const QUIET_ROUNDS: usize = 200;

/// What clients say when days have passed.
const WISHES_LATE: usize = 40;

impl World {
    /// Ends the faults and lets everything come to rest.
    pub(super) fn settle(&mut self) -> Result<(), Breach> {
        self.shared.log.heal();
        self.suspects = false;
        for node in &mut self.nodes {
            node.sleep_steps = 0;
            node.store.interrupt(0);
        }
        self.assign();
        self.switch_integration(0, true);
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            // A claim that was on its way may have deposed an owner for the sake of no one.
            self.inherit();
            while !self.adrift.is_empty() {
                self.drift();
            }
            for seat in 0..self.layout.seats() {
                for node in 0..self.nodes.len() {
                    if self.nodes[node].wants(seat) {
                        busy |= self.round(node, seat)?;
                    } else if self.layout.keeper(seat).is_none() {
                        self.nodes[node].follow(seat)?;
                    }
                }
            }
            for node in 0..self.nodes.len() {
                drop(now(self.nodes[node].world.feed.refresh()));
                busy |= !self.nodes[node].flights.is_empty();
                self.fly(node);
                self.nodes[node].clock.step_ms(1_000);
            }
            quiet = if busy { 0 } else { quiet + 1 };
            if quiet > QUIET_ROUNDS {
                self.sent.iter_mut().for_each(Sent::listen);
                return Ok(());
            }
        }
        Err(Breach::new("the world comes to rest", "quiet", "it goes on and on"))
    }

    /// One node for each seat, on one clock: nobody fights any more.
    fn assign(&mut self) {
        let latest = self.nodes.iter().map(|node| node.clock.now()).max();
        for node in &self.nodes {
            node.clock.set(latest.unwrap_or_default());
        }
        for seat in 0..self.layout.seats() {
            let believers: Vec<usize> =
                (0..self.nodes.len()).filter(|node| self.nodes[*node].wants(seat)).collect();
            let chosen = match self.layout.keeper(seat) {
                Some(keeper) => keeper,
                None if believers.is_empty() => self.any_node(),
                None => believers[self.random.index(believers.len())],
            };
            for node in 0..self.nodes.len() {
                if node == chosen {
                    self.nodes[node].want(seat, true);
                } else {
                    self.nodes[node].want(seat, false);
                }
            }
        }
    }

    /// So much time passes that everything is forgotten that is known for a while only; then
    /// clients go on.
    pub(super) fn pass_days(&mut self) {
        self.repeated_from = self.sent.len();
        for node in &mut self.nodes {
            node.clock.step_ms(DELIVERY_WINDOW_MS + IDEMPOTENCY_WINDOW_MS);
        }
        for _ in 0..WISHES_LATE {
            let node = self.any_node();
            self.speak(node);
        }
    }

    /// Every command with an `Idempotency-Key` comes once more, as it was.
    pub(super) fn ask_again(&mut self) -> Result<(), Breach> {
        for sent in &mut self.sent {
            sent.listen();
            sent.waiting.clear();
        }
        for number in 0..self.sent.len() {
            if self.sent[number].body_hash.is_some() {
                let node = self.any_node();
                self.append(node, number);
            }
        }
        Ok(())
    }
}
