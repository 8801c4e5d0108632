//! What must hold at every instant: never more steps at work than the project may run, and no seat
//! with an owner that may not own it.

use super::invariant::Breach;
use super::layout::Layout;
use super::node::Node;
use super::poll::now;
use super::project::CONCURRENCY_MAX;
use domain::codec;
use domain::event::{Event, TriggerKind};
use domain::id::{CredentialId, ExecutionId, StepId, WorkflowId};
use domain::key::Key;
use domain::meta::Recorded;
use domain::run::Filter;
use ports::Log;
use ports::model::log::ModelLog;
use projections::Seat;
use std::collections::BTreeSet;

/// Watches the seats as far as the log shows them.
pub(super) struct Audit {
    seats: Vec<Watch>,
    /// Attempts whose outcome was recorded.
    ended: BTreeSet<(ExecutionId, StepId, i32)>,
    finished: BTreeSet<ExecutionId>,
    /// Executions that began and have not ended, for clients that steer them.
    pub(super) live: Vec<Known>,
    /// Every execution that began, for clients that have it run again.
    pub(super) past: Vec<Known>,
}

/// An execution, as clients know it.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) execution: ExecutionId,
    pub(super) user: Key,
    pub(super) workflow: WorkflowId,
    pub(super) credential: CredentialId,
    pub(super) trigger: TriggerKind,
}

struct Watch {
    seat: Seat,
    next: i64,
    filter: Filter,
}

impl Audit {
    pub(super) fn new(partitions: u16) -> Self {
        let watch = |seat| Watch { seat, next: 0, filter: Filter::default() };
        Self {
            seats: (0..partitions).map(Seat::of).map(watch).collect(),
            ended: BTreeSet::new(),
            finished: BTreeSet::new(),
            live: Vec::new(),
            past: Vec::new(),
        }
    }

    /// Reads on in one seat's events.
    pub(super) fn look(&mut self, log: &ModelLog, seat: usize) -> Result<(), Breach> {
        let Some(watch) = self.seats.get_mut(seat) else { return Ok(()) };
        let mut standing = Vec::new();
        loop {
            let Ok(batch) = now(log.read(watch.seat.events, watch.next, usize::MAX)) else {
                continue;
            };
            let Some(last) = batch.last() else { break };
            watch.next = last.offset + 1;
            for stored in &batch {
                let event = codec::decode::<Event>(&stored.record.value)
                    .map_err(|error| Breach::new("every record decodes", "an event", error))?;
                standing.extend(watch.filter.push(stored.offset, event).into_iter().flatten());
            }
        }
        for (_, event) in standing {
            self.note(&event);
        }
        Ok(())
    }

    /// No node believes that it holds a seat that only another may own.
    pub(super) fn seats(layout: &Layout, number: usize, node: &Node) -> Result<(), Breach> {
        let is_foreign = |seat: &usize| {
            let keeper = layout.keeper(*seat);
            node.life(*seat).is_some() && keeper.is_some_and(|keeper| keeper != number)
        };
        match (0..layout.seats()).find(is_foreign) {
            None => Ok(()),
            Some(seat) => {
                let found = format!("node {number} holds seat {seat}");
                Err(Breach::new("a seat that has a keeper does not move", "its keeper", found))
            }
        }
    }

    fn note(&mut self, event: &Recorded<Event>) {
        match &event.body {
            Event::ExecutionStarted(e) => {
                let Some(user) = event.meta.parsed_key() else { return };
                let (execution, workflow, trigger) = (e.execution, e.workflow, e.trigger);
                let credential = e.credential;
                let known = Known { execution, user, workflow, credential, trigger };
                self.past.push(known.clone());
                self.live.push(known);
            }
            Event::StepSucceeded(e) => {
                self.ended.insert((e.execution, e.step, e.attempt));
            }
            Event::StepFailed(e) => {
                self.ended.insert((e.execution, e.step, e.attempt));
            }
            Event::PageFetched(e) => {
                self.ended.insert((e.execution, e.step, e.attempt));
            }
            Event::ItemFinished(e) => {
                self.finished.insert(e.execution);
            }
            Event::ExecutionFinished(e) => {
                self.finished.insert(e.execution);
                self.live.retain(|live| live.execution != e.execution);
            }
            _ => {}
        }
    }

    /// Counts the steps that nodes have at work, whoever let them begin. An attempt that was given up
    /// counts no more: its node is taken for dead.
    ///
    /// An owner goes on from an append that stands before readers see it. So what seems too much is
    /// counted again when everything acknowledged is there; not always, because the world would see
    /// it too.
    pub(super) fn check(&mut self, log: &ModelLog, nodes: &[Node]) -> Result<(), Breach> {
        if self.at_work(nodes) <= CONCURRENCY_MAX as usize {
            return Ok(());
        }
        for seat in 0..self.seats.len() {
            while now(log.end(self.seats[seat].seat.events)).is_err() {}
            self.look(log, seat)?;
        }
        let count = self.at_work(nodes);
        if count > CONCURRENCY_MAX as usize {
            let expected = format!("at most {CONCURRENCY_MAX} steps at work");
            return Err(Breach::new(
                "the project's concurrency is never exceeded",
                expected,
                count,
            ));
        }
        Ok(())
    }

    fn at_work(&self, nodes: &[Node]) -> usize {
        let flights = nodes.iter().flat_map(|node| &node.flights);
        let at_work = flights.filter(|flight| {
            let call = &flight.work.call;
            let attempt = (call.key.execution, call.key.step, call.attempt);
            !self.ended.contains(&attempt) && !self.finished.contains(&call.key.execution)
        });
        at_work.count()
    }
}
