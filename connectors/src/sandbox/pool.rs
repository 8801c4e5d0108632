//! The threads that functions run on.

use super::fault::Fault;
use super::isolate::Isolate;
use super::journal::Journal;
use super::outside::Way;
use super::queue::{Queue, Task};
use super::{Options, text};
use domain::id::ProjectId;
use lru::LruCache;
use serde_json::Value;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Above what the engine may use: its own frames, and those of the reader of JSON.
const STACK_HEADROOM_BYTES: usize = 1024 * 1024;

/// What threads and callers share.
pub(super) struct Pool {
    pub(super) options: Options,
    journal: Arc<Journal>,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    /// Threads that wait for a call.
    idle: usize,
    /// Threads that there are, without the lost ones.
    threads: usize,
    /// Threads that are in a call that cannot be interrupted.
    lost: usize,
    /// Calls that wait for requests and timers, of each project; their threads do not count.
    resting: HashMap<ProjectId, usize>,
    /// Calls that have ended.
    ended: u64,
    /// How many had at which moment, when a waiting call last looked.
    seen: Option<(u64, Instant)>,
    is_closed: bool,
}

impl Pool {
    pub(super) fn new(options: Options, journal: Arc<Journal>) -> Arc<Self> {
        Arc::new(Self { options, journal, state: Mutex::default(), work: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call in.
    pub(super) fn push(self: &Arc<Self>, task: Task) -> Result<(), Fault> {
        let mut state = self.state();
        if state.is_closed || state.queue.len() >= self.options.queue_max {
            return Err(Fault::Busy);
        }
        state.queue.push(task);
        if state.queue.len() > state.idle && state.threads < self.options.threads {
            self.spawn(&mut state);
        }
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// Adds a thread where calls wait and none has ended for `patience`: the threads are all in
    /// long ones. Where calls end all the time, another thread would only take turns with them.
    pub(super) fn relieve(self: &Arc<Self>, patience: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        let ended = state.ended;
        match state.seen {
            Some((seen, at)) if seen == ended && now.duration_since(at) < patience => {}
            Some((seen, _)) if seen == ended => {
                let is_stuck = state.idle == 0 && state.queue.len() > 0;
                if is_stuck && state.threads < self.options.threads_max {
                    self.spawn(&mut state);
                }
                state.seen = Some((ended, now));
            }
            Some(_) | None => state.seen = Some((ended, now)),
        }
    }

    /// Gives up a thread that did not come back from a call.
    pub(super) fn lose(self: &Arc<Self>) {
        let mut state = self.state();
        state.lost += 1;
        tracing::error!(lost = state.lost, "a function cannot be interrupted; its thread is lost");
        if state.lost <= self.options.lost_max {
            state.threads = state.threads.saturating_sub(1);
        }
    }

    /// Counts the thread of a call out while the call waits for the world, so that another takes its
    /// place; `None`: too many wait already, and it counts on.
    pub(super) fn rest(self: &Arc<Self>, project: ProjectId) -> Option<Resting> {
        let mut state = self.state();
        let all: usize = state.resting.values().sum();
        let own = state.resting.get(&project).copied().unwrap_or_default();
        if all >= self.options.resting_max || own >= self.options.project_resting_max {
            return None;
        }
        state.resting.insert(project, own + 1);
        state.threads = state.threads.saturating_sub(1);
        state.queue.done(&project);
        if state.queue.len() > state.idle && state.threads < self.options.threads {
            self.spawn(&mut state);
        }
        drop(state);
        self.work.notify_one();
        Some(Resting { pool: Arc::clone(self), project })
    }

    /// Lets threads end when they have nothing to do.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.work.notify_all();
    }

    fn spawn(self: &Arc<Self>, state: &mut State) {
        let pool = Arc::clone(self);
        let stack = self.options.limits.stack_bytes_max + STACK_HEADROOM_BYTES;
        let thread = std::thread::Builder::new().name("function".to_owned()).stack_size(stack);
        match thread.spawn(move || pool.run()) {
            Ok(_) => state.threads += 1,
            Err(error) => tracing::error!(%error, "no thread for functions"),
        }
    }

    fn run(self: &Arc<Self>) {
        let size = NonZeroUsize::new(self.options.isolates_max).unwrap_or(NonZeroUsize::MIN);
        let mut isolates = LruCache::new(size);
        let mut is_lost = false;
        while let Some(task) = self.next(&mut isolates, is_lost) {
            let project = task.call.tenant.project;
            let _ = task.ticket.begun.set(Instant::now());
            let ran = match self.journal.enter(task.call.id) {
                Some(_running) => catch_unwind(AssertUnwindSafe(|| {
                    let way = Way { network: task.network.clone(), pool: Arc::clone(self) };
                    run_one(&task, &way, &mut isolates)
                })),
                None => Ok(Err(Fault::Fatal)),
            };
            let result = ran.unwrap_or_else(|_| {
                isolates.pop(&project);
                Err(Fault::Broken)
            });
            // Whoever gave the call up was quicker: `lost` tells that the thread is counted out.
            is_lost = task.ticket.lost.swap(true, Ordering::AcqRel);
            let _ = task.reply.send(result);
            let mut state = self.state();
            state.queue.done(&project);
            state.ended += 1;
        }
    }

    /// The next call; `None`: the thread is not needed any more.
    fn next(&self, isolates: &mut LruCache<ProjectId, Isolate>, is_lost: bool) -> Option<Task> {
        let mut state = self.state();
        if is_lost {
            state.lost -= 1;
            if state.lost < self.options.lost_max {
                state.threads += 1;
            }
        }
        loop {
            if let Some(task) = state.queue.pop(self.options.project_threads_max) {
                return Some(task);
            }
            let is_surplus = state.threads > self.options.threads;
            if state.is_closed {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let idle = Duration::from_millis(self.options.idle_timeout_ms);
            let (woken, waited) =
                self.work.wait_timeout(state, idle).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.queue.len() == 0 {
                if is_surplus {
                    state.threads -= 1;
                    return None;
                }
                isolates.clear();
            }
        }
    }
}

/// A thread that does not count, until this is dropped.
pub(super) struct Resting {
    pool: Arc<Pool>,
    project: ProjectId,
}

impl Drop for Resting {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        match state.resting.get_mut(&self.project) {
            Some(resting) if *resting > 1 => *resting -= 1,
            Some(_) | None => drop(state.resting.remove(&self.project)),
        }
        state.threads += 1;
        state.queue.again(self.project);
    }
}

fn run_one(
    task: &Task,
    way: &Way,
    isolates: &mut LruCache<ProjectId, Isolate>,
) -> Result<Value, Fault> {
    let project = &task.call.tenant.project;
    let limits = &way.pool.options.limits;
    let isolate = isolates
        .try_get_or_insert_mut_ref(project, || Isolate::new(limits))
        .map_err(|_| limits.memory())?;
    let (result, keeps) = isolate.call(&task.call, way, &task.ticket.abandoned);
    if !keeps {
        isolates.pop(project);
    }
    text::value(&result?)
        .map_err(|_| Fault::Failed { message: "the result is nested too deep".to_owned() })
}
