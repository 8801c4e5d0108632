//! What the client knows: its own record of what was accepted and what was refused.

use crate::harness::Answer;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What was sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// An app event.
    Event,
    /// A request that waits for its response.
    Request,
    /// A webhook for a connected account.
    Webhook,
    /// A webhook for an account that no one has connected.
    Unmatched,
    /// A webhook that comes a second time.
    Repeat,
}

impl Kind {
    /// Every kind, with what people call it.
    pub(super) const ALL: [(Kind, &'static str); 5] = [
        (Kind::Event, "app events"),
        (Kind::Request, "requests with response"),
        (Kind::Webhook, "webhooks"),
        (Kind::Unmatched, "webhooks for no one"),
        (Kind::Repeat, "webhooks sent twice"),
    ];

    /// Whether it leads to an execution with a delivery.
    pub(super) fn is_delivered(self) -> bool {
        match self {
            Kind::Event | Kind::Request | Kind::Webhook => true,
            Kind::Unmatched | Kind::Repeat => false,
        }
    }
}

/// One thing that was accepted.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) kind: Kind,
    /// What finds it again in a receiver's journal.
    pub(super) id: String,
    pub(super) sent_at: Instant,
    /// From sending until the answer.
    pub(super) answered_in: Duration,
}

/// The client's record.
#[derive(Default)]
pub(super) struct Tally(Mutex<Record>);

/// What the record holds.
#[derive(Clone, Default)]
pub(super) struct Record {
    pub(super) accepted: Vec<Accepted>,
    /// Which of GitHub's recorded payloads are among them, in the order of the package.
    pub(super) payloads: BTreeSet<usize>,
    /// Refusals that were meant, by what was wrong.
    pub(super) refused: BTreeMap<&'static str, u64>,
    /// Answers that were not meant.
    pub(super) surprises: Vec<String>,
}

impl Tally {
    /// Notes the answer to something that should be accepted.
    pub(super) fn accept(
        &self,
        (kind, id): (Kind, &str),
        sent_at: Instant,
        answer: Result<Answer>,
    ) {
        let answered_in = sent_at.elapsed();
        let mut record = self.lock();
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) => {
                record.accepted.push(Accepted { kind, id: id.to_owned(), sent_at, answered_in });
            }
            Ok(answer) => record.surprises.push(format!("{kind:?} {id}: {}", answer.shown())),
            Err(error) => record.surprises.push(format!("{kind:?} {id}: {error:#}")),
        }
    }

    /// Notes that a recorded payload was sent as this delivery; it counts if that was accepted.
    pub(super) fn recorded(&self, payload: usize, id: &str) {
        let mut record = self.lock();
        if record.accepted.iter().any(|accepted| accepted.id == id) {
            record.payloads.insert(payload);
        }
    }

    /// Notes the answer to something that should be refused, with this status.
    pub(super) fn refuse(&self, why: &'static str, status: u16, answer: Result<Answer>) {
        let mut record = self.lock();
        match answer {
            Ok(answer) if answer.status == status => *record.refused.entry(why).or_default() += 1,
            Ok(answer) => record.surprises.push(format!("{why}: {}", answer.shown())),
            Err(error) => record.surprises.push(format!("{why}: {error:#}")),
        }
    }

    /// How many executions what was accepted must lead to.
    pub(super) fn expected(&self) -> u64 {
        self.lock().accepted.iter().filter(|accepted| accepted.kind.is_delivered()).count() as u64
    }

    /// The record as it is now.
    pub(super) fn record(&self) -> Record {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
