//! What a fault did, for people and for machines.

use super::errors::Seen;
use super::kind::{Course, Fault};
use crate::load::Count;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A fault, and what came of it.
pub(super) struct Outcome {
    pub(super) fault: Fault,
    pub(super) course: Course,
    /// From mending until every node served every user.
    pub(super) healed: Duration,
    pub(super) seen: Seen,
    pub(super) count: Count,
}

impl Outcome {
    /// Whether everything that must be nought is, and callers saw nothing but what they may.
    pub(super) fn is_good(&self) -> bool {
        self.count.is_clean() && self.fault.surprises(&self.seen).is_empty()
    }

    /// From the first to the last error that a caller saw.
    fn span(&self) -> Duration {
        self.seen.span.map(|(first, last)| last.duration_since(first)).unwrap_or_default()
    }

    /// The outcome as JSON. Times are in milliseconds.
    pub(super) fn json(&self) -> Value {
        let since = |at: Instant| {
            let after = at.saturating_duration_since(self.course.struck_at);
            ms(after) - ms(self.course.struck_at.saturating_duration_since(at))
        };
        let errors: Vec<Value> = self
            .seen
            .counts
            .iter()
            .map(|(class, count)| json!({ "error": class.to_string(), "count": count }))
            .collect();
        json!({
            "fault": self.fault.name(),
            "brokers_and_nodes": format!("{:?}, {} nodes", self.fault.ground(), self.fault.nodes()),
            "acknowledged": self.count.acknowledged,
            "lost": self.count.lost(),
            "unfinished": self.count.unfinished(),
            "recorded_twice": self.count.recorded_twice(),
            "moments": self.count.of_log("moments"),
            "moments_missed": self.count.of_log("moments_missed"),
            "moments_let_go": self.count.of_log("moments_let_go"),
            "paused": self.count.of_log("paused"),
            "replayed": self.count.of_log("replayed"),
            "joins": self.count.of_log("joins"),
            "amiss": self.count.amiss(),
            "rows": self.count.rows,
            "rows_differing": self.count.differing,
            "void_events": self.count.of_log("void_events"),
            "errors": errors,
            "errors_first_ms": self.seen.span.map(|(first, _)| since(first)),
            "errors_span_ms": ms(self.span()),
            "acknowledged_after_max_ms": ms(self.seen.waited_max),
            "fault_ms": since(self.course.mended_at),
            "elsewhere_ms": self.course.elsewhere.map(ms),
            "healed_ms": ms(self.healed),
            "surprises": self.fault.surprises(&self.seen),
            "good": self.is_good(),
        })
    }

    /// Prints what is behind a bad outcome.
    pub(super) fn print_findings(&self) {
        self.count.print_findings();
        for surprise in self.fault.surprises(&self.seen) {
            println!("{}: {surprise}", self.fault.name());
        }
    }

    /// Prints it as a line of the table, and the errors below it.
    pub(super) fn print(&self) {
        let seconds = |duration: Duration| format!("{:.1} s", duration.as_secs_f64());
        println!(
            "{:<18} {:>6} {:>5} {:>10} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}  {}",
            self.fault.name(),
            self.count.acknowledged,
            self.count.lost(),
            self.count.unfinished(),
            self.count.recorded_twice(),
            self.count.differing,
            seconds(self.span()),
            seconds(self.seen.waited_max),
            self.course.elsewhere.map_or("-".to_owned(), seconds),
            seconds(self.healed),
            if self.is_good() { "" } else { "NOT GOOD" },
        );
        let errors: Vec<String> =
            self.seen.counts.iter().map(|(class, count)| format!("{count} {class}")).collect();
        println!(
            "{:<18} {}",
            "",
            if errors.is_empty() { "no errors".into() } else { errors.join(", ") }
        );
    }

    /// Prints what the columns are.
    pub(super) fn print_head() {
        println!(
            "\n{:<18} {:>6} {:>5} {:>10} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "fault",
            "acked",
            "lost",
            "unfinished",
            "twice",
            "differing",
            "errors",
            "longest",
            "elsewhere",
            "healed"
        );
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
