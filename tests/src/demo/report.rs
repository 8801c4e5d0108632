//! The account: the client's record beside the Task History, the inbox and the receivers' journals.

use super::Stage;
use super::inbox::{Counts, Inbox};
use super::tally::{Kind, Record, Tally};
use crate::github::EXAMPLES;
use crate::latency::{Latencies, shown_ms};
use crate::project::API_KEY;
use crate::receiver::Arrival;
use anyhow::Result;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Problems that are shown.
const SHOWN_MAX: usize = 10;

/// What each side says.
pub(super) struct Report {
    record: Record,
    succeeded: u64,
    failed: u64,
    unfinished: u64,
    journal: Journal,
    inbox: Inbox,
    /// Recorded payloads that must have been accepted.
    payloads: usize,
}

/// What the receivers saw.
#[derive(Default)]
struct Journal {
    /// When each id came first.
    came: HashMap<String, Instant>,
    /// Under which effect keys each id was taken.
    taken: HashMap<String, Vec<String>>,
    requests: u64,
    /// Attempts that a receiver answered with an error.
    failed: u64,
    /// Attempts at an effect that had been tried before.
    retried: u64,
}

impl Journal {
    fn add(&mut self, arrivals: &[Arrival]) {
        let mut tried: HashMap<&str, u64> = HashMap::new();
        for arrival in arrivals {
            self.requests += 1;
            self.came.entry(arrival.id.clone()).or_insert(arrival.at);
            let times = tried.entry(&arrival.key).or_default();
            self.retried += u64::from(*times > 0);
            *times += 1;
            if arrival.status != 200 {
                self.failed += 1;
                continue;
            }
            let keys = self.taken.entry(arrival.id.clone()).or_default();
            if !keys.contains(&arrival.key) {
                keys.push(arrival.key.clone());
            }
        }
    }
}

impl Report {
    /// Asks every side.
    pub(super) async fn take(stage: &Stage, tally: &Tally) -> Result<Self> {
        let mut journal = Journal::default();
        for receiver in [&stage.warehouse, &stage.tracker] {
            receiver.journal(|arrivals| journal.add(arrivals));
        }
        let api = &stage.api;
        let unfinished = api.executions(API_KEY, "EXECUTING").await?
            + api.executions(API_KEY, "DELAYED").await?;
        Ok(Self {
            record: tally.record(),
            succeeded: api.executions(API_KEY, "SUCCEEDED").await?,
            failed: api.executions(API_KEY, "FAILED").await?,
            unfinished,
            journal,
            inbox: Inbox::read(api, &stage.admin_key).await?,
            payloads: stage.payloads,
        })
    }

    /// Whether everything that was accepted is accounted for, and nothing else happened.
    pub(super) fn is_whole(&self) -> bool {
        self.problems().is_empty()
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = self.record.surprises.clone();
        let expected = self.delivered().count() as u64;
        if (self.succeeded, self.failed, self.unfinished) != (expected, 0, 0) {
            problems.push(format!(
                "{expected} executions expected; {} succeeded, {} failed, {} not finished",
                self.succeeded, self.failed, self.unfinished
            ));
        }
        for (kind, id) in self.delivered() {
            let keys = self.journal.taken.get(id).map_or(0, Vec::len);
            if keys != 1 {
                problems.push(format!("{kind:?} {id}: delivered under {keys} keys"));
            }
        }
        let missing = (0..self.payloads).filter(|n| !self.record.payloads.contains(n)).count();
        if missing > 0 {
            let all = self.payloads;
            problems.push(format!("{missing} of {all} recorded payloads were not accepted"));
        }
        problems.extend(self.inbox.problems(&self.record));
        let ids = self.journal.taken.len() as u64;
        if ids != expected && problems.is_empty() {
            problems.push(format!("{expected} deliveries expected, {ids} came"));
        }
        problems
    }

    /// What must have been delivered.
    fn delivered(&self) -> impl Iterator<Item = (Kind, &String)> {
        let accepted = self.record.accepted.iter().filter(|a| a.kind.is_delivered());
        accepted.map(|accepted| (accepted.kind, &accepted.id))
    }

    /// Prints the table.
    pub(super) fn print(&self, took: Duration) {
        let answered = |kind: Kind| -> Latencies {
            let of_kind = self.record.accepted.iter().filter(|a| a.kind == kind);
            of_kind.map(|a| a.answered_in).collect()
        };
        let arrived = |kind: Kind| -> Latencies {
            let of_kind = self.record.accepted.iter().filter(|a| a.kind == kind);
            let came =
                |a: &super::tally::Accepted| Some((*self.journal.came.get(&a.id)?, a.sent_at));
            of_kind.filter_map(came).map(|(came, sent)| came.duration_since(sent)).collect()
        };
        println!(
            "\n{:<24} {:>8} {:>10} {:>10} {:>10} {:>10}",
            "", "accepted", "ack p50", "ack p99", "there p50", "there p99"
        );
        for (kind, name) in Kind::ALL {
            let (acks, ways) = (answered(kind), arrived(kind));
            let way = |percent| match kind.is_delivered() {
                true => shown_ms(ways.percentile(percent)),
                false => "-".to_owned(),
            };
            println!(
                "{name:<24} {:>8} {:>10} {:>10} {:>10} {:>10}",
                acks.len(),
                shown_ms(acks.percentile(50)),
                shown_ms(acks.percentile(99)),
                way(50),
                way(99)
            );
        }
        let refused: u64 = self.record.refused.values().sum();
        let why: Vec<String> =
            self.record.refused.iter().map(|(why, count)| format!("{count} {why}")).collect();
        println!("\n{:<24} {:>8}", "accepted", self.record.accepted.len());
        println!("{:<24} {:>8}  (executions that ended)", "executed", self.succeeded + self.failed);
        let requests = self.journal.requests;
        println!("{:<24} {:>8}  ({requests} requests)", "delivered", self.journal.taken.len());
        let failed = self.journal.failed;
        println!("{:<24} {:>8}  ({failed} answered 500 or 503)", "retried", self.journal.retried);
        println!("{:<24} {:>8}  ({})", "refused", refused, why.join(", "));
        let Counts { matched, unmatched, repeated, refused } = self.inbox.counts();
        println!(
            "{:<24} {:>8}  ({unmatched} for no one, {repeated} repeated, {refused} refused)",
            "webhooks in the inbox",
            matched + unmatched + repeated + refused
        );
        let recorded = self.record.payloads.len();
        println!("{:<24} {recorded:>8}  (of {EXAMPLES})", "recorded payloads");
        println!("{:<24} {:>7.1}s", "took", took.as_secs_f64());
        let problems = self.problems();
        if problems.is_empty() {
            println!("\nEvery accepted thing is accounted for.");
        }
        for problem in problems.iter().take(SHOWN_MAX) {
            println!("not right: {problem}");
        }
        if let Some(more) = problems.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            println!("not right: {more} more");
        }
    }
}
