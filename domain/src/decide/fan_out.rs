//! Fan outs: the same steps for each item of an array.
//!
//! An item is a run of its own within the run that fans out, so its steps wait, retry and are lost
//! as others are. Items begin in turns: whenever there is room, a timer of the run that fans out
//! is set for at once, and its firing lets some of them begin, or goes on when all have ended.

use super::advance::{Fault, Walk, advance, packed};
use super::{Halt, Missing, Open, Rejected};
use crate::event::{
    Ending, Event, FanOutStarted, ItemFinished, ItemStarted, ItemsPaged, StepFailed, StepKind,
    StepReady, StepSucceeded,
};
use crate::id::{CommandId, ExecutionId};
use crate::key::Key;
use crate::payload::Payload;
use crate::state::{Execution, ItemOf, Join, Lineage, Nest, Nested, Pending, RowKey, Rows};
use crate::workflow::{Action, FanOut, Scope, Step, fan_out};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pages of the items of one fan out. They follow its beginning in the same decision.
const PAGES_MAX: usize = 400;
/// Items of a page, unless there are more than fit in so many.
const PAGE_ITEMS: usize = 250;
/// A decision lets no further item begin after so many events.
const ITEMS_EVENTS_MAX: usize = 400;

/// Begins a fan out. `false`: there is nothing to do, and the step is over.
pub(super) fn begin(
    walk: &Walk<'_>,
    (index, step): (u16, &Step),
    action: &FanOut,
    scope: &Scope,
    events: &mut Vec<Event>,
) -> Result<bool, Fault> {
    let items = fan_out::items(action, scope, walk.step_bytes_max())
        .map_err(|error| Fault::of(error.code(), &error))?;
    if items.is_empty() {
        let output = json!({ "items": 0, "failed": 0 });
        events.push(walk.succeeded(index, step, &json!([]), &output, None));
        return Ok(false);
    }
    let page_items = items.len().div_ceil(PAGES_MAX).max(PAGE_ITEMS);
    let pages: Vec<Vec<u8>> =
        items.chunks(page_items).map(|page| serde_json::to_vec(page).unwrap_or_default()).collect();
    let gathered = walk.workflow.gathered_from(index);
    events.push(Event::FanOutStarted(FanOutStarted {
        execution: walk.lineage.id,
        step: step.id,
        index: i32::from(index),
        items: count(items.len()),
        page_items: count(page_items),
        gathered: gathered.into_iter().map(i32::from).collect(),
        input_size: count(pages.iter().map(Vec::len).sum()),
    }));
    for (page, sealed) in (0..).zip(pages) {
        events.push(Event::ItemsPaged(ItemsPaged {
            execution: walk.lineage.id,
            step: step.id,
            index: i32::from(index),
            page,
            sealed: Payload::Open(Bytes::from(sealed)),
        }));
    }
    let soon = Some(walk.now.plus_ms(1));
    events.push(walk.ready(index, step, 1, soon));
    Ok(true)
}

/// What a fan out is due to do: to let items begin, or, when all have ended, to go on.
pub(super) fn go_on(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    (step, pending): (&Step, &Pending),
) -> Result<Vec<Event>, Halt> {
    let join = walk.lineage.nest.and_then(|nest| nest.joins.get(&pending.index));
    let join = join.ok_or_else(|| Rejected::internal("The fan out has not begun."))?;
    if join.is_over() {
        return finish(walk, open, (step, pending), join).map_err(Halt::from);
    }
    let Action::FanOut(FanOut { first, .. }) = step.action else {
        return Err(Rejected::internal("The step does not fan out.").into());
    };
    let mut events = Vec::new();
    let mut after = join.clone();
    let lineage = &walk.lineage;
    let around =
        Nested { run: lineage.run.clone(), nest: lineage.nest.cloned().unwrap_or_default() };
    let mut within = vec![(lineage.id, &around)];
    within.extend(lineage.within.iter().copied());
    let page = page_of(walk, open, pending, join)?;
    let mut left = page.into_iter().skip((join.begun % join.page_items.max(1)) as usize);
    while events.len() < ITEMS_EVENTS_MAX && after.room() > 0 {
        let Some(item) = left.next() else { break };
        let number = after.begun;
        after.begun += 1;
        let ended =
            start(walk, open, (step, first, &within), (pending.index, number, item), &mut events)?;
        if ended {
            after.end(number, None);
        }
    }
    if after.begun == join.begun {
        return Err(Rejected::internal("The page of the fan out has no further item.").into());
    }
    if after.is_due() {
        // Later than the timer that led here, so that it is another one.
        let last = pending.due.moment().unwrap_or(walk.now).max(walk.now);
        events.push(walk.ready(pending.index, step, 1, Some(last.plus_ms(1))));
    }
    Ok(events)
}

fn page_of(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    pending: &Pending,
    join: &Join,
) -> Result<Vec<Value>, Halt> {
    let key = RowKey::Part(walk.lineage.id, pending.index, join.page());
    let page = walk.rows.part(&key);
    let page = page.ok_or_else(|| Rejected::internal("The page of the fan out is gone."))?;
    let run = walk.lineage.run;
    match open.json(&Key::User(run.project, run.user.clone()), page)? {
        Value::Array(items) => Ok(items),
        _ => Err(Rejected::internal("The page of the fan out is no array.").into()),
    }
}

