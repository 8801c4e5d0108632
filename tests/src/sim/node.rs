//! One node: its own rows, clock, keys and configuration; owners that come and go.

use super::invariant::Breach;
use super::outbound::{Outside, WayOut};
use super::poll::now;
use ports::Level;
use ports::model::blob::ModelBlob;
use ports::model::clock::ModelClock;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::model::store::ModelStore;
use ports::{Answers, Backlog, Error, Feed, MasterKey, Outcome, Vault};
use projections::handover::Handover;
use projections::perform::{Report, perform};
use projections::under_way::UnderWay;
use projections::{Owner, Seat, Turn, Work, World};
use std::sync::Arc;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

/// A step that an owner let begin and whose outcome is not on the log.
pub(super) struct Flight {
    pub(super) work: Work,
    /// What came of it, once it was performed.
    outcome: Option<Outcome>,
    /// Told when the owner to which it was handed has decided on it.
    handed: Option<Receiver<()>>,
}

/// Where an outcome is that was handed over, or not.
#[derive(PartialEq, Eq)]
pub(super) enum Handed {
    /// Nobody has it: it goes through the log.
    Not,
    /// The owner has it, and has not decided on it yet.
    Waits,
    /// The decision stands.
    Stands,
}

impl Flight {
    pub(super) fn handed(&mut self) -> Handed {
        match self.handed.as_mut().map(Receiver::try_recv) {
            Some(Ok(())) => Handed::Stands,
            Some(Err(TryRecvError::Empty)) => Handed::Waits,
            Some(Err(TryRecvError::Closed)) | None => Handed::Not,
        }
    }
}

/// An owner's place on a node.
struct Place {
    owner: Owner,
    /// Counts the times that the owner began anew.
    life: u64,
    wants: bool,
}

/// One node.
pub(super) struct Node {
    /// Its name in this life.
    pub(super) name: String,
    number: usize,
    crash_count: u32,
    pub(super) world: World,
    pub(super) store: Arc<ModelStore>,
    pub(super) clock: Arc<ModelClock>,
    way_out: WayOut,
    places: Vec<Place>,
    pub(super) flights: Vec<Flight>,
    /// Steps of the simulation that the node sleeps through.
    pub(super) sleep_steps: usize,
}

/// What all nodes share: the log, the blobs and the world outside.
pub(super) struct Shared {
    pub(super) log: Arc<ModelLog>,
    pub(super) blob: Arc<ModelBlob>,
    pub(super) outside: Arc<Outside>,
}

impl Node {
    pub(super) fn new(number: usize, seed: u64, shared: &Shared, clock: ModelClock) -> Self {
        let clock = Arc::new(clock);
        let store = Arc::new(ModelStore::new(seed));
        let random = Arc::new(SeededRandom::new(seed ^ 0x5eed));
        let log = Arc::clone(&shared.log);
        let master = MasterKey::new([9; 32]);
        let vault = Vault::new(log.clone(), shared.blob.clone(), random.clone(), master);
        let world = World {
            feed: Arc::new(Feed::new(log.clone())),
            log,
            store: store.clone(),
            clock: clock.clone(),
            random,
            vault: Arc::new(vault),
            answers: Answers::default(),
            backlog: Backlog::default(),
            meter: Arc::new(()),
            under_way: UnderWay::default(),
            handover: Handover::default(),
            level: Level::newest(),
        };
        let way_out = WayOut { outside: shared.outside.clone(), clock: clock.clone() };
        let name = name(number, 0);
        let (places, crash_count) = (places(&world, &name, 0), 0);
        Self {
            name,
            number,
            crash_count,
            world,
            store,
            clock,
            way_out,
            places,
            flights: Vec::new(),
            sleep_steps: 0,
        }
    }

    /// Loses everything but the clock and what the store keeps.
    pub(super) fn crash(&mut self, shared: &Shared) {
        self.store.crash();
        let log = Arc::clone(&shared.log);
        let master = MasterKey::new([9; 32]);
        let random = self.world.random.clone();
        let vault = Vault::new(log.clone(), shared.blob.clone(), random, master);
        self.world.vault = Arc::new(vault);
        self.world.feed = Arc::new(Feed::new(log));
        self.world.answers = Answers::default();
        self.world.backlog = Backlog::default();
        self.world.under_way = UnderWay::default();
        self.world.handover = Handover::default();
        self.crash_count += 1;
        self.name = name(self.number, self.crash_count);
        let life = self.places.iter().map(|place| place.life).max().unwrap_or(0) + 1;
        self.places = places(&self.world, &self.name, life);
        self.flights.clear();
    }

