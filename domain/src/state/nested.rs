//! Runs within runs: the items of a fan out, and how far it has come.

use super::{Execution, RowKey, Rows};
use crate::id::{ExecutionId, StepId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Items of a fan out that run at a time; how many of them are performed is the queue's to say.
pub const LIVE_MAX: u32 = 1_024;
/// Items that begin while an earlier one has not ended: what a fan out has to remember of them.
pub const AHEAD_MAX: u32 = 16_384;

/// A run that fans out, or is an item of one that does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Nested {
    /// The run.
    pub run: Execution,
    /// What surrounds it and what it surrounds.
    pub nest: Nest,
}

/// What surrounds a run, and what it surrounds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Nest {
    /// The item that it is; `None`: it is no item.
    pub of: Option<ItemOf>,
    /// Its fan outs, by the position of their steps.
    pub joins: BTreeMap<u16, Join>,
    /// Its paginated requests that got a page, by the position of their steps.
    pub pages: BTreeMap<u16, Pages>,
    /// Whether it was paused, and with it what is within.
    pub is_paused: bool,
    /// The test that it is, if it is one.
    pub test: Option<TestRun>,
}

/// A run that only tries a workflow out (behaviours.md 19): no step is tried again by itself, and
/// only the first pages of a request are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TestRun {
    /// Position of the only step that is run; `None`: all are.
    pub only: Option<u16>,
}

impl TestRun {
    /// Pages of a request that are asked for.
    pub fn pages_max(self) -> u32 {
        if self.only.is_some() { 2 } else { 3 }
    }
}

/// How far a paginated request has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pages {
    /// Pages that it got, but for the last one.
    pub count: u32,
    /// Attempts before the page that is due.
    pub attempts: i32,
}

/// Which item a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemOf {
    /// The run that fans out.
    pub parent: ExecutionId,
    /// The step that fans out.
    pub step: StepId,
    /// Position of that step in its version, from 0.
    pub index: u16,
    /// Place of the item in the array, from 0.
    pub number: u32,
}

/// How far a fan out has come. It counts, and remembers which items ended before their neighbours
/// did: never a list of them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Join {
    /// When it began.
    pub started_at: Timestamp,
    /// Items of the array.
    pub total: u32,
    /// Items of a page.
    pub page_items: u32,
    /// Items that have begun; those before it in the array have.
    pub begun: u32,
    /// Items that have ended.
    pub ended: u32,
    /// Items that failed.
    pub failed: u32,
    /// Why the first of them did, as a public error code.
    pub code: String,
    /// Steps whose outputs are gathered.
    pub gathered: BTreeSet<u16>,
    /// Everything before this item has ended; a multiple of 64.
    base: u32,
    /// The items from there on that have ended, a bit for each.
    over: Vec<u64>,
}

impl Join {
    /// A fan out that begins.
    pub fn new(started_at: Timestamp, (total, page_items): (u32, u32)) -> Self {
        Self {
            started_at,
            total,
            page_items,
            begun: 0,
            ended: 0,
            failed: 0,
            code: String::new(),
            gathered: BTreeSet::new(),
            base: 0,
            over: Vec::new(),
        }
    }

    /// Whether every item has ended.
    pub fn is_over(&self) -> bool {
        self.ended >= self.total
    }

    /// How many further items may begin now.
    pub fn room(&self) -> u32 {
        let live = LIVE_MAX.saturating_sub(self.begun - self.ended);
        let ahead = AHEAD_MAX.saturating_sub(self.begun - self.base);
        live.min(ahead).min(self.total - self.begun)
    }

    /// Whether the run that fans out has something to do: to let items begin, not too few at a time,
    /// or to go on.
    pub fn is_due(&self) -> bool {
        let left = self.total - self.begun;
        self.is_over() || self.room() >= left.clamp(1, LIVE_MAX / 2)
    }

    /// The page that the next item is in.
    pub fn page(&self) -> u32 {
        self.begun / self.page_items.max(1)
    }

    /// Pages that not all items have begun of.
    pub fn pages_left(&self) -> std::ops::Range<u32> {
        self.page()..self.total.div_ceil(self.page_items.max(1))
    }

    /// Notes that an item ended. `false`: that was known.
    pub fn end(&mut self, number: u32, failed: Option<&str>) -> bool {
        let Some(at) = number.checked_sub(self.base) else { return false };
        let (word, bit) = ((at / 64) as usize, 1u64 << (at % 64));
        if word >= self.over.len() {
            self.over.resize(word + 1, 0);
        }
        if self.over[word] & bit != 0 {
            return false;
        }
        self.over[word] |= bit;
        self.ended += 1;
        if let Some(code) = failed {
            self.failed += 1;
            if self.code.is_empty() {
                code.clone_into(&mut self.code);
            }
        }
        let full = self.over.iter().take_while(|word| **word == u64::MAX).count();
        self.over.drain(..full);
        self.base += 64 * full as u32;
        true
    }
}

/// A run with what surrounds it, from the inside out.
#[derive(Clone, Debug)]
pub struct Lineage<'a> {
    /// The run.
    pub id: ExecutionId,
    /// Itself.
    pub run: &'a Execution,
    /// Its place and its fan outs; `None`: it has neither.
    pub nest: Option<&'a Nest>,
    /// The runs that it is within, the nearest first.
    pub within: Vec<(ExecutionId, &'a Nested)>,
}

impl<'a> Lineage<'a> {
    /// The test that it is, or is within.
    pub fn test(&self) -> Option<TestRun> {
        let around = self.within.iter().find_map(|(_, outer)| outer.nest.test);
        self.nest.and_then(|nest| nest.test).or(around)
    }

