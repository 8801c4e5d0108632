//! What the node counts of its own work, and whether it can work at all.
//!
//! Labels are words of the domain, never a project or a user: their number is bounded.

use domain::event::{Ending, Event, StepKind, TriggerKind, Verdict};
use ports::{Error, Meter};
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a refused append speaks against the log, if none is tried after it. Who is told that
/// the node is not ready sends it nothing, so that it must look again by itself.
const REFUSAL: Duration = Duration::from_secs(10);

pub(crate) struct Meters {
    started: IntCounterVec,
    finished: IntCounterVec,
    attempts: IntCounterVec,
    webhooks: IntCounterVec,
    unkept: IntCounterVec,
    refusals: IntCounterVec,
    running: IntGauge,
    waiting: IntGauge,
    waiting_by_partition: Mutex<BTreeMap<u16, u64>>,
    held: IntGauge,
    /// Whether each owner holds its partition, or why it could not go on.
    owners: Mutex<BTreeMap<u16, Result<bool, String>>>,
    /// Whether `refused` holds anything, for the many appends that are taken.
    refuses: AtomicBool,
    refused: Mutex<Option<(Instant, String)>>,
}

impl Meters {
    /// # Errors
    /// A metric is declared twice.
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            started: counter(
                "millrace_executions_started_total",
                "Executions begun, by trigger.",
                &["trigger"],
            )?,
            finished: counter(
                "millrace_executions_finished_total",
                "Executions ended, by how.",
                &["ending"],
            )?,
            attempts: counter(
                "millrace_step_attempts_total",
                "Attempts of steps that ended, by kind of step and outcome.",
                &["kind", "outcome"],
            )?,
            webhooks: counter(
                "millrace_webhooks_total",
                "Webhooks recorded, by verdict; a repeat of a delivery is only that.",
                &["verdict"],
            )?,
            unkept: counter(
                "millrace_webhooks_unkept_total",
                "Webhooks refused and not kept, since too many were that minute, by error code.",
                &["code"],
            )?,
            refusals: counter(
                "millrace_http_refusals_total",
                "Requests refused with 429 or 5xx, by error code.",
                &["code"],
            )?,
            running: gauge("millrace_effects_running", "Steps that are being performed.")?,
            waiting: gauge("millrace_effects_waiting", "Steps that wait for their turn.")?,
            waiting_by_partition: Mutex::default(),
            held: gauge("millrace_partitions_held", "Partitions that this node decides for.")?,
            owners: Mutex::default(),
            refuses: AtomicBool::new(false),
            refused: Mutex::default(),
        })
    }

    /// A request was refused.
    pub(crate) fn refusal(&self, code: &str) {
        self.refusals.with_label_values(&[code]).inc();
    }

    /// The log took an append, or did not.
    pub(crate) fn appended(&self, error: Option<&Error>) {
        if let Some(error) = error {
            *held(&self.refused) = Some((Instant::now(), error.to_string()));
            self.refuses.store(true, Ordering::Release);
        } else if self.refuses.swap(false, Ordering::AcqRel) {
            *held(&self.refused) = None;
        }
    }

    /// Whether commands are taken and decided.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let refused = held(&self.refused);
        if let Some((_, reason)) = refused.as_ref().filter(|(at, _)| at.elapsed() < REFUSAL) {
            return Err(format!("the log refuses appends: {reason}"));
        }
        let stopped = |(partition, state): (&u16, &Result<bool, String>)| {
            let reason = state.as_ref().err()?;
            Some(format!("the owner of partition {partition} has stopped: {reason}"))
        };
        held(&self.owners).iter().find_map(stopped).map_or(Ok(()), Err)
    }
}

