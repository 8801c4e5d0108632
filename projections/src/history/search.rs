//! Finds a page of executions, and how many there are, by the counts.
//!
//! A range of time is whole buckets and, at its two ends, parts of buckets, which are whole buckets
//! of the next level and again parts of such. Whole buckets are counted by their rows. The search
//! goes into a bucket only where the page begins in it, and from there on into those that hold some
//! of what is looked for; rows of single executions are read last.

use super::index::{Group, Scope, parse_count};
use super::starts::{Starts, after};
use super::{COUNTS, decode};
use domain::id::ExecutionId;
use domain::view::{ExecutionFilter, Sort};
use ports::{Error, Range, Store};
use std::collections::BTreeMap;

/// Counts read in one go.
const SCAN_ROWS_MAX: usize = 512;
/// A bucket with no more starts to read is not gone into by its counts, which are rows too.
const STARTS_READ_MAX: u64 = 512;
/// No level of counts: behind the last one.
const STARTS_LEVEL: usize = usize::MAX;

/// A search under way.
pub(super) struct Search<'a> {
    store: &'a dyn Store,
    filter: &'a ExecutionFilter,
    /// One per partition that may have some; all have the same levels.
    scopes: Vec<Scope>,
    /// What is still to be skipped before the page.
    skip: u64,
    found: Vec<(usize, ExecutionId)>,
}

/// What a search found.
pub(super) struct Found {
    /// The page: the number of the scope, and the execution.
    pub(super) page: Vec<(usize, ExecutionId)>,
    /// How many the filter lets pass.
    pub(super) total: u64,
}

/// A part of the range: `[from, until)` in milliseconds.
struct Span {
    /// Whose buckets it is made of; behind the last level it is read start by start.
    level: usize,
    from: i64,
    until: i64,
    /// The scopes that may have some in it.
    scopes: Vec<usize>,
    /// Whether a bucket around it was counted.
    counted: bool,
}

