//! Everything that consumes the log: the owner, queues, history.
