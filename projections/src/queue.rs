//! Fair turns.
//!
//! One queue per user: steps that are ready, in the order in which they became so. Users take
//! turns (round robin with a weight of one), each up to its own limit, all together up to the
//! slots that this partition's lane holds of the project's budget. Every waiting step is a row;
//! only the head of each queue is at hand, so a flood costs disk, not memory.

mod lane;

pub(crate) use lane::Ask;
use lane::Lane;

use crate::owner::table::{self, READY};
use crate::under_way::Begun;
use crate::world::World;
use bytes::{BufMut, Bytes, BytesMut};
use domain::config::Config;
use domain::effect::Call;
use domain::id::{EventId, ExecutionId, ProjectId};
use domain::payload::Payload;
use domain::state::{Execution, Lineage, Nest, Nested, User};
use domain::time::Timestamp;
use ports::{Error, Range, Table};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use uuid::Uuid;

/// Steps of one user at hand.
const QUEUE_HEAD_MAX: usize = 256;
/// Rows read in one go when an owner takes over.
const RECOVER_ROWS_MAX: usize = 10_000;
/// Steps started in one go.
const START_MAX: usize = 512;

/// A step to perform, with what it needs.
#[derive(Clone, Debug)]
pub struct Work {
    /// Which step, for whom, which attempt.
    pub call: Call,
    /// The run as it stands.
    pub run: Execution,
    /// Its place among others; `None`: it has none.
    pub nest: Option<Nest>,
    /// The runs that it is an item within, the nearest first.
    pub within: Vec<(ExecutionId, Nested)>,
    /// What a paginated request got with its last page.
    pub(crate) last_page: Option<Payload>,
    /// Whether those live, and nobody paused them.
    pub(crate) is_wanted: bool,
    /// The user, with the account that the run works for.
    pub user: Option<User>,
    /// While it lives, this process performs the step.
    pub(crate) _begun: Arc<Begun>,
}

impl Work {
    /// Whether its account is there, and its user not disabled.
    pub(crate) fn is_allowed(&self) -> bool {
        self.user.as_ref().is_some_and(|user| !user.disabled && !user.credentials.is_empty())
    }

    /// The run with what surrounds it.
    pub fn lineage(&self) -> Lineage<'_> {
        Lineage {
            id: self.call.key.execution,
            run: &self.run,
            nest: self.nest.as_ref(),
            within: self.within.iter().map(|(id, outer)| (*id, outer)).collect(),
        }
    }
}

type Name = (ProjectId, String);

#[derive(Default)]
struct Queue {
    head: VecDeque<(EventId, ExecutionId)>,
    /// The last row that was at hand; later ones are in the store only.
    beyond: Option<EventId>,
    running: u32,
    /// Whether the queue is in the ring.
    waits: bool,
}

/// The queues of one partition.
pub(crate) struct Queues {
    partition: u16,
    queues: BTreeMap<Name, Queue>,
    /// Users with something at hand, in turn.
    ring: VecDeque<Name>,
    running: BTreeMap<ExecutionId, Name>,
    lanes: BTreeMap<ProjectId, Lane>,
    hungry: BTreeSet<Name>,
}

impl Queues {
    pub(crate) fn new(partition: u16) -> Self {
        Self {
            partition,
            queues: BTreeMap::new(),
            ring: VecDeque::new(),
            running: BTreeMap::new(),
            lanes: BTreeMap::new(),
            hungry: BTreeSet::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.partition);
    }

    /// A step became ready.
    pub(crate) fn push(
        &mut self,
        (project, user): (ProjectId, &str),
        since: EventId,
        id: ExecutionId,
    ) {
        let name = (project, user.to_owned());
        self.lanes.entry(project).or_default().waiting += 1;
        let queue = self.queues.entry(name.clone()).or_default();
        if queue.beyond.is_some() || queue.head.len() >= QUEUE_HEAD_MAX {
            // It is a row; it comes back when its turn does.
            if queue.beyond.is_none() {
                queue.beyond = queue.head.back().map(|(since, _)| *since);
            }
            return;
        }
        queue.head.push_back((since, id));
        if !queue.waits {
            queue.waits = true;
            self.ring.push_back(name);
        }
    }

