//! The way out: HTTP through the egress guard, and the function sandbox.
