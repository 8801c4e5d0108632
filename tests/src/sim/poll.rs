//! Futures without a runtime.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// The value of a future that never pends, as those of the models.
///
/// # Panics
/// The future pends: it waits for something that no model makes it wait for.
#[allow(clippy::panic)] // A simulation that hangs would say less.
pub(super) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a model pended"),
    }
}

/// The value of a future, if it has one already.
pub(super) fn ready<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
