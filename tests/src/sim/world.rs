//! The world: nodes, log, clients, and chance.

use super::Plan;
use super::audit::Audit;
use super::client::{self, Sent, Wish};
use super::invariant::Breach;
use super::node::{Node, Shared};
use super::outbound::Outside;
use super::poll::now;
use super::project;
use domain::state::{DELIVERY_WINDOW_MS, IDEMPOTENCY_WINDOW_MS};
use domain::time::Timestamp;
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::{Asked, Clock, Log, Partition, Record};
use std::sync::Arc;

/// Partitions of the log.
pub(super) const PARTITIONS: u16 = 8;
/// All seats: the partitions and the configuration.
const SEATS: usize = PARTITIONS as usize + 1;
/// Rounds over all seats after which a world without faults must have come to rest.
const ROUNDS_MAX: usize = 4_000;
/// Rounds of a second each without anything to do: longer than any pause of a step or a retry.
const QUIET_ROUNDS: usize = 200;
/// When it all begins.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// What clients say when days have passed.
const WISHES_LATE: usize = 40;

/// One seed in so many has a log without faults and a single node.
const KIND_EVERY: u64 = 5;

/// The world.
pub(super) struct World {
    pub(super) random: SeededRandom,
    pub(super) shared: Shared,
    pub(super) nodes: Vec<Node>,
    pub(super) sent: Vec<Sent>,
    pub(super) audit: Audit,
    /// Who won each seat last, as far as owners told.
    holders: Vec<Option<(usize, u64)>>,
    /// Outcomes on their slow way to the log.
    adrift: Vec<(Partition, Record)>,
    greetings: Vec<Wish>,
    /// What was sent before is too old to be repeated.
    repeated_from: usize,
    kind: bool,
}

impl World {
    pub(super) fn new(plan: Plan) -> Result<Self, Breach> {
        let kind = plan.seed % KIND_EVERY == KIND_EVERY - 1;
        let random = SeededRandom::new(plan.seed);
        let log = match kind {
            true => ModelLog::kind(PARTITIONS),
            false => ModelLog::hostile(PARTITIONS, random.roll()),
        };
        let outside = Arc::new(Outside::new(random.roll()));
        let shared = Shared { log: Arc::new(log), blob: Arc::new(ModelBlob::new()), outside };
        let node_count = if kind { 1 } else { 2 + random.index(2) };
        let node = |number| {
            let skew_ms = random.index(20_000) as i64;
            let clock = ModelClock::at(Timestamp(BEGIN_MS + skew_ms));
            Node::new(number, random.roll(), &shared, clock)
        };
        let mut nodes: Vec<Node> = (0..node_count).map(node).collect();
        for seat in 0..SEATS {
            nodes[random.index(node_count)].want(seat, true);
        }
        let document = project::desired()
            .and_then(|desired| serde_json::to_string(&desired))
            .map_err(|error| Breach::new("the project can be written", "JSON", error))?;
        let mut greetings = client::greetings();
        greetings.reverse();
        let mut world = Self {
            random,
            shared,
            nodes,
            sent: Vec::new(),
            audit: Audit::new(PARTITIONS),
            holders: vec![None; SEATS],
            adrift: Vec::new(),
            greetings,
            repeated_from: 0,
            kind,
        };
        world.deploy(&document)?;
        Ok(world)
    }

    /// The first thing that happens: the project stands, and every node knows it.
    fn deploy(&mut self, document: &str) -> Result<(), Breach> {
        for round in 0..ROUNDS_MAX {
            // A deploy whose append was not acknowledged may be lost: it is sent again.
            if round % 50 == 0 {
                self.send(0, client::deploy(document.to_owned()));
            }
            for node in 0..self.nodes.len() {
                if self.nodes[node].wants(SEATS - 1) {
                    self.round(node, SEATS - 1)?;
                }
            }
            self.shared.log.advance();
            let known = |node: &Node| {
                now(node.world.feed.refresh()).is_ok()
                    && node.world.feed.current().project(project::PROJECT).is_some()
            };
            if self.nodes.iter().all(known) {
                return Ok(());
            }
            self.nodes[0].want(SEATS - 1, true);
        }
        Err(Breach::new("the project is deployed", "a project", "none"))
    }

    /// One step: something happens somewhere.
    pub(super) fn step(&mut self) -> Result<(), Breach> {
        self.shared.log.advance();
        for node in &mut self.nodes {
            node.sleep_steps = node.sleep_steps.saturating_sub(1);
            node.clock.step_ms(self.random.index(40) as i64);
        }
        let node = self.random.index(self.nodes.len());
        match self.random.index(100) {
            0..45 => self.turn(node)?,
            45..65 => self.speak(node),
            65..85 => self.fly(node),
            85..88 => self.drift(),
            88..91 if !self.kind => self.claim(node),
            91..93 => self.step_clock(node),
            93 => self.nodes[node].sleep_steps = self.random.index(60),
            94 => self.crash(node),
            95 => self.nodes[node].store.interrupt(1 + self.random.index(3) as u32),
            96..98 => drop(now(self.nodes[node].world.store.sync())),
            _ => self.turn(node)?,
        }
        Ok(())
    }

    /// Every owner of a node has its round, in any order, some not.
    fn turn(&mut self, node: usize) -> Result<(), Breach> {
        if self.nodes[node].sleep_steps > 0 {
            return Ok(());
        }
        let first = self.random.index(SEATS);
        for place in 0..SEATS {
            let seat = (first + place) % SEATS;
            if self.nodes[node].wants(seat) && self.random.index(3) > 0 {
                self.round(node, seat)?;
            }
        }
        Ok(())
    }