    /// A step that was started is over; nothing, if it does not run.
    pub(crate) fn done(&mut self, id: ExecutionId) {
        let Some(name) = self.running.remove(&id) else { return };
        if let Some(lane) = self.lanes.get_mut(&name.0) {
            lane.running = lane.running.saturating_sub(1);
        }
        if let Some(queue) = self.queues.get_mut(&name) {
            queue.running = queue.running.saturating_sub(1);
            if !queue.waits && !queue.head.is_empty() {
                queue.waits = true;
                self.ring.push_back(name.clone());
            }
            if queue.head.is_empty() && queue.running == 0 && queue.beyond.is_none() {
                self.queues.remove(&name);
            }
        }
    }

    /// The step of an execution is ready no more: it ran, was at hand, or is a row that will not be
    /// found any more.
    pub(crate) fn left(&mut self, (project, user): (ProjectId, &str), id: ExecutionId) {
        if self.running.contains_key(&id) {
            return self.done(id);
        }
        if let Some(lane) = self.lanes.get_mut(&project) {
            lane.waiting = lane.waiting.saturating_sub(1);
        }
        if let Some(queue) = self.queues.get_mut(&(project, user.to_owned())) {
            queue.head.retain(|(_, waiting)| *waiting != id);
        }
    }

    /// The lane heard what it may use.
    pub(crate) fn held(&mut self, project: ProjectId, (held, serial): (i32, i64), cause: Uuid) {
        self.lanes.entry(project).or_default().hold(held, serial, cause);
    }

    /// The lane asked its project's budget under this id.
    pub(crate) fn asked(&mut self, project: ProjectId, ask: Uuid) {
        if let Some(lane) = self.lanes.get_mut(&project) {
            lane.asked(ask);
        }
    }

    /// The executions whose step starts now, in fair turns.
    pub(crate) fn start(&mut self, config: &Config) -> Vec<ExecutionId> {
        let mut started = Vec::new();
        let mut turns = self.ring.len();
        while turns > 0 && started.len() < START_MAX {
            turns -= 1;
            let Some(name) = self.ring.pop_front() else { break };
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let user_max =
                config.project(name.0).map_or(0, |project| project.settings.user_concurrency_max);
            let lane = self.lanes.entry(name.0).or_default();
            if queue.running >= user_max {
                queue.waits = false; // `done` puts it back
                continue;
            }
            if !lane.has_room() {
                self.ring.push_back(name);
                continue;
            }
            let Some((_, id)) = queue.head.pop_front() else {
                queue.waits = false;
                if queue.beyond.is_some() {
                    self.hungry.insert(name);
                }
                continue;
            };
            lane.start();
            queue.running += 1;
            self.running.insert(id, name.clone());
            started.push(id);
            if queue.head.is_empty() {
                queue.waits = false;
                if queue.beyond.is_some() {
                    self.hungry.insert(name);
                }
            } else {
                self.ring.push_back(name);
                turns += 1;
            }
        }
        started
    }

    /// Steps that wait for their turn, at hand or not.
    pub(crate) fn waiting(&self) -> u64 {
        self.lanes.values().map(|lane| u64::from(lane.waiting)).sum()
    }

