//! Why there is no token.

use crate::http;

/// Why there is no token. What it says may be shown to the people whose request it was.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// The token endpoint did not answer.
    #[error("there is no token: {0}")]
    Unreached(#[from] http::Error),
    /// It gave none.
    #[error("there is no token: {host} answered with status {status}{reason}")]
    Answered {
        /// The host of the token endpoint.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What else it said (RFC 6749, 5.2), after `: `; or nothing.
        reason: String,
        /// Its own word on when to come back, in milliseconds.
        retry_after_ms: Option<i64>,
    },
    /// What it gave cannot be used.
    #[error("there is no token: what the token endpoint answered is no bearer token")]
    Unusable,
}

impl Refused {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::Unreached(error) => error.code(),
            Refused::Answered { .. } | Refused::Unusable => "TOKEN_REFUSED",
        }
    }

    /// Whether the same could fare better later: a client that is not known or not allowed stays so.
    pub fn is_retryable(&self) -> bool {
        match self {
            Refused::Unreached(error) => error.is_retryable(),
            Refused::Answered { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            Refused::Unusable => false,
        }
    }

    /// When to come back, in milliseconds.
    pub fn retry_after_ms(&self) -> Option<i64> {
        match self {
            Refused::Answered { retry_after_ms, .. } => *retry_after_ms,
            Refused::Unreached(_) | Refused::Unusable => None,
        }
    }
}
