//! The step budget of a project, lent to lanes as slots.
//!
//! A lane asks when every slot it holds is busy, or answers when it was told to hold fewer; in
//! both cases it starts nothing beyond `busy` until it hears again. So what it says it uses is
//! all that it may be using, and the rest can be lent at once. An ask that was overtaken by a later
//! one of its lane, as that of an owner that is gone, says nothing: its id tells.

use super::{Given, repeat};
use crate::command::{AskSlots, Command, HoldSlots};
use crate::event::{Event, SlotsAsked, SlotsGranted, SlotsHeld};
use crate::meta::Recorded;
use crate::state::{Budget, LaneUse, RowKey};

pub(super) fn ask(given: &Given<'_>, command: &Recorded<Command>, c: &AskSlots) -> Vec<Event> {
    let mut budget = given.rows.budget(&RowKey::Budget(c.project)).cloned().unwrap_or_default();
    let asked = command.meta.command_id.asked();
    let is_late =
        asked.is_some() && budget.lanes.get(&c.lane).is_some_and(|lane| asked <= lane.asked);
    #[cfg(feature = "canary")]
    let is_late = is_late && !crate::canary::planted(crate::canary::Canary::OvertakenAsk);
    if is_late {
        return vec![repeat(command)];
    }
    let limit = given
        .config
        .project(c.project)
        .map_or(0, |project| i32::try_from(project.settings.concurrency_max).unwrap_or(i32::MAX));
    #[cfg(feature = "canary")]
    let limit = limit + i32::from(crate::canary::planted(crate::canary::Canary::OverlentBudget));
    let mut events = vec![Event::SlotsAsked(SlotsAsked {
        project: c.project,
        lane: c.lane,
        wanted: c.wanted,
        busy: c.busy,
    })];
    let grew = budget.lanes.get(&c.lane).is_none_or(|lane_use| c.wanted > lane_use.wanted);
    let lane_use = LaneUse { promised: c.busy, held: c.busy, wanted: c.wanted, asked };
    budget.lanes.insert(c.lane, lane_use);
    let shares = budget.shares(limit, given.now);
    grant_waiting(&mut budget, limit, &shares, c, &mut events);
    recall(&mut budget, &shares, c, &mut events);
    if grew {
        poll(&mut budget, c, &mut events);
    }
    events
}

/// Lends free slots to every lane that holds fewer than its share, the asking one first.
fn grant_waiting(
    budget: &mut Budget,
    limit: i32,
    shares: &std::collections::BTreeMap<i32, i32>,
    c: &AskSlots,
    events: &mut Vec<Event>,
) {
    let mut order: Vec<i32> = shares.keys().copied().filter(|lane| *lane != c.lane).collect();
    order.insert(0, c.lane);
    for lane in order {
        let share = shares.get(&lane).copied().unwrap_or(0);
        let free = budget.free(limit).max(0);
        let Some(lane_use) = budget.lanes.get_mut(&lane) else { continue };
        let held = share.min(lane_use.promised + free).max(lane_use.promised.min(share));
        // The asking lane always hears: it waits for it.
        if held <= lane_use.held && lane != c.lane {
            continue;
        }
        lane_use.held = held;
        lane_use.promised = lane_use.promised.max(held);
        push_grant(budget, c, lane, held, events);
    }
}

/// Tells lanes that hold more than their share to give back, while others get less than theirs.
fn recall(
    budget: &mut Budget,
    shares: &std::collections::BTreeMap<i32, i32>,
    c: &AskSlots,
    events: &mut Vec<Event>,
) {
    let short = shares
        .iter()
        .any(|(lane, share)| budget.lanes.get(lane).is_some_and(|lane_use| lane_use.held < *share));
    if !short {
        return;
    }
    let rich: Vec<(i32, i32)> = budget
        .lanes
        .iter()
        .map(|(lane, lane_use)| (*lane, lane_use.held, shares.get(lane).copied().unwrap_or(0)))
        .filter(|(lane, held, share)| *lane != c.lane && held > share)
        .map(|(lane, _, share)| (lane, share))
        .collect();
    for (lane, share) in rich {
        if let Some(lane_use) = budget.lanes.get_mut(&lane) {
            lane_use.held = share;
        }
        push_grant(budget, c, lane, share, events);
    }
}