    /// What lanes have to ask of their project's budget.
    pub(crate) fn asks(&mut self, config: &Config, now: Timestamp) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (project, lane) in &mut self.lanes {
            let limit = config.project(*project).map_or(0, |p| p.settings.concurrency_max);
            if let Some((wanted, busy)) = lane.ask(limit, now) {
                asks.push(Ask { project: *project, number: lane.ask_count, wanted, busy });
            }
        }
        asks
    }

    /// Whether queues ran empty while more is in the store.
    pub(crate) fn wants_rows(&self) -> bool {
        !self.hungry.is_empty()
    }

    /// Reads the heads of queues that ran empty while more is in the store.
    pub(crate) async fn refill(&mut self, world: &World) -> Result<(), Error> {
        for name in std::mem::take(&mut self.hungry) {
            let Some(beyond) = self.queues.get(&name).and_then(|queue| queue.beyond) else {
                continue;
            };
            let prefix = table::queue_prefix(self.partition, &name.0, &name.1);
            let mut from = BytesMut::from(&prefix[..]);
            from.put_slice(beyond.bytes());
            from.put_slice(&[0xff; 17]);
            let range = Range {
                from: from.freeze(),
                until: after(&prefix),
                limit: QUEUE_HEAD_MAX,
                backwards: false,
            };
            let rows = world.store.scan(READY, range).await?;
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let full = rows.len() == QUEUE_HEAD_MAX;
            for (key, _) in &rows {
                if let Some((_, _, since, id)) = table::parse_ready(key) {
                    queue.head.push_back((since, id));
                }
            }
            queue.beyond = if full { queue.head.back().map(|(since, _)| *since) } else { None };
            if !queue.head.is_empty() && !queue.waits {
                queue.waits = true;
                self.ring.push_back(name);
            }
        }
        Ok(())
    }

    /// A step that an owner before this one let begin takes its part of the limits.
    pub(crate) fn goes_on(&mut self, name: Name, id: ExecutionId) {
        self.lanes.entry(name.0).or_default().running += 1;
        self.queues.entry(name.clone()).or_default().running += 1;
        self.running.insert(id, name);
    }

    /// Whether the step of an execution was let begin, and has not ended.
    pub(crate) fn runs(&self, id: &ExecutionId) -> bool {
        self.running.contains_key(id)
    }

    /// Reads what waits, when an owner takes over.
    pub(crate) async fn recover(&mut self, world: &World) -> Result<(), Error> {
        self.clear();
        let partition = self.partition;
        each_row(world, READY, partition, |key, _| {
            if let Some((project, user, since, id)) = table::parse_ready(key) {
                self.push((project, &user), since, id);
            }
        })
        .await
    }
}

/// Reads a partition's rows of a table.
pub(crate) async fn each_row(
    world: &World,
    table: Table,
    partition: u16,
    mut row: impl FnMut(&[u8], &[u8]),
) -> Result<(), Error> {
    let mut from = Bytes::copy_from_slice(&partition.to_be_bytes());
    let until = after(&from);
    loop {
        let range = Range {
            from: from.clone(),
            until: until.clone(),
            limit: RECOVER_ROWS_MAX,
            backwards: false,
        };
        let rows = world.store.scan(table, range).await?;
        rows.iter().for_each(|(key, value)| row(key, value));
        match rows.last() {
            Some((last, _)) if rows.len() == RECOVER_ROWS_MAX => {
                let mut next = BytesMut::from(&last[..]);
                next.put_u8(0);
                from = next.freeze();
            }
            _ => return Ok(()),
        }
    }
}

/// The end of the keys that begin with `prefix`; empty: the end of the table.
pub(crate) fn after(prefix: &[u8]) -> Bytes {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            break;
        }
    }
    Bytes::from(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_ended_waits_no_more_wherever_it_waited() {
        let project = ProjectId(Uuid::from_u128(1));
        let id = |n: usize| ExecutionId(Uuid::from_u128(n as u128));
        let mut queues = Queues::new(0);
        let count = QUEUE_HEAD_MAX + 10;
        for n in 0..count {
            queues.push((project, "u"), EventId(Uuid::from_u128(n as u128)), id(n));
        }
        assert_eq!(queues.lanes[&project].waiting as usize, count);
        queues.left((project, "u"), id(0));
        queues.left((project, "u"), id(count - 1));
        assert_eq!(queues.lanes[&project].waiting as usize, count - 2);
        assert_eq!(queues.queues[&(project, "u".to_owned())].head.len(), QUEUE_HEAD_MAX - 1);
        // What ends without having been started changes nothing.
        queues.done(id(5));
        assert_eq!(queues.lanes[&project].waiting as usize, count - 2);
    }
}