impl Meter for Meters {
    fn stood(&self, event: &Event) {
        match event {
            Event::ExecutionStarted(e) => {
                self.started.with_label_values(&[trigger(e.trigger)]).inc();
            }
            Event::ExecutionFinished(e) => {
                self.finished.with_label_values(&[ending(e.ending)]).inc();
            }
            Event::StepSucceeded(e) => {
                self.attempts.with_label_values(&[kind(e.kind), "succeeded"]).inc();
            }
            Event::StepFailed(e) => {
                let outcome = match (e.retry_at, e.continued) {
                    (Some(_), _) => "retried",
                    (None, true) => "continued",
                    (None, false) => "failed",
                };
                self.attempts.with_label_values(&[kind(e.kind), outcome]).inc();
            }
            Event::WebhookReceived(e) => {
                let word = if e.repeated { "repeated" } else { verdict(e.verdict) };
                self.webhooks.with_label_values(&[word]).inc();
            }
            _ => {}
        }
    }

    fn performing(&self, change: i64) {
        self.running.add(change);
    }

    fn waiting(&self, partition: u16, count: u64) {
        let mut partitions = held(&self.waiting_by_partition);
        partitions.insert(partition, count);
        self.waiting.set(i64::try_from(partitions.values().sum::<u64>()).unwrap_or(i64::MAX));
    }

    fn owner(&self, partition: u16, holds: Result<bool, &Error>) {
        let (mut owners, now) = (held(&self.owners), holds.map_err(Error::to_string));
        if owners.get(&partition) != Some(&now) {
            owners.insert(partition, now);
            let holding = owners.values().filter(|state| **state == Ok(true)).count();
            self.held.set(i64::try_from(holding).unwrap_or(i64::MAX));
        }
    }

    fn unkept(&self, code: &'static str) {
        self.unkept.with_label_values(&[code]).inc();
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn trigger(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::AppEvent => "app_event",
        TriggerKind::Request => "request",
        TriggerKind::Webhook => "webhook",
        TriggerKind::Schedule => "schedule",
        TriggerKind::IntegrationEnabled => "integration_enabled",
        TriggerKind::Other => "other",
    }
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Succeeded => "succeeded",
        Ending::Failed => "failed",
        Ending::Cancelled => "cancelled",
    }
}

fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Request => "request",
        StepKind::IntegrationRequest => "integration_request",
        StepKind::Function => "function",
        StepKind::Conditional => "conditional",
        StepKind::Delay => "delay",
        StepKind::Response => "response",
        StepKind::FanOut => "fan_out",
        StepKind::Other => "other",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "verified",
        Verdict::Unsigned => "unsigned",
        Verdict::Forged => "forged",
        Verdict::Stale => "stale",
        Verdict::Malformed => "malformed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable(reason: &str) -> Error {
        Error::Unavailable(reason.into())
    }

    #[test]
    fn a_node_is_ready_while_the_log_takes_appends_and_every_owner_works() {
        let meters = Meters::new(&Registry::new()).unwrap();
        assert_eq!(meters.ready(), Ok(()));
        meters.appended(Some(&unavailable("disk full")));
        let said = meters.ready().unwrap_err();
        assert!(said.contains("refuses appends") && said.contains("disk full"), "{said}");
        meters.appended(None);
        assert_eq!(meters.ready(), Ok(()));
        meters.owner(3, Err(&Error::Corrupt("a row does not decode".into())));
        meters.owner(4, Ok(true));
        let said = meters.ready().unwrap_err();
        assert!(said.contains("partition 3") && said.contains("does not decode"), "{said}");
        assert_eq!(meters.held.get(), 1);
        meters.owner(3, Ok(true));
        assert_eq!((meters.ready(), meters.held.get()), (Ok(()), 2));
        meters.owner(3, Ok(false));
        assert_eq!((meters.ready(), meters.held.get()), (Ok(()), 1));
    }

    #[test]
    fn what_waits_is_the_sum_of_the_partitions() {
        let meters = Meters::new(&Registry::new()).unwrap();
        meters.waiting(0, 5);
        meters.waiting(1, 7);
        meters.waiting(0, 2);
        assert_eq!(meters.waiting.get(), 9);
    }
}