    /// Whether it was paused, or what it is within.
    pub fn is_paused(&self) -> bool {
        let around = self.within.iter().any(|(_, outer)| outer.nest.is_paused);
        around || self.nest.is_some_and(|nest| nest.is_paused)
    }

    /// What started the outermost run.
    pub fn trigger_output(&self) -> &'a Payload {
        self.within.last().map_or(&self.run.trigger_output, |(_, outer)| &outer.run.trigger_output)
    }

    /// What a step gave, in the run itself or around it.
    pub fn output(&self, index: u16) -> Option<&'a Payload> {
        let around = || self.within.iter().find_map(|(_, outer)| outer.run.outputs.get(&index));
        self.run.outputs.get(&index).or_else(around)
    }

    /// The item of a fan out that this is within.
    pub fn instance(&self, index: u16) -> Option<&'a Payload> {
        let own = (self.nest, &self.run.trigger_output);
        let around =
            self.within.iter().map(|(_, outer)| (Some(&outer.nest), &outer.run.trigger_output));
        let mut levels = std::iter::once(own).chain(around);
        levels.find_map(|(nest, item)| {
            nest.and_then(|nest| nest.of).filter(|of| of.index == index).map(|_| item)
        })
    }

    /// Pages of a step before its last one, in the run itself or around it: whose they are, and how
    /// many.
    pub fn pages(&self, index: u16) -> Option<(ExecutionId, u32)> {
        let own = self.nest.map(|nest| (self.id, nest));
        let around = self.within.iter().map(|(id, outer)| (*id, &outer.nest));
        let mut levels = own.into_iter().chain(around);
        levels.find_map(|(id, nest)| Some((id, nest.pages.get(&index)?.count)))
    }

    /// The fan out whose items' outputs of a step are at hand: its run, and how many they are.
    pub fn gathered(&self, index: u16) -> Option<(ExecutionId, u32)> {
        let own = self.nest.map(|nest| (self.id, nest));
        let around = self.within.iter().map(|(id, outer)| (*id, &outer.nest));
        own.into_iter().chain(around).find_map(|(id, nest)| {
            let of = |join: &&Join| join.is_over() && join.gathered.contains(&index);
            nest.joins.values().find(of).map(|join| (id, join.total))
        })
    }
}

impl Rows {
    /// A live execution with what surrounds it; `None`: it, or what it is within, is gone.
    pub fn lineage(&self, id: ExecutionId) -> Option<Lineage<'_>> {
        let (run, nest) = self.run(id)?;
        let mut within = Vec::new();
        let mut at = nest.and_then(|nest| nest.of);
        while let Some(of) = at {
            let outer = self.nested(&RowKey::Execution(of.parent))?;
            within.push((of.parent, outer));
            at = outer.nest.of;
        }
        Some(Lineage { id, run, nest, within })
    }

    /// The item that a run is, if it is one.
    pub fn item_of(&self, id: ExecutionId) -> Option<ItemOf> {
        self.nested(&RowKey::Execution(id)).and_then(|nested| nested.nest.of)
    }

    /// Pages that a step of a run has got.
    pub fn pages(&self, id: ExecutionId, index: u16) -> u32 {
        let nested = self.nested(&RowKey::Execution(id));
        nested.and_then(|nested| nested.nest.pages.get(&index)).map_or(0, |pages| pages.count)
    }

    /// How far a fan out has come.
    pub fn join(&self, id: ExecutionId, index: u16) -> Option<&Join> {
        self.nested(&RowKey::Execution(id)).and_then(|nested| nested.nest.joins.get(&index))
    }

    /// Rows that a loaded row is of no use without: what an item is within, and the page that a fan
    /// out or a paginated request goes on with.
    pub fn implied(&self, key: &RowKey) -> Vec<RowKey> {
        let RowKey::Execution(id) = key else { return Vec::new() };
        let Some(nested) = self.nested(key) else { return Vec::new() };
        let parent = nested.nest.of.map(|of| RowKey::Execution(of.parent));
        let due = nested.run.pending.as_ref().and_then(|pending| {
            let join = nested.nest.joins.get(&pending.index).map(Join::page);
            let pages = nested.nest.pages.get(&pending.index);
            let part = join.or_else(|| pages?.count.checked_sub(1))?;
            Some(RowKey::Part(*id, pending.index, part))
        });
        parent.into_iter().chain(due).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_counts_each_item_once_in_any_order() {
        let mut join = Join::new(Timestamp(0), (200, 100));
        join.begun = 200;
        for number in (0..200).rev().chain(0..200) {
            join.end(number, (number % 50 == 0).then_some("HTTP_500"));
        }
        assert_eq!((join.ended, join.failed, join.code.as_str()), (200, 4, "HTTP_500"));
        assert!(join.is_over() && join.is_due() && !join.end(0, None));
    }

    #[test]
    fn a_slow_item_holds_up_others_only_far_behind_it_and_little_is_remembered() {
        let mut join = Join::new(Timestamp(0), (100_000, 512));
        join.begun = 1;
        while join.room() > 0 {
            join.begun += 1;
            join.end(join.begun - 1, None);
        }
        assert_eq!(join.begun, AHEAD_MAX);
        assert!(postcard::to_allocvec(&join).unwrap().len() < 4_096);
        join.end(0, None);
        assert_eq!((join.base, join.over.len(), join.room()), (AHEAD_MAX, 0, LIVE_MAX));
    }
}
