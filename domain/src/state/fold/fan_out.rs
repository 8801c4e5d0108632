//! Runs within runs: an item has a row as every live execution has, and what fans out counts them;
//! and the pages of requests.

use super::super::{Execution, ItemOf, Join, Nest, Nested, Pages, Row, RowKey, Rows, TestRun};
use super::{index_in, number_in, set_pending};
use crate::event::{
    Ending, Event, ExecutionTested, FanOutStarted, ItemFinished, ItemStarted, PageFetched,
};
use crate::id::ExecutionId;
use crate::meta::Meta;
use std::collections::BTreeMap;

pub(super) fn fold(rows: &mut Rows, meta: &Meta, event: &Event) {
    match event {
        Event::FanOutStarted(e) => started(rows, meta, e),
        Event::ItemsPaged(e) => {
            let key = RowKey::Part(e.execution, index_in(e.index), number_in(e.page));
            rows.put(key, Row::Part(e.sealed.clone()));
        }
        Event::ItemStarted(e) => item_started(rows, meta, e),
        Event::ItemFinished(e) => item_finished(rows, e),
        Event::PageFetched(e) => page_fetched(rows, e),
        _ => {}
    }
}

/// The row of a run with a place for what it surrounds.
fn nested_of(rows: &Rows, id: ExecutionId) -> Option<Nested> {
    let (run, nest) = rows.run(id)?;
    Some(Nested { run: run.clone(), nest: nest.cloned().unwrap_or_default() })
}

/// Whether the run, and what is within, goes on.
pub(super) fn set_paused(rows: &mut Rows, id: ExecutionId, is_paused: bool) {
    let Some(mut nested) = nested_of(rows, id) else { return };
    nested.nest.is_paused = is_paused;
    rows.put(RowKey::Execution(id), Row::Nested(Box::new(nested)));
}

pub(super) fn tested(rows: &mut Rows, e: &ExecutionTested) {
    let Some(mut nested) = nested_of(rows, e.execution) else { return };
    nested.nest.test = Some(TestRun { only: e.only.map(index_in) });
    rows.put(RowKey::Execution(e.execution), Row::Nested(Box::new(nested)));
}

/// A paginated request got a page: what is due next is another.
fn page_fetched(rows: &mut Rows, e: &PageFetched) {
    let (index, page) = (index_in(e.index), number_in(e.page));
    let Some(mut nested) = nested_of(rows, e.execution) else { return };
    let pages = nested.nest.pages.entry(index).or_default();
    if pages.count > page {
        return; // It is folded again.
    }
    *pages = Pages { count: page + 1, attempts: e.attempt };
    nested.run.task_count += e.kind.tasks();
    rows.put(RowKey::Execution(e.execution), Row::Nested(Box::new(nested)));
    rows.put(RowKey::Part(e.execution, index, page), Row::Part(e.sealed.clone()));
}

fn started(rows: &mut Rows, meta: &Meta, e: &FanOutStarted) {
    let key = RowKey::Execution(e.execution);
    let Some(mut nested) = nested_of(rows, e.execution) else { return };
    let mut join = Join::new(meta.occurred_at, (number_in(e.items), number_in(e.page_items)));
    join.gathered = e.gathered.iter().map(|index| index_in(*index)).collect();
    nested.nest.joins.insert(index_in(e.index), join);
    rows.put(key, Row::Nested(Box::new(nested)));
}

fn item_started(rows: &mut Rows, meta: &Meta, e: &ItemStarted) {
    let (index, number) = (index_in(e.index), number_in(e.number));
    let key = RowKey::Execution(e.parent);
    let Some(parent) = rows.execution(&key) else { return };
    let run = Execution {
        project: parent.project,
        user: parent.user.clone(),
        workflow: parent.workflow,
        version: parent.version,
        integration: parent.integration,
        credential: parent.credential,
        trigger: parent.trigger,
        started_at: meta.occurred_at,
        trigger_output: e.sealed.clone(),
        command: parent.command,
        body_hash: parent.body_hash,
        correlation_id: parent.correlation_id,
        wants_response: false,
        outputs: BTreeMap::new(),
        pending: None,
        task_count: 0,
    };
    // What fans out did what it was due to; what it waits for next comes after its items.
    if parent.pending.as_ref().is_some_and(|pending| pending.index == index) {
        set_pending(rows, e.parent, None);
    }
    let Some(nested) = rows.nested_mut(&key) else { return };
    let Some(join) = nested.nest.joins.get_mut(&index) else { return };
    let page = join.page();
    join.begun = join.begun.max(number + 1);
    if join.begun == join.total || join.page() != page {
        rows.remove(&RowKey::Part(e.parent, index, page));
    }
    let of = Some(ItemOf { parent: e.parent, step: e.step, index, number });
    let nested = Nested { run, nest: Nest { of, ..Nest::default() } };
    rows.put(RowKey::Execution(e.execution), Row::Nested(Box::new(nested)));
}

fn item_finished(rows: &mut Rows, e: &ItemFinished) {
    let (index, number) = (index_in(e.index), number_in(e.number));
    let outputs = rows.execution_mut(&RowKey::Execution(e.execution));
    let outputs = outputs.map(|run| std::mem::take(&mut run.outputs)).unwrap_or_default();
    over(rows, e.execution);
    let Some(parent) = rows.nested_mut(&RowKey::Execution(e.parent)) else { return };
    let Some(join) = parent.nest.joins.get_mut(&index) else { return };
    let failed = (e.ending != Ending::Succeeded).then_some(e.code.as_str());
    if !join.end(number, failed) {
        return;
    }
    parent.run.task_count += e.task_count;
    let gathered = join.gathered.clone();
    for (index, output) in outputs {
        if gathered.contains(&index) {
            rows.put(RowKey::Part(e.parent, index, number), Row::Part(output));
        }
    }
}

/// A run is over: nothing of it stays.
pub(super) fn over(rows: &mut Rows, id: ExecutionId) {
    set_pending(rows, id, None);
    let Some(row) = rows.remove(&RowKey::Execution(id)) else { return };
    let Row::Nested(nested) = row else { return };
    for (index, pages) in nested.nest.pages {
        for page in 0..pages.count {
            rows.remove(&RowKey::Part(id, index, page));
        }
    }
    for (index, join) in nested.nest.joins {
        for page in join.pages_left() {
            rows.remove(&RowKey::Part(id, index, page));
        }
        for gathered in join.gathered {
            for number in 0..join.begun {
                rows.remove(&RowKey::Part(id, gathered, number));
            }
        }
    }
}