/// One bucket over the scopes that have some of what is looked for.
#[derive(Default)]
struct Bucket {
    all: u64,
    passing: u64,
    scopes: Vec<usize>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        filter: &'a ExecutionFilter,
        scopes: Vec<Scope>,
    ) -> Self {
        Self { store, filter, scopes, skip: filter.offset, found: Vec::new() }
    }

    /// Finds the page and the total. What is folded meanwhile may be in the one and not yet in the
    /// other.
    ///
    /// # Errors
    /// `Unavailable`: the rows cannot be read now. `Corrupt`: one does not decode.
    pub(super) async fn run(mut self) -> Result<Found, Error> {
        let from = self.filter.after.map_or(0, |at| at.plus_ms(1).0.max(0));
        // Without an end it is one of a bucket, so that nothing is cut there.
        let last = i64::MAX - i64::MAX % self.buckets(0).unwrap_or(1);
        let until = self.filter.before.map_or(last, |at| at.0.max(0));
        // The next one is taken from the end.
        let mut open = Vec::new();
        self.split(0, (from, until), &mut open);
        if self.filter.sort == Sort::Ascending {
            open.reverse();
        }
        let mut total = 0;
        while let Some(span) = open.pop() {
            if span.counted && self.wanted() == 0 {
                continue;
            }
            let passing = match self.buckets(span.level).is_some() {
                true => self.count(&span, &mut open).await?,
                false => self.read(&span).await?,
            };
            total += if span.counted { 0 } else { passing };
        }
        Ok(Found { page: self.found, total })
    }

    fn buckets(&self, level: usize) -> Option<i64> {
        self.scopes.first().and_then(|scope| scope.buckets().get(level).copied())
    }

    /// How many the page still has room for.
    fn wanted(&self) -> u64 {
        self.filter.limit.saturating_sub(self.found.len()) as u64
    }

    fn passes(&self, group: &Group) -> bool {
        let filter = self.filter;
        filter.workflow.is_none_or(|workflow| workflow == group.workflow)
            && filter.integration.is_none_or(|integration| integration == group.integration)
            && (filter.statuses.is_empty() || filter.statuses.contains(&group.status))
    }

    /// Whole buckets and the parts around them, in order of time.
    fn split(&self, level: usize, (from, until): (i64, i64), spans: &mut Vec<Span>) {
        if from >= until {
            return;
        }
        let scopes = || (0..self.scopes.len()).collect();
        let Some(length) = self.buckets(level) else {
            spans.push(Span { level, from, until, scopes: scopes(), counted: false });
            return;
        };
        let first = from.saturating_add(length - 1) / length * length;
        let end = until / length * length;
        if first >= end {
            return self.split(level + 1, (from, until), spans);
        }
        self.split(level + 1, (from, first), spans);
        spans.push(Span { level, from: first, until: end, scopes: scopes(), counted: false });
        self.split(level + 1, (end, until), spans);
    }

    /// Counts what passes in the buckets of a span, and opens those that the page has some of.
    async fn count(&mut self, span: &Span, open: &mut Vec<Span>) -> Result<u64, Error> {
        let length = self.buckets(span.level).unwrap_or(i64::MAX);
        let mut buckets: Vec<(i64, Bucket)> = self.load(span).await?.into_iter().collect();
        if self.filter.sort == Sort::Descending {
            buckets.reverse();
        }
        let mut total = 0;
        let (mut inner, mut reached) = (Vec::new(), 0);
        for (from, bucket) in buckets {
            total += bucket.passing;
            if inner.is_empty() && self.skip >= bucket.passing {
                self.skip -= bucket.passing;
                continue;
            }
            if reached >= self.wanted() {
                continue;
            }
            let before = if inner.is_empty() { self.skip } else { 0 };
            let level = match self.starts_to_read(&bucket, before) <= STARTS_READ_MAX {
                true => STARTS_LEVEL,
                false => span.level + 1,
            };
            reached += bucket.passing - before;
            let until = from.saturating_add(length);
            inner.push(Span { level, from, until, scopes: bucket.scopes, counted: true });
        }
        inner.reverse();
        open.append(&mut inner);
        Ok(total)
    }

    /// About how many starts of a bucket are read until the page is full.
    fn starts_to_read(&self, bucket: &Bucket, before: u64) -> u64 {
        let passing = before.saturating_add(self.wanted()).min(bucket.passing);
        let all = u128::from(passing) * u128::from(bucket.all) / u128::from(bucket.passing.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// The buckets of a span that have some of what is looked for, by their beginning.
    async fn load(&self, span: &Span) -> Result<BTreeMap<i64, Bucket>, Error> {
        let mut buckets = BTreeMap::<i64, Bucket>::new();
        for &number in &span.scopes {
            let scope = &self.scopes[number];
            let mut from = scope.count_key(span.level, span.from);
            loop {
                let until = scope.count_key(span.level, span.until);
                let range =
                    Range { from: from.clone(), until, limit: SCAN_ROWS_MAX, backwards: false };
                let rows = self.store.scan(COUNTS, range).await?;
                for (key, value) in &rows {
                    let begin = parse_count(key)?;
                    let counts: Vec<(Group, u64)> = decode(value)?;
                    let of = |(group, count): &(Group, u64)| self.passes(group).then_some(*count);
                    let passing: u64 = counts.iter().filter_map(of).sum();
                    if passing > 0 {
                        let bucket = buckets.entry(begin).or_default();
                        bucket.all += counts.iter().map(|(_, count)| count).sum::<u64>();
                        bucket.passing += passing;
                        bucket.scopes.push(number);
                    }
                }
                match rows.last() {
                    Some((last, _)) if rows.len() == SCAN_ROWS_MAX => from = after(last),
                    _ => break,
                }
            }
        }
        Ok(buckets)
    }

    /// Goes through a span start by start: to its end where it is not counted yet.
    async fn read(&mut self, span: &Span) -> Result<u64, Error> {
        let scopes = span.scopes.iter().map(|number| (*number, &self.scopes[*number]));
        let range = (span.from, span.until);
        let mut starts = Starts::new(self.store, self.filter.sort, scopes, range);
        let mut total = 0;
        while let Some((scope, id, group)) = starts.next().await? {
            if !self.passes(&group) {
                continue;
            }
            total += 1;
            if self.skip > 0 {
                self.skip -= 1;
            } else if self.wanted() > 0 {
                self.found.push((scope, id));
            }
            if span.counted && self.wanted() == 0 {
                break;
            }
        }
        Ok(total)
    }
}
