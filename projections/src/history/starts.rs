//! Rows of several scopes as one sequence in order of time, read as far as it is asked for.

use super::index::{Group, Scope, parse_start};
use super::{STARTS, decode};
use bytes::{BufMut, Bytes, BytesMut};
use domain::id::ExecutionId;
use domain::time::Timestamp;
use domain::view::Sort;
use ports::{Error, Range, Store};
use std::collections::VecDeque;

/// Rows read at first: of many scopes each is asked for a few.
const ROWS_MIN: usize = 32;
/// Rows read in one go.
const ROWS_MAX: usize = 512;

/// When an execution began, and which.
pub(super) type Start = (Timestamp, ExecutionId);

/// Starts of several scopes as one sequence.
pub(super) struct Starts<'a> {
    store: &'a dyn Store,
    sort: Sort,
    walks: Vec<Walk>,
}

/// The rest of one scope.
struct Walk {
    /// What the caller calls the scope.
    scope: usize,
    from: Bytes,
    until: Bytes,
    limit: usize,
    at_hand: VecDeque<(Start, Group)>,
    ended: bool,
}

impl<'a> Starts<'a> {
    /// What begins in `[from, until)`, by scopes with the numbers that the caller has for them.
    pub(super) fn new<'b>(
        store: &'a dyn Store,
        sort: Sort,
        scopes: impl Iterator<Item = (usize, &'b Scope)>,
        (from, until): (i64, i64),
    ) -> Self {
        let walk = |(scope, of): (usize, &Scope)| Walk {
            scope,
            from: of.bound(from),
            until: of.bound(until),
            limit: ROWS_MIN,
            at_hand: VecDeque::new(),
            ended: false,
        };
        Self { store, sort, walks: scopes.map(walk).collect() }
    }

    /// The next one, with the number of its scope.
    ///
    /// # Errors
    /// `Unavailable`: the rows cannot be read now. `Corrupt`: one does not decode.
    pub(super) async fn next(&mut self) -> Result<Option<(usize, ExecutionId, Group)>, Error> {
        for walk in &mut self.walks {
            walk.fill(self.store, self.sort).await?;
        }
        let heads = self.walks.iter_mut().filter(|walk| !walk.at_hand.is_empty());
        let head = |walk: &&mut Walk| walk.at_hand.front().map(|(start, _)| *start);
        let first = match self.sort {
            Sort::Ascending => heads.min_by_key(head),
            Sort::Descending => heads.max_by_key(head),
        };
        let Some(walk) = first else { return Ok(None) };
        let next = walk.at_hand.pop_front();
        Ok(next.map(|((_, id), group)| (walk.scope, id, group)))
    }
}

impl Walk {
    /// Reads on if nothing is at hand.
    async fn fill(&mut self, store: &dyn Store, sort: Sort) -> Result<(), Error> {
        if self.ended || !self.at_hand.is_empty() {
            return Ok(());
        }
        let backwards = sort == Sort::Descending;
        let (from, until, limit) = (self.from.clone(), self.until.clone(), self.limit);
        let rows = store.scan(STARTS, Range { from, until, limit, backwards }).await?;
        self.ended = rows.len() < limit;
        self.limit = (limit * 2).min(ROWS_MAX);
        if let Some((last, _)) = rows.last() {
            match sort {
                Sort::Ascending => self.from = after(last),
                Sort::Descending => self.until = last.clone(),
            }
        }
        for (key, value) in &rows {
            self.at_hand.push_back((parse_start(key)?, decode(value)?));
        }
        Ok(())
    }
}

/// The first key behind a key.
pub(super) fn after(key: &[u8]) -> Bytes {
    let mut next = BytesMut::with_capacity(key.len() + 1);
    next.put_slice(key);
    next.put_u8(0);
    next.freeze()
}
