//! Who waits for the answer to a command.
//!
//! The door waits here, the owner answers here when a decision stands. An answer for which no
//! one waits is dropped: it is in the log, and a repeat of the command gets it again.

use domain::answer::Answer;
use domain::id::CommandId;
use domain::meta::Meta;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What is waited for: a command, and the body that came with it. Two bodies under one
/// `Idempotency-Key` are one command with two answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Asked {
    /// The command.
    pub command: CommandId,
    /// Hash of the body, where the caller gave an `Idempotency-Key`.
    pub body_hash: Option<i64>,
}

impl Asked {
    /// What the envelope of a command, or of an event decided on it, says.
    pub fn of(meta: &Meta) -> Self {
        Self { command: meta.command_id, body_hash: meta.body_hash }
    }
}

/// Who waits for the answer to a command.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Waiters>>);

type Waiters = BTreeMap<Asked, Vec<Arc<Mutex<Slot>>>>;

#[derive(Default)]
struct Slot {
    /// The run that works on the answer, once it is known.
    started: Option<domain::id::ExecutionId>,
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Answers {
    /// Starts to wait; do so before the command is appended.
    pub fn wait(&self, asked: Asked) -> Waiting {
        let slot = Arc::new(Mutex::new(Slot::default()));
        self.lock().entry(asked).or_default().push(Arc::clone(&slot));
        Waiting { asked, slot, answers: self.clone() }
    }

    /// Tells everyone who waits for the command.
    pub fn tell(&self, asked: Asked, answer: &Answer) {
        for slot in self.lock().remove(&asked).unwrap_or_default() {
            let mut slot = held(&slot);
            slot.answer = Some(answer.clone());
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    /// Notes which run works on the answer, for the message of a time-out.
    pub fn started(&self, asked: Asked, execution: domain::id::ExecutionId) {
        if let Some(slots) = self.lock().get(&asked) {
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
    asked: Asked,
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
        if let Some(slots) = waiters.get_mut(&self.asked) {
            slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
            if slots.is_empty() {
                waiters.remove(&self.asked);
            }
        }
    }
}
