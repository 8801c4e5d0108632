//! How late the node was for what it waited for, by its log: from the moment that something was due
//! until the moment of the record that says it came.

use crate::harness::Node;
use crate::latency::Latencies;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest sleep towards a moment, so that a clock that is set is followed.
const SLEEP_MAX: Duration = Duration::from_millis(500);

/// Something that was due, and when it came; in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    pub(super) due: u64,
    pub(super) came: u64,
}

/// What came of many.
pub(super) struct Lateness {
    pub(super) count: usize,
    late: Latencies,
    /// From when the first was due until the last came.
    took: Duration,
    due_within: Duration,
}

impl Lateness {
    /// # Errors
    /// There are none.
    pub(super) fn of(moments: &[Moment]) -> Result<Self> {
        let first = moments.iter().map(|moment| moment.due).min().context("nothing was due")?;
        let last = moments.iter().map(|moment| moment.came).max().unwrap_or_default();
        let due = moments.iter().map(|moment| moment.due).max().unwrap_or_default();
        let late = |moment: &Moment| Duration::from_millis(moment.came.saturating_sub(moment.due));
        Ok(Self {
            count: moments.len(),
            late: moments.iter().map(late).collect(),
            took: Duration::from_millis(last.saturating_sub(first)),
            due_within: Duration::from_millis(due.saturating_sub(first)),
        })
    }

    pub(super) fn rate(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }

    /// From when the first was due until the last was.
    pub(super) fn due_within(&self) -> Duration {
        self.due_within
    }

    pub(super) fn ms(&self, percent: usize) -> f64 {
        self.late.percentile(percent).as_secs_f64() * 1_000.0
    }
}

/// The delays that are over, by the log of a node that has stopped.
///
/// # Errors
/// The log cannot be read, or one that is over was never due.
pub(super) async fn delays(folder: &Path) -> Result<Vec<Moment>> {
    let is_delay = |event: &Value| event["kind"] == "DELAY";
    let mut due = HashMap::new();
    for (_, event) in grep(folder, "StepReady").await?.into_iter().filter(|(_, e)| is_delay(e)) {
        let at = event["due"].as_u64().context("a delay without an end")?;
        due.insert(event["execution"].as_str().unwrap_or_default().to_owned(), at);
    }
    let over = grep(folder, "StepSucceeded").await?;
    let over = over.into_iter().filter(|(_, event)| is_delay(event)).map(|(came, event)| {
        let due = due.remove(event["execution"].as_str().unwrap_or_default());
        Ok(Moment { due: due.context("a delay that was over twice, or never due")?, came })
    });
    over.collect()
}

/// The moments of schedules that came, by the log of a node that has stopped.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn schedules(folder: &Path) -> Result<Vec<Moment>> {
    let fired = grep(folder, "ScheduleFired").await?;
    let moment = |(came, event): (u64, Value)| {
        Ok(Moment { due: event["due"].as_u64().context("a moment without a time")?, came })
    };
    fired.into_iter().map(moment).collect()
}

/// The events of a type, with the moments of their records.
async fn grep(folder: &Path, kind: &str) -> Result<Vec<(u64, Value)>> {
    let said = Node::run(folder, &["log", "grep", "--json", "--type", kind]).await?;
    let read = |line: &str| {
        let mut line: Value = serde_json::from_str(line)?;
        let at = line["at"].as_u64().context("a record without a time")?;
        match line["body"].take() {
            Value::Object(body) => Ok((at, Value::Object(body))),
            other => bail!("a {kind} without a body: {other}"),
        }
    };
    said.lines().map(read).collect()
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}

/// Waits until a moment, in milliseconds since 1970.
pub(super) async fn until(at_ms: u64) {
    loop {
        let left = Duration::from_millis(at_ms.saturating_sub(now_ms()));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(SLEEP_MAX)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_counts_from_the_first_that_is_due_to_the_last_that_came() {
        let moments: Vec<_> =
            (0..100).map(|n| Moment { due: 1_000 + n, came: 1_101 + 9 * n }).collect();
        let lateness = Lateness::of(&moments).unwrap();
        assert_eq!(lateness.took, Duration::from_millis(101 + 9 * 99));
        assert!((lateness.rate() - 100.0 / 0.992).abs() < 1e-9);
        assert!((lateness.ms(100) - (101.0 + 8.0 * 99.0)).abs() < 1e-9);
        assert!(Lateness::of(&[]).is_err());
    }
}
