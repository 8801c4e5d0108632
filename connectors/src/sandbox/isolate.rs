//! The engine of one project on one thread.

use super::alarm::Alarm;
use super::fault::Fault;
use super::outside::{Outside, Way};
use super::realm::Realm;
use super::{Call, Limits};
use lru::LruCache;
use rquickjs::Runtime;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Making the shared realm costs about as much as this many realms that are used once.
const CALLS_BEFORE_SHARED: u32 = 16;
const REFUSED_MAX: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// A shorter call with small values cannot leave much behind.
const SHORT: Duration = Duration::from_millis(5);
const SMALL_BYTES: usize = 256 * 1024;
const KEPT_BYTES_MAX: i64 = 8 * 1024 * 1024;

/// The engine of one project on one thread. Projects never meet in one: each runs code of its own.
///
/// # One call does not see another
///
/// The first calls each get a realm of their own, thrown away afterwards. A project that goes on
/// calling gets a shared realm: strict, with everything built-in frozen, and with the functions
/// compiled once; their top-level variables are made anew for each call, and what a call left on
/// the global object is removed. What throws in there is called again in a realm of its own, since
/// it may have thrown because of the freezing: in there a function acts on nothing outside, so this
/// shows in the time only. One that fares better that way stays out of the shared realm, and so does
/// one that would notice being strict without throwing, or that asks for a library or anything else
/// of the host: those are in realms of their own only.
pub(super) struct Isolate {
    shared: Option<Realm>,
    runtime: Runtime,
    alarm: Rc<Alarm>,
    calls: u32,
    /// Functions that the shared realm is too strict for.
    refused: LruCache<u128, ()>,
}

impl Isolate {
    /// An engine within the limits.
    pub(super) fn new(limits: &Limits) -> rquickjs::Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(limits.memory_bytes_max);
        runtime.set_max_stack_size(limits.stack_bytes_max);
        let alarm = Rc::new(Alarm::default());
        let handler = Rc::clone(&alarm);
        runtime.set_interrupt_handler(Some(Box::new(move || handler.rings())));
        let refused = LruCache::new(REFUSED_MAX);
        Ok(Self { shared: None, runtime, alarm, calls: 0, refused })
    }

    /// Calls the function; the answer is JSON. `false` beside it: this engine must not be used
    /// again.
    pub(super) fn call(
        &mut self,
        call: &Call,
        way: &Way,
        abandoned: &Arc<AtomicBool>,
    ) -> (Result<String, Fault>, bool) {
        let begun = Instant::now();
        let time = Duration::from_millis(u64::from(call.timeout_ms));
        self.alarm.set(begun + time, abandoned);
        let result = self.run(call, way);
        let in_order = result.as_ref().err().is_none_or(Fault::leaves_order);
        let keeps = in_order && !self.runtime.is_job_pending() && self.sweep();
        self.alarm.clear();
        let size = call.parameters.len() + result.as_ref().map_or(0, String::len);
        let is_light = begun.elapsed() < SHORT && size < SMALL_BYTES;
        (result, keeps && (is_light || self.lightened()))
    }

    fn run(&mut self, call: &Call, way: &Way) -> Result<String, Fault> {
        self.calls = self.calls.saturating_add(1);
        let key = xxhash_rust::xxh3::xxh3_128(call.code.as_bytes());
        let may_share = self.calls > CALLS_BEFORE_SHARED
            && !notices_strict(&call.code)
            && !self.refused.contains(&key);
        if !may_share {
            return self.run_alone(call, way);
        }
        let result = self.run_shared(call, &way.pool.options.limits);
        let needs_own = self.shared.as_ref().is_some_and(Realm::needs_own);
        if needs_own {
            self.refused.put(key, ());
        }
        match result {
            Err(Fault::Failed { .. }) => {
                let result = self.run_alone(call, way);
                if result.is_ok() {
                    self.refused.put(key, ());
                }
                result
            }
            _ if needs_own => self.run_alone(call, way),
            result => result,
        }
    }

    fn run_alone(&self, call: &Call, way: &Way) -> Result<String, Fault> {
        let limits = &way.pool.options.limits;
        let outside = Rc::new(Outside::new(way, call));
        Realm::own(&self.runtime, outside, limits)?.call(call, limits, &self.alarm)
    }

    fn run_shared(&mut self, call: &Call, limits: &Limits) -> Result<String, Fault> {
        let realm = match self.shared.take() {
            Some(realm) => realm,
            None => Realm::shared(&self.runtime, limits)?,
        };
        self.shared.insert(realm).call(call, limits, &self.alarm)
    }

    /// Whether the shared realm, if there is one, is as it was.
    fn sweep(&mut self) -> bool {
        if self.shared.as_ref().is_some_and(|realm| !realm.sweep()) {
            self.shared = None;
        }
        true
    }

    /// Whether little enough is left after collecting.
    fn lightened(&self) -> bool {
        self.runtime.run_gc();
        self.runtime.memory_usage().malloc_size < KEPT_BYTES_MAX
    }
}

/// Whether the code may do something else in strict mode without throwing: there, a plain call has
/// no `this`, and `arguments` does not follow the parameters. Everything else that differs throws.
/// In doubt it may; lines of comment, which like the word, are left out.
fn notices_strict(code: &str) -> bool {
    // Inside a template literal such a line is text, and code where it has `${`.
    let is_comment = |line: &str| line.trim_start().starts_with("//") && !line.contains("${");
    let tells = |line: &str| line.contains("this") || line.contains("arguments");
    code.lines().any(|line| tells(line) && !is_comment(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_notices_being_strict() {
        assert!(!notices_strict("// this maps issues\nfunction yourFunction({ a }) { return a }"));
        for code in [
            "return this",
            "f(arguments)",
            "const u = 'http://x'; return this.a",
            "`\n// ${this.a}`",
        ] {
            assert!(notices_strict(code), "{code}");
        }
    }
}
