//! JavaScript functions: on threads of their own, with nothing to reach and everything bounded.
//!
//! A function sees its parameters, the language's built-in objects, the clock and chance, and what
//! `connectors/libraries` gives: libraries, each loaded when the function asks for it, and requests
//! through the egress guard. There are no files; `console` takes everything and keeps nothing.
//! While a call waits for an answer or a timer, its thread does not count; its time goes on.
//!
//! What bounds it: time it runs (not time it waits), memory, stack, size of its result. The engine
//! looks at the time every few thousand operations, within regular expressions too. Some built-in
//! functions do not let it look (`Array.prototype.reverse` of an object that claims a length of
//! 2^53): such a call is given up, its thread is replaced, and its project has one thread less for
//! as long as it lasts.

mod alarm;
mod fault;
mod host;
mod isolate;
mod journal;
mod libraries;
mod outcome;
mod outside;
mod pool;
mod queue;
mod realm;
mod text;

pub use fault::Fault;
pub use journal::Journal;

use crate::http::Client;
use domain::id::ProjectId;
use outside::Network;
use pool::Pool;
use queue::{Task, Ticket};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

/// How long a call waits before it looks whether its threads need help.
const PATIENCE: Duration = Duration::from_millis(20);

/// What functions may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Threads that stay.
    pub threads: usize,
    /// Threads while calls take long, so that short ones get by.
    pub threads_max: usize,
    /// Threads of one project.
    pub project_threads_max: usize,
    /// Threads that are replaced when a call does not come back.
    pub lost_max: usize,
    /// Calls that wait for requests and timers without their threads counting; more count.
    pub resting_max: usize,
    /// The same, of one project.
    pub project_resting_max: usize,
    /// How much longer than its time a call may take before its thread counts as lost, in
    /// milliseconds.
    pub grace_ms: u64,
    /// Calls that wait.
    pub queue_max: usize,
    /// When a call that got no thread is refused, in milliseconds.
    pub queue_timeout_ms: u64,
    /// Projects whose engine a thread keeps.
    pub isolates_max: usize,
    /// When an idle thread lets go of them, in milliseconds.
    pub idle_timeout_ms: u64,
    /// What one call may use.
    pub limits: Limits,
}

/// What one call may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory_bytes_max: usize,
    /// Stack, in bytes.
    pub stack_bytes_max: usize,
}

impl Limits {
    fn memory(&self) -> Fault {
        Fault::Memory { memory_bytes_max: self.memory_bytes_max }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: 2,
            threads_max: 16,
            project_threads_max: 4,
            lost_max: 16,
            resting_max: 48,
            project_resting_max: 8,
            grace_ms: 2000,
            queue_max: 4096,
            queue_timeout_ms: 60_000,
            isolates_max: 32,
            idle_timeout_ms: 30_000,
            limits: Limits { memory_bytes_max: 256 * 1024 * 1024, stack_bytes_max: 512 * 1024 },
        }
    }
}

/// Who calls. Tenants take turns. Two projects never share an engine; the users of one, who run its
/// own code, share one in which no call sees another (see `Isolate`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tenant {
    /// The project.
    pub project: ProjectId,
    /// The user.
    pub user: String,
}

/// A call of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Names the step: the same for every attempt of it.
    pub id: Uuid,
    /// Who calls.
    pub tenant: Tenant,
    /// JavaScript that defines `yourFunction` or sets `module.exports`.
    pub code: String,
    /// `parameters`, as JSON.
    pub parameters: String,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u32,
    /// Largest result, in bytes of JSON.
    pub output_bytes_max: u64,
    /// How many runs, each started by the one before it, it is the work of.
    pub runs: u8,
}

/// Runs functions. Its threads start when they are needed and end with it.
pub struct Sandbox {
    pool: Arc<Pool>,
    client: Option<Client>,
}

impl Sandbox {
    /// A sandbox without any thread yet.
    pub fn new(options: Options) -> Self {
        Self::noting(options, Arc::default())
    }

    /// The same, noting in the journal what runs.
    pub fn noting(options: Options, journal: Arc<Journal>) -> Self {
        Self { pool: Pool::new(options, journal), client: None }
    }

    /// The same, with functions that send requests by the client.
    #[must_use]
    pub fn sending(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Calls the function and waits for its result. A caller that stops waiting stops the function.
    ///
    /// # Errors
    /// It failed, broke a bound, or found no room.
    pub async fn call(&self, call: Call) -> Result<Value, Fault> {
        let ticket = Arc::new(Ticket::default());
        let _waiting = Waiting(Arc::clone(&ticket.abandoned));
        let timeout_ms = call.timeout_ms;
        let (reply, mut answer) = oneshot::channel();
        let network = self.client.clone();
        let network = network.map(|client| Network { client, handle: Handle::current() });
        self.pool.push(Task { call, ticket: Arc::clone(&ticket), network, reply })?;
        let asked = Instant::now();
        loop {
            match tokio::time::timeout(PATIENCE, &mut answer).await {
                Ok(Ok(result)) => return result,
                Ok(Err(_)) => return Err(Fault::Broken),
                Err(_) => self.look_after(&ticket, asked, timeout_ms)?,
            }
        }
    }

    /// Whether it is worth waiting on.
    fn look_after(&self, ticket: &Ticket, asked: Instant, timeout_ms: u32) -> Result<(), Fault> {
        let Some(begun) = ticket.begun.get() else {
            self.pool.relieve(PATIENCE);
            let patience = Duration::from_millis(self.pool.options.queue_timeout_ms);
            return match asked.elapsed() > patience {
                true => Err(Fault::Busy),
                false => Ok(()),
            };
        };
        let time_ms = u64::from(timeout_ms).saturating_add(self.pool.options.grace_ms);
        let is_late = begun.elapsed() > Duration::from_millis(time_ms);
        if is_late && !ticket.lost.swap(true, Ordering::AcqRel) {
            self.pool.lose();
            return Err(Fault::Timeout { timeout_ms });
        }
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("options", &self.pool.options).finish_non_exhaustive()
    }
}

/// Says so when nobody waits any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
