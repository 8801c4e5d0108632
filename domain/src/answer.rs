//! What a caller is told about a command, read from the events that stand.

use crate::event::Event;
use crate::id::{CredentialId, ExecutionId};
use crate::payload::Payload;
use serde::{Deserialize, Serialize};

/// What a caller is told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It is done; there is nothing more to say.
    Done,
    /// It started this run; with a response step, the answer proper follows.
    Started {
        /// The run.
        execution: ExecutionId,
    },
    /// The run's own answer.
    Responded {
        /// HTTP status.
        status: i32,
        /// `Content-Type` of the body.
        content_type: String,
        /// The body.
        sealed: Payload,
    },
    /// The account is connected.
    Connected {
        /// The connected account.
        credential: CredentialId,
    },
    /// It was refused.
    Rejected {
        /// A public error code.
        code: String,
        /// Why, for people.
        reason: String,
    },
}

/// The answer that a decision gives at once. `None`: a caller has to wait for [`Answer::Responded`].
pub fn of(events: &[Event]) -> Option<Answer> {
    let mut answer = Answer::Done;
    for event in events {
        match event {
            Event::CommandRejected(e) => {
                return Some(Answer::Rejected { code: e.code.clone(), reason: e.reason.clone() });
            }
            Event::CredentialConnected(e) => {
                answer = Answer::Connected { credential: e.credential };
            }
            Event::ExecutionStarted(e) if e.wants_response => return responded(events),
            Event::ExecutionStarted(e) => answer = Answer::Started { execution: e.execution },
            _ => {}
        }
    }
    Some(answer)
}

/// The run's own answer, if it is among the events. A run that ends without one answers so.
pub fn responded(events: &[Event]) -> Option<Answer> {
    events.iter().find_map(|event| match event {
        Event::Responded(e) => Some(Answer::Responded {
            status: e.status,
            content_type: e.content_type.clone(),
            sealed: e.sealed.clone(),
        }),
        Event::ExecutionFinished(e) => Some(unanswered(&e.code)),
        _ => None,
    })
}

/// The answer of a run that ended before its response step.
pub fn unanswered(code: &str) -> Answer {
    Answer::Rejected {
        code: "EXECUTION_WITHOUT_RESPONSE".to_owned(),
        reason: format!(
            "The workflow ended before its response step ({}).",
            if code.is_empty() { "no step responded" } else { code }
        ),
    }
}
