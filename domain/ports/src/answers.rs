//! Who waits for the answer to a command.
//!
//! The door waits here, the owner answers here when a decision stands. An answer for which no
//! one waits is dropped: it is in the log, and a repeat of the command gets it again.

use domain::answer::Answer;
use domain::id::CommandId;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Who waits for the answer to a command.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Waiters>>);

type Waiters = BTreeMap<CommandId, Vec<Arc<Mutex<Slot>>>>;

#[derive(Default)]
struct Slot {
    /// The run that works on the answer, once it is known.
    started: Option<domain::id::ExecutionId>,
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Answers {
    /// Starts to wait; do so before the command is appended.
    pub fn wait(&self, id: CommandId) -> Waiting {
        let slot = Arc::new(Mutex::new(Slot::default()));
        self.lock().entry(id).or_default().push(Arc::clone(&slot));
        Waiting { id, slot, answers: self.clone() }
    }

    /// Tells everyone who waits for the command.
    pub fn tell(&self, id: CommandId, answer: &Answer) {
        for slot in self.lock().remove(&id).unwrap_or_default() {
            let mut slot = held(&slot);
            slot.answer = Some(answer.clone());
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    /// Notes which run works on the answer, for the message of a time-out.
    pub fn started(&self, id: CommandId, execution: domain::id::ExecutionId) {
        if let Some(slots) = self.lock().get(&id) {
            for slot in slots {
                held(slot).started = Some(execution);
            }
        }
    }

    /// The number of commands that somebody waits for.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no one waits.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        held(&self.0)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held; a poisoned one is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A wait for one answer; dropping it ends the wait.
pub struct Waiting {
    id: CommandId,
    slot: Arc<Mutex<Slot>>,
    answers: Answers,
}

impl Waiting {
    /// The run that works on the answer, as far as it is known.
    pub fn started(&self) -> Option<domain::id::ExecutionId> {
        held(&self.slot).started
    }
}

impl Future for Waiting {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut slot = held(&self.slot);
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiters = self.answers.lock();
        if let Some(slots) = waiters.get_mut(&self.id) {
            slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
            if slots.is_empty() {
                waiters.remove(&self.id);
            }
        }
    }
}