/// Lets an item begin. Whether it has ended already.
fn start(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    (step, first, within): (&Step, Option<u16>, &[(ExecutionId, &Nested)]),
    (index, number, item): (u16, u32, Value),
    events: &mut Vec<Event>,
) -> Result<bool, Missing> {
    let outer = walk.lineage.run;
    let id = item_id(walk.lineage.id, outer, (index, number));
    let sealed = Bytes::from(item.to_string());
    events.push(Event::ItemStarted(ItemStarted {
        execution: id,
        parent: walk.lineage.id,
        step: step.id,
        index: i32::from(index),
        number: i32::try_from(number).unwrap_or(i32::MAX),
        size: count(sealed.len()),
        sealed: Payload::Open(sealed.clone()),
    }));
    let run = Execution {
        trigger_output: Payload::Open(sealed),
        started_at: walk.now,
        outputs: BTreeMap::new(),
        pending: None,
        task_count: 0,
        wants_response: false,
        ..outer.clone()
    };
    let of = ItemOf { parent: walk.lineage.id, step: step.id, index, number };
    let nest = Nest { of: Some(of), ..Nest::default() };
    let lineage = Lineage { id, run: &run, nest: Some(&nest), within: within.to_vec() };
    // What fans out is told here that an item has ended, once for all of them.
    let inner = Walk { lineage, wakes: false, ..*walk };
    let before = events.len();
    advance(&inner, open, first, events)?;
    let ended = events[before..].iter().any(|event| matches!(event, Event::ItemFinished(_)));
    Ok(ended)
}

/// The run of an item: the same whenever it is asked for.
fn item_id(parent: ExecutionId, run: &Execution, (index, number): (u16, u32)) -> ExecutionId {
    let key = Key::User(run.project, run.user.clone());
    let mut cause = CommandId::derived(&parent.0, &key, u32::from(index));
    cause = CommandId::derived(&cause.0, &key, number);
    ExecutionId::derived(cause, &key, number)
}

/// Every item has ended, and so does the step.
fn finish(
    walk: &Walk<'_>,
    open: &mut dyn Open,
    (step, pending): (&Step, &Pending),
    join: &Join,
) -> Result<Vec<Event>, Missing> {
    let mut output = json!({ "items": join.total, "failed": join.failed });
    let mut events = Vec::new();
    let failed = join.failed > 0;
    if failed {
        let message = format!(
            "{} of {} items failed, the first with {}.",
            join.failed, join.total, join.code
        );
        output["error"] = json!({ "code": join.code, "message": message });
    }
    let (sealed, input_size, output_size) = packed(&Value::Null, &output);
    let (execution, kind, attempt) = (walk.lineage.id, StepKind::FanOut, pending.attempt);
    let (index, started_at) = (i32::from(pending.index), join.started_at);
    let (step_id, status) = (step.id, None);
    if !failed {
        events.push(Event::StepSucceeded(StepSucceeded {
            execution,
            step: step_id,
            index,
            kind,
            attempt,
            started_at,
            status,
            chosen: None,
            input_size,
            output_size,
            sealed: sealed.clone(),
        }));
    } else {
        events.push(Event::StepFailed(StepFailed {
            execution,
            step: step_id,
            index,
            kind,
            attempt,
            started_at,
            code: join.code.clone(),
            status,
            retry_at: None,
            continued: step.continue_on_error,
            input_size,
            output_size,
            sealed: sealed.clone(),
        }));
        if !step.continue_on_error {
            walk.end(Ending::Failed, &join.code, &mut events);
            return Ok(events);
        }
    }
    let mut run = walk.lineage.run.clone();
    run.outputs.insert(pending.index, sealed);
    advance(&walk.with(&run), open, step.next, &mut events)?;
    Ok(events)
}

/// The end of an item's run, and that the run which fans out has something to do because of it.
pub(super) fn item_ended(
    walk: &Walk<'_>,
    of: ItemOf,
    (ending, code): (Ending, &str),
    events: &mut Vec<Event>,
) {
    events.push(finished((walk.lineage.id, of), walk.lineage.run.task_count, (ending, code)));
    let Some((_, outer)) = walk.lineage.within.first().filter(|_| walk.wakes) else { return };
    let Some(join) = outer.nest.joins.get(&of.index) else { return };
    if outer.run.pending.is_some() {
        return;
    }
    let mut join = join.clone();
    join.end(of.number, None);
    if join.is_due() {
        events.push(Event::StepReady(StepReady {
            execution: of.parent,
            step: of.step,
            index: i32::from(of.index),
            kind: StepKind::FanOut,
            attempt: 1,
            due: Some(walk.now.plus_ms(1)),
        }));
    }
}

/// The end of an item within a run that has ended: nothing waits for what becomes of it. Where it is
/// the last one at work of an item that fanned out itself, that one ends too, for nothing else would
/// come to it.
pub(super) fn orphaned(rows: &Rows, id: ExecutionId, of: ItemOf, run: &Execution) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut id, mut of, mut tasks) = (id, of, run.task_count);
    loop {
        events.push(finished((id, of), tasks, (Ending::Cancelled, "CANCELLED")));
        let outer = rows.nested(&RowKey::Execution(of.parent));
        let Some(outer) = outer.filter(|outer| outer.run.pending.is_none()) else { break };
        let Some(outer_of) = outer.nest.of else { break };
        let Some(join) = outer.nest.joins.get(&of.index) else { break };
        let mut join = join.clone();
        join.end(of.number, None);
        if join.ended < join.begun {
            break;
        }
        (id, of, tasks) = (of.parent, outer_of, outer.run.task_count + tasks);
    }
    events
}

fn finished((id, of): (ExecutionId, ItemOf), tasks: i32, (ending, code): (Ending, &str)) -> Event {
    Event::ItemFinished(ItemFinished {
        execution: id,
        parent: of.parent,
        step: of.step,
        index: i32::from(of.index),
        number: i32::try_from(of.number).unwrap_or(i32::MAX),
        ending,
        code: code.to_owned(),
        task_count: tasks,
    })
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
