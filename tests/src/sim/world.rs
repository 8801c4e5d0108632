//! The world: nodes, log, clients, and chance.

use super::Plan;
use super::audit::Audit;
use super::client::{self, Sent, Wish};
use super::invariant::Breach;
use super::layout::{Layout, Order};
use super::node::{Flight, Handed, Node, Shared};
use super::outbound::Outside;
use super::poll::now;
use super::project::{self, Release, Schedules};
use domain::time::Timestamp;
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::{Asked, Log, Partition, Record};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rounds over all seats after which a world without faults must have come to rest.
pub(super) const ROUNDS_MAX: usize = 4_000;
/// In some worlds little time passes before the faults end, in others retries and delays fall due.
const PACES_MS: [usize; 2] = [40, 1_000];
/// When it all begins.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// The world.
pub(super) struct World {
    pub(super) random: SeededRandom,
    pub(super) layout: Layout,
    pub(super) shared: Shared,
    pub(super) nodes: Vec<Node>,
    pub(super) sent: Vec<Sent>,
    pub(super) audit: Audit,
    /// Whether living nodes are taken for dead now and then.
    pub(super) suspects: bool,
    /// Outcomes on their slow way to the log.
    pub(super) adrift: Vec<(Partition, Record)>,
    greetings: Vec<Wish>,
    /// Clocks go on by less than this with each step.
    pace_ms: usize,
    /// What was sent before is too old to be repeated.
    pub(super) repeated_from: usize,
    /// The project as it may be deployed.
    documents: BTreeMap<Release, String>,
}

impl World {
    pub(super) fn new(plan: Plan) -> Result<Self, Breach> {
        let random = SeededRandom::new(plan.seed);
        let layout = Layout::of(plan.seed, &random);
        let log = match layout.order {
            Order::Alone => ModelLog::kind(layout.partitions),
            Order::Contended | Order::Apart => ModelLog::hostile(layout.partitions, random.roll()),
        };
        let outside = Arc::new(Outside::new(random.roll()));
        let shared = Shared { log: Arc::new(log), blob: Arc::new(ModelBlob::new()), outside };
        let node = |number| {
            let skew_ms = random.index(20_000) as i64;
            let clock = ModelClock::at(Timestamp(BEGIN_MS + skew_ms));
            Node::new(number, random.roll(), &shared, clock)
        };
        let mut nodes: Vec<Node> = (0..layout.node_count).map(node).collect();
        for seat in 0..layout.seats() {
            let keeper = layout.keeper(seat).unwrap_or_else(|| random.index(nodes.len()));
            nodes[keeper].want(seat, true);
        }
        let document = |release| {
            let document = project::document(release)
                .map_err(|error| Breach::new("the project can be written", "JSON", error))?;
            Ok((release, document))
        };
        let documents = Release::all().map(document).collect::<Result<_, Breach>>()?;
        let mut greetings = client::greetings(&layout.users);
        greetings.reverse();
        let pace_ms = PACES_MS[random.index(PACES_MS.len())];
        let mut world = Self {
            random,
            shared,
            nodes,
            sent: Vec::new(),
            audit: Audit::new(layout.partitions),
            suspects: layout.order == Order::Contended,
            layout,
            adrift: Vec::new(),
            greetings,
            pace_ms,
            repeated_from: 0,
            documents,
        };
        world.begin()?;
        Ok(world)
    }

