//! A port error says what to do.

/// What a port answers when it cannot do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Somebody else was first: reload and decide again.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Not now: retry later. After an append, the outcome is unknown.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// What is stored contradicts itself: stop.
    #[error("corrupt: {0}")]
    Corrupt(String),
}