    fn round(&mut self, node: usize, seat: usize) -> Result<bool, Breach> {
        let before = self.nodes[node].life(seat);
        let result = self.nodes[node].round(seat);
        let after = self.nodes[node].life(seat);
        if after.is_some() && after != before {
            self.holders[seat] = after.map(|life| (node, life));
        }
        let busy = result?;
        self.audit.look(&self.shared.log, seat)?;
        self.audit.check(&self.nodes, &self.holders)?;
        Ok(busy)
    }

    fn claim(&mut self, node: usize) {
        let seat = self.random.index(SEATS);
        self.nodes[node].want(seat, true);
    }

    fn step_clock(&mut self, node: usize) {
        let back = self.random.index(2) == 0;
        let millis = self.random.index(20_000) as i64;
        self.nodes[node].clock.step_ms(if back { -millis } else { millis });
    }

    fn crash(&mut self, node: usize) {
        // Some of what was at work reached the outside; nobody records it.
        for flight in &self.nodes[node].flights {
            if self.random.index(2) == 0 {
                drop(self.nodes[node].perform(flight));
            }
        }
        for sent in &mut self.sent {
            sent.listen();
        }
        self.nodes[node].crash(&self.shared);
        if self.kind {
            (0..SEATS).for_each(|seat| self.nodes[node].want(seat, true));
        } else {
            // Another node takes over what it held, or it does so itself.
            for seat in 0..SEATS {
                if !self.nodes.iter().any(|other| other.wants(seat)) {
                    let heir = self.random.index(self.nodes.len());
                    self.nodes[heir].want(seat, true);
                }
            }
        }
    }

    /// A client says something new, or says something again.
    fn speak(&mut self, node: usize) {
        if let Some(wish) = self.greetings.pop() {
            return self.send(node, wish);
        }
        let again = self.random.index(6) == 0;
        let keyed: Vec<usize> = (self.repeated_from..self.sent.len())
            .filter(|i| self.sent[*i].body_hash.is_some())
            .collect();
        if again && !keyed.is_empty() {
            return self.append(node, keyed[self.random.index(keyed.len())]);
        }
        let wish = client::wish(&self.random, &self.audit.live);
        self.send(node, wish);
    }

    fn send(&mut self, node: usize, wish: Wish) {
        let Some(sent) = client::admit(&self.nodes[node], &self.random, wish) else { return };
        self.sent.push(sent);
        self.append(node, self.sent.len() - 1);
    }

    /// Appends a command that was admitted, for the first time or again.
    fn append(&mut self, node: usize, number: usize) {
        let sent = &mut self.sent[number];
        let Some(record) = client::record(&sent.command) else { return };
        for node in &self.nodes {
            sent.waiting.push(node.world.answers.wait(Asked::of(&sent.command.meta)));
        }
        let log = &self.nodes[node].world.log;
        if now(log.append(vec![(sent.partition, record)])).is_ok() {
            sent.acknowledged += 1;
        }
    }

    /// A step at work ends: its outcome is recorded, lost, late, or recorded by nobody.
    fn fly(&mut self, node: usize) {
        if self.nodes[node].sleep_steps > 0 {
            return;
        }
        for _ in 0..3 {
            let count = self.nodes[node].flights.len();
            if count == 0 {
                return;
            }
            let flight = self.nodes[node].flights.swap_remove(self.random.index(count));
            match self.nodes[node].perform(&flight) {
                Ok(outcome) if self.random.index(6) == 0 => {
                    // Two copies on two ways.
                    self.adrift.push(outcome.clone());
                    self.adrift.push(outcome);
                }
                Ok(outcome) => {
                    if now(self.nodes[node].world.log.append(vec![outcome.clone()])).is_err() {
                        self.adrift.push(outcome);
                    }
                }
                Err(_) => self.nodes[node].flights.push(flight),
            }
        }
    }

    /// Outcomes that were on their way arrive, through any node.
    fn drift(&mut self) {
        if self.adrift.is_empty() {
            return;
        }
        let outcome = self.adrift.swap_remove(self.random.index(self.adrift.len()));
        if now(self.shared.log.append(vec![outcome.clone()])).is_err() {
            self.adrift.push(outcome);
        }
    }

    /// Ends the faults and lets everything come to rest.
    pub(super) fn settle(&mut self) -> Result<(), Breach> {
        self.shared.log.heal();
        for node in &mut self.nodes {
            node.sleep_steps = 0;
            node.store.interrupt(0);
        }
        self.assign();
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            while !self.adrift.is_empty() {
                self.drift();
            }
            for seat in 0..SEATS {
                for node in 0..self.nodes.len() {
                    if self.nodes[node].wants(seat) {
                        busy |= self.round(node, seat)?;
                    }
                }
            }
            for node in 0..self.nodes.len() {
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
        for seat in 0..SEATS {
            let believers: Vec<usize> =
                (0..self.nodes.len()).filter(|node| self.nodes[*node].wants(seat)).collect();
            let chosen = match believers.is_empty() {
                true => self.random.index(self.nodes.len()),
                false => believers[self.random.index(believers.len())],
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

    /// The node whose owner holds the seat at the end.
    pub(super) fn holder(&self, seat: usize) -> Option<&Node> {
        self.nodes.iter().find(|node| node.life(seat).is_some())
    }

    /// So much time passes that everything is forgotten that is known for a while only; then
    /// clients go on.
    pub(super) fn pass_days(&mut self) {
        self.repeated_from = self.sent.len();
        for node in &mut self.nodes {
            node.clock.step_ms(DELIVERY_WINDOW_MS + IDEMPOTENCY_WINDOW_MS);
        }
        for _ in 0..WISHES_LATE {
            let node = self.random.index(self.nodes.len());
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
                let node = self.random.index(self.nodes.len());
                self.append(node, number);
            }
        }
        Ok(())
    }
}
