//! Work that would hold up a thread of the runtime.

use ports::Error;
use tokio::runtime::Handle;

/// Runs work on a thread that may block; outside a runtime, where it is.
pub(crate) async fn offload<T, W>(work: W) -> Result<T, Error>
where
    T: Send + 'static,
    W: FnOnce() -> Result<T, Error> + Send + 'static,
{
    let Ok(runtime) = Handle::try_current() else {
        return work();
    };
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::Unavailable(format!("the work was cut off: {error}"))),
    }
}