    /// Whether something is in the memory of both but what all nodes share.
    pub(super) fn shares_memory(&self, other: &Self) -> bool {
        let (a, b) = (&self.world, &other.world);
        Arc::ptr_eq(&a.store, &b.store)
            || Arc::ptr_eq(&a.clock, &b.clock)
            || Arc::ptr_eq(&a.random, &b.random)
            || Arc::ptr_eq(&a.vault, &b.vault)
            || Arc::ptr_eq(&a.feed, &b.feed)
    }

    pub(super) fn wants(&self, seat: usize) -> bool {
        self.places[seat].wants
    }

    pub(super) fn want(&mut self, seat: usize, wants: bool) {
        self.places[seat].wants = wants;
        if !wants {
            self.restart(seat);
        }
    }

    /// The owner's life, if it believes that it holds the seat.
    pub(super) fn life(&self, seat: usize) -> Option<u64> {
        let place = &self.places[seat];
        place.owner.holds().then_some(place.life)
    }

    /// One round of an owner: a turn, the steps that it lets begin, due timers. `living`: the nodes
    /// that it takes to be there. Tells whether there was anything to do.
    pub(super) fn round(&mut self, seat: usize, living: &[String]) -> Result<bool, Breach> {
        match self.try_round(seat, living) {
            Ok(busy) => Ok(busy),
            Err(Error::Corrupt(reason)) => {
                Err(Breach::new("no owner stops", "Corrupt never", reason))
            }
            Err(Error::Unavailable(_) | Error::Conflict(_)) => {
                self.restart(seat);
                Ok(true)
            }
        }
    }

    fn try_round(&mut self, seat: usize, living: &[String]) -> Result<bool, Error> {
        let place = &mut self.places[seat];
        let turn = now(place.owner.turn());
        self.flights.retain_mut(|flight| flight.handed() != Handed::Stands);
        let turn = turn?;
        if turn == Turn::Deposed {
            self.places[seat].wants = false;
            self.restart(seat);
            return Ok(true);
        }
        let works = self.places[seat].owner.take_works();
        let work_count = works.len();
        let flights = works.into_iter().map(|work| Flight { work, outcome: None, handed: None });
        self.flights.extend(flights);
        now(self.places[seat].owner.reclaim(|node| living.iter().any(|name| name == node)))?;
        let owner = &mut self.places[seat].owner;
        let fired = now(owner.fire())?;
        let busy = turn == Turn::Busy || work_count > 0 || fired > 0;
        if !busy {
            now(owner.save())?;
        }
        Ok(busy)
    }

    /// Somebody looks at the rows of a seat while no owner runs: they are folded, no one is told.
    pub(super) fn look(&self, seat: usize) -> Result<(), Breach> {
        let mut owner = Owner::new(self.world.clone(), self.places[seat].owner.seat(), "look");
        match now(owner.fold_rest()) {
            Err(error @ Error::Corrupt(_)) => {
                Err(Breach::new("rows can be looked at", "rows", error))
            }
            Ok(_) | Err(Error::Unavailable(_) | Error::Conflict(_)) => Ok(()),
        }
    }

    /// Follows whoever holds the seat; an owner that holds it hands it over.
    pub(super) fn follow(&mut self, seat: usize) -> Result<(), Breach> {
        let place = &mut self.places[seat];
        place.wants = false;
        if place.owner.holds() {
            place.life += 1;
        }
        match now(place.owner.follow()) {
            Err(error @ Error::Corrupt(_)) => {
                Err(Breach::new("rows can be followed", "rows", error))
            }
            Ok(_) => Ok(()),
            Err(Error::Unavailable(_) | Error::Conflict(_)) => {
                self.restart(seat);
                Ok(())
            }
        }
    }

    fn restart(&mut self, seat: usize) {
        let place = &mut self.places[seat];
        place.owner.resign();
        place.life += 1;
    }

    /// Performs a flight, if it was not performed before; its outcome is not recorded yet.
    pub(super) fn perform(&self, flight: &mut Flight) -> Result<Report, Error> {
        let outcome = match flight.outcome.take() {
            Some(outcome) => outcome,
            None => now(perform(&self.world, &self.way_out, &flight.work))?,
        };
        let outcome = flight.outcome.insert(outcome);
        now(Report::new(&self.world, &flight.work, outcome))
    }

    /// Hands what came of a flight to the owner on this node; whether there is one.
    pub(super) fn hand_over(&self, flight: &mut Flight, report: &Report) -> bool {
        flight.handed = report.hand_over(&self.world);
        flight.handed.is_some()
    }
}

fn name(number: usize, crash_count: u32) -> String {
    format!("n{number}.{crash_count}")
}

fn places(world: &World, name: &str, life: u64) -> Vec<Place> {
    let seats = (0..world.log.partitions()).map(Seat::of).chain([Seat::CONFIG]);
    let place = |seat| {
        let owner = Owner::new(world.clone(), seat, name);
        Place { owner, life, wants: false }
    };
    seats.map(place).collect()
}
