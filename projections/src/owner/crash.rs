//! A command that ends the process when it is decided must not do so for ever.
//!
//! A claim that no decision follows may mean that its process died deciding. After one such claim
//! the next command is decided alone; after those of two processes it is set aside.

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Claims remembered.
const CLAIMS_MAX: usize = 16;
/// Processes that may die over one command.
const CRASHES_MAX: usize = 2;

/// Claims since the last decision.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Fruitless(Vec<(String, Timestamp)>);

/// How to go on with the next command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Care {
    /// As ever.
    None,
    /// Alone: perhaps it is the one.
    Alone,
    /// Not at all.
    Park,
}

impl Fruitless {
    /// A process, named by what is its own alone, claimed the partition.
    pub(super) fn claimed(&mut self, process: &str, at: Timestamp) {
        if self.0.len() < CLAIMS_MAX {
            self.0.push((process.to_owned(), at));
        }
    }

    /// Something was decided.
    pub(super) fn decided(&mut self) {
        self.0.clear();
    }

    /// How `process` goes on with a command that was sent then. Claims before it prove nothing,
    /// and nor do those of the process itself, which lives.
    pub(super) fn care(&self, process: &str, sent_at: Timestamp) -> Care {
        let died = self.0.iter().filter(|(name, at)| name != process && *at > sent_at);
        let mut died: Vec<&str> = died.map(|(name, _)| name.as_str()).collect();
        died.sort_unstable();
        died.dedup();
        match died.len() {
            0 => Care::None,
            crashes if crashes < CRASHES_MAX => Care::Alone,
            _ => Care::Park,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_processes_that_died_with_the_command_waiting_count() {
        let mut claims = Fruitless::default();
        claims.claimed("early", Timestamp(5));
        claims.claimed("a", Timestamp(11));
        claims.claimed("a", Timestamp(12));
        claims.claimed("me", Timestamp(13));
        assert_eq!(claims.care("me", Timestamp(20)), Care::None);
        assert_eq!(claims.care("me", Timestamp(10)), Care::Alone);
        claims.claimed("b", Timestamp(14));
        assert_eq!(claims.care("me", Timestamp(10)), Care::Park);
        claims.decided();
        assert_eq!(claims.care("me", Timestamp(10)), Care::None);
    }
}