    /// The first thing that happens: the project stands, and every node knows it.
    fn begin(&mut self) -> Result<(), Breach> {
        let config = self.layout.seats() - 1;
        for round in 0..ROUNDS_MAX {
            // A deploy whose append was not acknowledged may be lost: it is sent again.
            if round % 50 == 0 {
                self.release(0, Release::WHOLE);
            }
            for node in 0..self.nodes.len() {
                if self.nodes[node].wants(config) {
                    self.round(node, config)?;
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
            let keeper = self.layout.keeper(config).unwrap_or(0);
            self.nodes[keeper].want(config, true);
        }
        Err(Breach::new("the project is deployed", "a project", "none"))
    }

    /// Somebody deploys the project.
    pub(super) fn release(&mut self, node: usize, release: Release) {
        let document = self.documents.get(&release).cloned().unwrap_or_default();
        self.send(node, client::deploy(document));
    }

    /// One step: something happens somewhere.
    pub(super) fn step(&mut self) -> Result<(), Breach> {
        self.shared.log.advance();
        for node in &mut self.nodes {
            node.sleep_steps = node.sleep_steps.saturating_sub(1);
            node.clock.step_ms(self.random.index(self.pace_ms) as i64);
        }
        let chance = self.random.index(100);
        match chance {
            45..65 => self.speak(self.any_node()),
            85..88 => self.drift(),
            _ => {
                for _ in 0..self.layout.at_once() {
                    self.happen(self.any_node(), chance)?;
                }
            }
        }
        Ok(())
    }

    /// Something happens to a node.
    fn happen(&mut self, node: usize, chance: usize) -> Result<(), Breach> {
        match chance {
            65..85 => self.fly(node),
            88..91 if self.layout.order == Order::Contended => self.claim(node),
            91..93 => self.step_clock(node),
            93 => self.nodes[node].sleep_steps = self.random.index(60),
            94 => self.crash(node)?,
            95 => self.nodes[node].store.interrupt(1 + self.random.index(3) as u32),
            96..98 => drop(now(self.nodes[node].world.store.sync())),
            // Nodes hear of a deploy one by one.
            98 => drop(now(self.nodes[node].world.feed.refresh())),
            99 if self.layout.order == Order::Contended => self.hand_over(node)?,
            _ => self.turn(node)?,
        }
        Ok(())
    }

    pub(super) fn any_node(&self) -> usize {
        self.random.index(self.nodes.len())
    }

    /// Every owner of a node has its round, in any order, some not.
    fn turn(&mut self, node: usize) -> Result<(), Breach> {
        if self.nodes[node].sleep_steps > 0 {
            return Ok(());
        }
        let seats = self.layout.seats();
        let first = self.random.index(seats);
        for place in 0..seats {
            let seat = (first + place) % seats;
            if self.nodes[node].wants(seat) {
                if self.random.index(3) > 0 {
                    self.round(node, seat)?;
                }
            } else if self.layout.order == Order::Contended && self.random.index(4) == 0 {
                self.nodes[node].follow(seat)?;
            }
        }
        Ok(())
    }

    /// A node leaves its seats to others.
    fn hand_over(&mut self, node: usize) -> Result<(), Breach> {
        if self.nodes[node].sleep_steps > 0 {
            return Ok(());
        }
        for seat in 0..self.layout.seats() {
            if self.nodes[node].wants(seat) {
                self.nodes[node].follow(seat)?;
            }
        }
        self.inherit();
        Ok(())
    }

    pub(super) fn round(&mut self, node: usize, seat: usize) -> Result<bool, Breach> {
        let living = self.living();
        let busy = self.nodes[node].round(seat, &living)?;
        if self.layout.keeper(seat) == Some(node) {
            // A claim of its own that came late may have deposed it: it claims again.
            self.nodes[node].want(seat, true);
        }
        Audit::seats(&self.layout, node, &self.nodes[node])?;
        self.audit.look(&self.shared.log, seat)?;
        self.audit.check(&self.shared.log, &self.nodes)?;
        Ok(busy)
    }

    /// The nodes that are taken to be there; while there are faults, one of them may be taken for
    /// dead.
    fn living(&self) -> Vec<String> {
        let mut living: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        if self.suspects && self.random.index(50) == 0 {
            living.remove(self.random.index(living.len()));
        }
        living
    }

    fn claim(&mut self, node: usize) {
        let seat = self.random.index(self.layout.seats());
        self.nodes[node].want(seat, true);
    }

    fn step_clock(&mut self, node: usize) {
        let back = self.random.index(2) == 0;
        let millis = self.random.index(20_000) as i64;
        self.nodes[node].clock.step_ms(if back { -millis } else { millis });
    }

    fn crash(&mut self, node: usize) -> Result<(), Breach> {
        // Some of what was at work reached the outside; nobody records it.
        for mut flight in std::mem::take(&mut self.nodes[node].flights) {
            if self.random.index(2) == 0 {
                drop(self.nodes[node].perform(&mut flight));
            }
        }
        for sent in &mut self.sent {
            sent.listen();
        }
        let seats = 0..self.layout.seats();
        let wanted: Vec<usize> = seats.filter(|seat| self.nodes[node].wants(*seat)).collect();
        self.nodes[node].crash(&self.shared);
        if self.random.index(2) == 0 {
            for seat in wanted {
                self.nodes[node].look(seat)?;
            }
        }
        self.inherit();
        Ok(())
    }

    /// What no node wants is taken over by some node, maybe the one that held it.
    pub(super) fn inherit(&mut self) {
        for seat in 0..self.layout.seats() {
            if !self.nodes.iter().any(|node| node.wants(seat)) {
                let heir = self.layout.keeper(seat).unwrap_or_else(|| self.any_node());
                self.nodes[heir].want(seat, true);
            }
        }
    }

    /// A client says something new, or says something again.
    pub(super) fn speak(&mut self, node: usize) {
        if let Some(wish) = self.greetings.pop() {
            return self.send(node, wish);
        }
        if self.random.index(40) == 0 {
            let active = self.random.index(3) > 0;
            let schedules = match self.random.index(4) {
                0 => Schedules::None,
                1 => Schedules::Seldom,
                _ => Schedules::Often,
            };
            return self.release(node, Release { active, schedules });
        }
        let again = self.random.index(6) == 0;
        let keyed: Vec<usize> = (self.repeated_from..self.sent.len())
            .filter(|i| self.sent[*i].body_hash.is_some())
            .collect();
        if again && !keyed.is_empty() {
            return self.append(node, keyed[self.random.index(keyed.len())]);
        }
        let wish = client::wish(&self.random, &self.layout.users, &self.audit);
        self.send(node, wish);
    }

    pub(super) fn send(&mut self, node: usize, wish: Wish) {
        let Some(sent) = client::admit(&self.nodes[node], &self.random, wish) else { return };
        self.sent.push(sent);
        self.append(node, self.sent.len() - 1);
    }

    /// Appends a command that was admitted, for the first time or again.
    pub(super) fn append(&mut self, node: usize, number: usize) {
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

    /// A step at work ends: its outcome is handed over, recorded, lost, late, or recorded by nobody.
    pub(super) fn fly(&mut self, node: usize) {
        if self.nodes[node].sleep_steps > 0 {
            return;
        }
        for _ in 0..3 {
            let count = self.nodes[node].flights.len();
            if count == 0 {
                return;
            }
            let mut flight = self.nodes[node].flights.swap_remove(self.random.index(count));
            match flight.handed() {
                Handed::Not => self.land(node, flight),
                Handed::Waits => self.nodes[node].flights.push(flight),
                Handed::Stands => {}
            }
        }
    }

    fn land(&mut self, node: usize, mut flight: Flight) {
        let landed = self.nodes[node].perform(&mut flight);
        let landed = landed.and_then(|report| Ok((report.record()?, report)));
        let Ok((outcome, report)) = landed else {
            return self.nodes[node].flights.push(flight);
        };
        let way = self.random.index(12);
        if way < 2 {
            // Two copies on two ways.
            self.adrift.push(outcome.clone());
            self.adrift.push(outcome);
        } else if way < 9 && self.nodes[node].hand_over(&mut flight, &report) {
            if way == 2 {
                self.adrift.push(outcome);
            }
            self.nodes[node].flights.push(flight);
        } else if now(self.nodes[node].world.log.append(vec![outcome.clone()])).is_err() {
            self.adrift.push(outcome);
        }
    }

    /// Outcomes that were on their way arrive, through any node.
    pub(super) fn drift(&mut self) {
        if self.adrift.is_empty() {
            return;
        }
        let outcome = self.adrift.swap_remove(self.random.index(self.adrift.len()));
        if now(self.shared.log.append(vec![outcome.clone()])).is_err() {
            self.adrift.push(outcome);
        }
    }

    /// The node whose owner holds the seat at the end.
    pub(super) fn holder(&self, seat: usize) -> Option<&Node> {
        self.nodes.iter().find(|node| node.life(seat).is_some())
    }
}