/// Asks lanes again that may be using less than they said, while the asking one got less than it
/// wants: their owner may have changed, or have nothing to do. They hold what they held.
fn poll(budget: &mut Budget, c: &AskSlots, events: &mut Vec<Event>) {
    if budget.lanes.get(&c.lane).is_none_or(|lane_use| lane_use.held >= c.wanted) {
        return;
    }
    let told: Vec<i32> = events
        .iter()
        .filter_map(|event| match event {
            Event::SlotsGranted(e) => Some(e.lane),
            _ => None,
        })
        .collect();
    let silent: Vec<(i32, i32)> = budget
        .lanes
        .iter()
        .filter(|(lane, lane_use)| lane_use.promised > 0 && !told.contains(lane))
        .map(|(lane, lane_use)| (*lane, lane_use.held))
        .collect();
    for (lane, held) in silent {
        push_grant(budget, c, lane, held, events);
    }
}

fn push_grant(budget: &mut Budget, c: &AskSlots, lane: i32, held: i32, events: &mut Vec<Event>) {
    budget.serial += 1;
    let serial = budget.serial;
    events.push(Event::SlotsGranted(SlotsGranted { project: c.project, lane, held, serial }));
}

pub(super) fn hold(c: &HoldSlots) -> Vec<Event> {
    vec![Event::SlotsHeld(SlotsHeld {
        project: c.project,
        lane: c.lane,
        held: c.held,
        serial: c.serial,
    })]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::id::{Asking, CommandId, EventId, ProjectId};
    use crate::key::Key;
    use crate::meta::{Actor, Meta};
    use crate::state::{Rows, fold};
    use crate::time::Timestamp;
    use uuid::Uuid;

    const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));

    /// The decision on an ask of the lane, folded.
    fn asks(rows: &mut Rows, epoch: i64, number: u32, busy: i32) -> Event {
        let key = Key::Limit(PROJECT);
        let command_id = CommandId::asking(Asking { partition: 3, epoch, number }, &key);
        let body = AskSlots { project: PROJECT, lane: 3, wanted: busy, busy };
        let meta = Meta {
            event_id: EventId(command_id.0),
            project: PROJECT,
            key: key.name(),
            execution: None,
            occurred_at: Timestamp(0),
            actor: Actor::System,
            causation_id: None,
            correlation_id: command_id.0,
            command_id,
            body_hash: None,
            command_offset: -1,
            config_offset: 0,
            epoch: 0,
            incarnation: 0,
            i: 0,
            n: 1,
        };
        let command = Recorded { meta, body: Command::AskSlots(body.clone()) };
        let config = Config::default();
        let given =
            Given { rows, config: &config, now: Timestamp(0), partitions: 8, schema_max: u32::MAX };
        let first = ask(&given, &command, &body).remove(0);
        fold(rows, &[Recorded { meta: command.meta, body: first.clone() }]);
        first
    }

    #[test]
    fn an_ask_that_a_later_one_overtook_says_nothing() {
        let mut rows = Rows::default();
        assert!(matches!(asks(&mut rows, 7, 1, 4), Event::SlotsAsked(_)));
        // The owner is gone, and the next one gives everything back.
        assert!(matches!(asks(&mut rows, 8, 1, 0), Event::SlotsAsked(_)));
        assert!(matches!(asks(&mut rows, 8, 1, 0), Event::CommandRepeated(_)));
        assert!(matches!(asks(&mut rows, 7, 2, 2), Event::CommandRepeated(_)));
        let budget = rows.budget(&RowKey::Budget(PROJECT));
        assert_eq!(budget.map(|budget| budget.free(6)), Some(6));
        assert!(matches!(asks(&mut rows, 8, 2, 1), Event::SlotsAsked(_)));
    }
}
