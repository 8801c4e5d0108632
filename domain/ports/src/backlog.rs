//! How much of each tenant's is in the log and not decided yet.
//!
//! The door asks before it takes in more, so that a flood does not stand in front of others in the
//! log. It counts what this process took in and decided; what it forgets when it ends only lets
//! more in. No decision depends on it.

use domain::key::Key;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// Locks that tenants are spread over.
const SHARDS: usize = 64;
/// Commands that every tenant may have waiting. One slow moment of an owner with little to do makes
/// its pace look bad, which says nothing about a tenant that has sent this little.
pub const WAITING_MIN: u32 = 256;
/// How much of the pace is what it was before the last batch.
const INERTIA: f64 = 0.9;

/// How much of each tenant's is in the log and not decided yet.
#[derive(Clone, Default)]
pub struct Backlog(Arc<Shared>);

struct Shared {
    /// Commands by the hash of their key. Who has none is not in it.
    waiting: Vec<Mutex<HashMap<u64, u32>>>,
    pace: Mutex<Pace>,
}

impl Default for Shared {
    fn default() -> Self {
        let waiting = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { waiting, pace: Mutex::default() }
    }
}

/// What owners decided lately, and how long that took.
#[derive(Default)]
struct Pace {
    commands: f64,
    took_ms: f64,
}

/// A command's place in the backlog. Unless it is kept, dropping it gives it back.
pub struct Place {
    backlog: Backlog,
    tenant: u64,
    is_kept: bool,
}

impl Backlog {
    /// Takes a place for one more command of the key; or says how long, in milliseconds, owners
    /// will work on those that the key already has, if that is more than `ms_max` and there are at
    /// least [`WAITING_MIN`] of them.
    pub fn enter(&self, key: &Key, ms_max: u64) -> Result<Place, u64> {
        let tenant = hash(&key.name());
        let command_ms = self.command_ms();
        let mut waiting = self.shard(tenant);
        let count = waiting.entry(tenant).or_default();
        let lag_ms = (f64::from(*count) * command_ms) as u64;
        if *count >= WAITING_MIN && lag_ms > ms_max {
            return Err(lag_ms);
        }
        *count += 1;
        drop(waiting);
        Ok(Place { backlog: self.clone(), tenant, is_kept: false })
    }

    /// An owner decided commands of these keys, which took it so long.
    pub fn decided<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        (took_ms, count): (i64, usize),
    ) {
        for name in names {
            self.leave(hash(name));
        }
        let mut pace = held(&self.0.pace);
        pace.commands = pace.commands * INERTIA + count as f64;
        pace.took_ms = pace.took_ms * INERTIA + took_ms.max(0) as f64;
    }

    /// How long an owner takes for a command, in milliseconds.
    fn command_ms(&self) -> f64 {
        let pace = held(&self.0.pace);
        if pace.commands > 0.0 { pace.took_ms / pace.commands } else { 0.0 }
    }

    /// The number of tenants that have something waiting.
    pub fn len(&self) -> usize {
        self.0.waiting.iter().map(|shard| held(shard).len()).sum()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn leave(&self, tenant: u64) {
        let mut waiting = self.shard(tenant);
        if let Some(count) = waiting.get_mut(&tenant) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&tenant);
            }
        }
    }

    fn shard(&self, tenant: u64) -> MutexGuard<'_, HashMap<u64, u32>> {
        held(&self.0.waiting[tenant as usize % SHARDS])
    }
}

impl Place {
    /// The command is in the log.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_kept {
            self.backlog.leave(self.tenant);
        }
    }
}

fn hash(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while a lock is held; a poisoned one is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::ProjectId;
    use uuid::Uuid;

    fn user(name: &str) -> Key {
        Key::User(ProjectId(Uuid::from_u128(1)), name.into())
    }

    fn enter(backlog: &Backlog, name: &str) -> Result<(), u64> {
        backlog.enter(&user(name), 100).map(Place::keep)
    }

    #[test]
    fn who_has_too_much_waiting_is_told_and_no_one_else() {
        let backlog = Backlog::default();
        (0..500).for_each(|_| assert_eq!(enter(&backlog, "loud"), Ok(())));
        // 10 ms a command.
        backlog.decided(std::iter::empty(), (200, 20));
        assert_eq!(enter(&backlog, "loud"), Err(5_000));
        assert_eq!(enter(&backlog, "quiet"), Ok(()));
        let name = user("loud").name();
        backlog.decided((0..400).map(|_| name.as_str()), (4_000, 400));
        assert_eq!(enter(&backlog, "loud"), Ok(()));
    }

    #[test]
    fn a_slow_moment_is_not_held_against_who_sent_little() {
        let backlog = Backlog::default();
        // One command that took a second, as when the disk hangs.
        backlog.decided(std::iter::empty(), (1_000, 1));
        (0..WAITING_MIN).for_each(|_| assert_eq!(enter(&backlog, "u"), Ok(())));
        assert_eq!(enter(&backlog, "u"), Err(256_000));
    }

    #[test]
    fn a_place_that_is_not_kept_is_given_back() {
        let backlog = Backlog::default();
        drop(backlog.enter(&user("u"), 100));
        assert!(backlog.is_empty());
        // What was taken in by a process before this one is not counted.
        backlog.decided([user("u").name().as_str()].into_iter(), (1, 1));
        assert!(backlog.is_empty());
    }
}
