//! The threads that decide, perform and fold.
//!
//! They are not the door's: accepting is cheap and must not wait behind a long decision. The system
//! gives the door the processor first, so that under more load than the machine can work off, what
//! comes in is in the log soon, and is worked off as fast as the rest of the processor allows.

use rustix::process::setpriority_process;
use std::io;
use tokio::runtime::{Builder, Handle, Runtime};

/// How far these threads stand back behind the door's, as `nice` counts.
const NICENESS: i32 = 5;

/// A runtime with threads of its own. Dropped, it is left to end by itself.
pub(crate) struct Work {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Work {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system refuses them.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("work")
            .on_thread_start(stand_back)
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Where to spawn.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever drops it may itself be in a runtime, where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}

/// On Linux a thread has a priority of its own; what it starts inherits it.
fn stand_back() {
    if let Err(error) = setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "work runs at the door's priority");
    }
}
