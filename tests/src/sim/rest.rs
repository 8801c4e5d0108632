//! How a world comes to rest.

use super::client::{self, Sent};
use super::invariant::{self, Breach};
use super::node::Node;
use super::poll::now;
use super::project::{Release, Schedules};
use super::world::{ROUNDS_MAX, World};
use domain::state::{DELIVERY_WINDOW_MS, IDEMPOTENCY_WINDOW_MS};
use ports::Clock;

/// Rounds of a second each without anything to do: longer than any pause of a step or a retry.
const QUIET_ROUNDS: usize = 200;

/// Rounds without anything to do, after which whatever was paused or disabled goes on: everything that
/// was said is decided.
const HELD_ROUNDS: usize = 20;

/// Rounds until a deploy that does not stand is sent again.
const DEPLOY_ROUNDS: usize = 20;

/// Rounds of a second each in which schedules go on: longer than they wait most often.
const KEEPING_ROUNDS: usize = 70;

/// Rounds in which what was missed for days is seen to.
const WAKING_ROUNDS: usize = 4;

/// What clients say when days have passed.
const WISHES_LATE: usize = 40;

impl World {
    /// Ends the faults and lets everything come to rest.
    ///
    /// A schedule never rests, so none is deployed meanwhile. One deploy ends those of every user on
    /// the way that the log knows, and leaves what users switched as it is for what comes after.
    pub(super) fn settle(&mut self) -> Result<(), Breach> {
        self.heal();
        self.deploy(Release { active: true, schedules: Schedules::None })?;
        let (mut quiet, mut is_free) = (0, false);
        for _ in 0..ROUNDS_MAX {
            quiet = if self.everyone()? { 0 } else { quiet + 1 };
            if quiet == HELD_ROUNDS && !is_free {
                (quiet, is_free) = (0, true);
                for wish in client::let_go(&self.layout.users, &self.audit) {
                    let node = self.any_node();
                    self.send(node, wish);
                }
            }
            if quiet > QUIET_ROUNDS {
                self.sent.iter_mut().for_each(Sent::listen);
                return Ok(());
            }
        }
        Err(Breach::new("the world comes to rest", "quiet", "it goes on and on"))
    }

    /// Ends the faults and lets schedules go on for a while: each that is switched on waits for a
    /// moment then, whatever was deployed and switched before.
    pub(super) fn keep_time(&mut self) -> Result<(), Breach> {
        self.heal();
        self.deploy(Release::WHOLE)?;
        for _ in 0..KEEPING_ROUNDS {
            self.everyone()?;
        }
        invariant::all_wait(self)
    }

    /// Deploys the project until every node knows it. A deploy may be refused: whoever decides it is
    /// taken to have crashed because of it.
    fn deploy(&mut self, release: Release) -> Result<(), Breach> {
        for round in 0..ROUNDS_MAX {
            if round % DEPLOY_ROUNDS == 0 {
                self.release(0, release);
            }
            self.everyone()?;
            let stands = |node: &Node| Release::of(&node.world.feed.current()) == Some(release);
            if self.nodes.iter().all(stands) {
                return Ok(());
            }
        }
        Err(Breach::new("the project is deployed", format!("{release:?}"), "something else"))
    }

    fn heal(&mut self) {
        self.shared.log.heal();
        self.suspects = false;
        for node in &mut self.nodes {
            node.sleep_steps = 0;
            node.store.interrupt(0);
        }
        self.assign();
    }

    /// Every owner has its round, everything on its way arrives, and a second passes. Tells whether
    /// there was anything to do.
    fn everyone(&mut self) -> Result<bool, Breach> {
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
        Ok(busy)
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
    /// clients go on. Moments of schedules are missed meanwhile, by everyone.
    pub(super) fn pass_days(&mut self) -> Result<(), Breach> {
        self.repeated_from = self.sent.len();
        self.keep_time()?;
        for node in &mut self.nodes {
            node.clock.step_ms(DELIVERY_WINDOW_MS + IDEMPOTENCY_WINDOW_MS);
        }
        for _ in 0..WAKING_ROUNDS {
            self.everyone()?;
        }
        for _ in 0..WISHES_LATE {
            let node = self.any_node();
            self.speak(node);
        }
        Ok(())
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
