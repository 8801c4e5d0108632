//! The thread that prepares segments ahead of the writer, and writes the indexes of full ones.

use crate::folder::Folder;
use crate::index::{self, Index, Summary};
use crate::segment::{self, Segment};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Segments in advance at most.
const AHEAD_MAX: usize = 2;

/// It never pauses longer than this between two pieces of a segment.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// What the writer and the keeper's thread share.
pub(crate) struct Keeper {
    folder: Arc<Folder>,
    segment_bytes: u64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    ready: VecDeque<Segment>,
    /// The number of the next segment.
    number: u64,
    /// How many to have ready.
    ahead: usize,
    /// The writer waits for one.
    wanted: bool,
    /// Why the last one could not be prepared. Nothing is tried again until the writer asks.
    failure: Option<io::Error>,
    /// Indexes that are not written yet; the first may be about to be.
    indexes: VecDeque<(Summary, Arc<Index>)>,
    closing: bool,
}

enum Job {
    Index(Summary, Arc<Index>),
    /// Whether the writer waited for it when it began.
    Prepare {
        number: u64,
        asked: bool,
    },
}

impl Keeper {
    pub(crate) fn new(
        folder: Arc<Folder>,
        segment_bytes: u64,
        unused: Vec<Segment>,
        number: u64,
    ) -> Self {
        let state = State {
            ready: unused.into(),
            number,
            ahead: 0,
            wanted: false,
            failure: None,
            indexes: VecDeque::new(),
            closing: false,
        };
        Self { folder, segment_bytes, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Hands out a segment, waiting until it is ready.
    ///
    /// # Errors
    /// Why none can be made now; asking again tries again.
    pub(crate) fn take(&self) -> io::Result<Segment> {
        let mut state = self.state();
        state.failure = None;
        loop {
            if let Some(segment) = state.ready.pop_front() {
                state.wanted = false;
                self.changed.notify_all();
                return Ok(segment);
            }
            if let Some(failure) = state.failure.take() {
                state.wanted = false;
                return Err(failure);
            }
            state.wanted = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says how much of the segment in use is used: the fuller, the more are prepared.
    pub(crate) fn used(&self, bytes: u64, of: u64) {
        let ahead = usize::try_from(bytes * 4 / of.max(1)).unwrap_or(0).min(AHEAD_MAX);
        let mut state = self.state();
        if state.ahead != ahead {
            state.ahead = ahead;
            self.changed.notify_all();
        }
    }

    /// Has an index written some time.
    pub(crate) fn write(&self, summary: Summary, index: Arc<Index>) {
        self.state().indexes.push_back((summary, index));
        self.changed.notify_all();
    }

    /// The index of a full segment, if it is not written yet.
    pub(crate) fn unwritten(&self, number: u64) -> Option<Arc<Index>> {
        let state = self.state();
        let found = state.indexes.iter().find(|(summary, _)| summary.number == number);
        found.map(|(_, index)| index.clone())
    }

    pub(crate) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_all();
    }

    /// The thread. Before it ends it writes the indexes that were asked for.
    pub(crate) fn run(&self) {
        while let Some(job) = self.job() {
            match job {
                Job::Index(summary, index) => {
                    if let Err(error) = index::write(&self.folder, &summary, &index) {
                        tracing::warn!(segment = summary.number, %error, "cannot write the index");
                    }
                    self.state().indexes.pop_front();
                }
                Job::Prepare { number, asked } => self.prepare(number, asked),
            }
        }
    }

    fn job(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            let lacking = state.ready.len() < state.ahead && state.failure.is_none();
            let wanted = state.wanted && state.ready.is_empty();
            if wanted && state.failure.is_none() {
                return Some(Job::Prepare { number: state.number, asked: true });
            }
            if let Some((summary, index)) = state.indexes.front() {
                return Some(Job::Index(summary.clone(), index.clone()));
            }
            if state.closing {
                return None;
            }
            if lacking {
                return Some(Job::Prepare { number: state.number, asked: false });
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn prepare(&self, number: u64, asked: bool) {
        let bytes = segment::size(number, self.segment_bytes);
        let made = Segment::create(&self.folder, number, bytes, &|took| self.pace(took));
        let mut state = self.state();
        match made {
            Ok(segment) => {
                state.ready.push_back(segment);
                state.number += 1;
            }
            // It began before the writer asked: the disk may have healed since, so it is tried again.
            Err(_) if state.wanted && !asked => {}
            Err(error) => state.failure = Some(error),
        }
        self.changed.notify_all();
    }

    /// Leaves the disk to others for as long as it was used, unless the writer waits for this.
    fn pace(&self, took: Duration) -> io::Result<()> {
        let state = self.state();
        if state.wanted {
            return Ok(());
        }
        let pause = took.min(PAUSE_MAX);
        let hurry = |state: &mut State| !state.wanted && !state.closing;
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, hurry)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closing && !state.wanted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
