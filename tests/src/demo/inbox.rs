//! What the inbox says of the webhooks that were sent.

use super::tally::{Kind, Record};
use crate::harness::Api;
use anyhow::{Result, bail};
use hyper::Method;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the client calls a webhook that nobody signed as agreed.
pub(super) const FORGED: &str = "bad signature";

/// A webhook as the inbox has it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    delivery: String,
    verdict: String,
    repeated: bool,
    recipient_count: u64,
}

/// Every webhook that came.
#[derive(Default)]
pub(super) struct Inbox(Vec<Row>);

/// How often something came, in this order: matched, for no one, repeated, refused.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Counts {
    pub(super) matched: u64,
    pub(super) unmatched: u64,
    pub(super) repeated: u64,
    pub(super) refused: u64,
}

impl Row {
    fn count(&self, counts: &mut Counts) {
        let place = match (self.verdict.as_str(), self.repeated, self.recipient_count) {
            ("VERIFIED", true, 0) => &mut counts.repeated,
            ("VERIFIED", false, 0) => &mut counts.unmatched,
            ("VERIFIED", false, 1) => &mut counts.matched,
            _ => &mut counts.refused,
        };
        *place += 1;
    }
}

impl Inbox {
    /// Reads all of it, page by page.
    pub(super) async fn read(api: &Api, admin_key: &str) -> Result<Self> {
        let mut rows = Vec::new();
        loop {
            let path = format!("/webhooks?offset={}", rows.len());
            let answer = api.admin(Method::GET, &path, admin_key).await?;
            if answer.status != 200 {
                bail!("the inbox: {}", answer.shown());
            }
            let page: Vec<Row> = serde_json::from_value(answer.json()["webhooks"].take())?;
            if page.is_empty() {
                return Ok(Self(rows));
            }
            rows.extend(page);
        }
    }

    /// All of it.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.0.iter().for_each(|row| row.count(&mut counts));
        counts
    }

    /// Where it differs from what the client sent.
    pub(super) fn problems(&self, record: &Record) -> Vec<String> {
        let mut expected: BTreeMap<&str, Counts> = BTreeMap::new();
        for accepted in &record.accepted {
            let place = |counts: &mut Counts| match accepted.kind {
                Kind::Event | Kind::Request => {}
                Kind::Webhook => counts.matched += 1,
                Kind::Unmatched => counts.unmatched += 1,
                Kind::Repeat => counts.repeated += 1,
            };
            place(expected.entry(accepted.id.as_str()).or_default());
        }
        expected.retain(|_, counts| *counts != Counts::default());
        let mut found: BTreeMap<&str, Counts> = BTreeMap::new();
        for row in self.0.iter().filter(|row| row.verdict == "VERIFIED") {
            row.count(found.entry(row.delivery.as_str()).or_default());
        }
        let mut problems = Vec::new();
        for (id, sent) in &expected {
            let kept = found.remove(id).unwrap_or_default();
            if kept != *sent {
                problems.push(format!("webhook {id}: the inbox has {kept:?}, not {sent:?}"));
            }
        }
        problems.extend(found.keys().map(|id| format!("webhook {id}: never accepted")));
        let refused = record.refused.get(FORGED).copied().unwrap_or_default();
        let kept = self.counts().refused;
        if kept != refused {
            problems.push(format!("{refused} webhooks refused, {kept} of them in the inbox"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::Accepted;
    use super::*;
    use std::time::{Duration, Instant};

    fn accepted(kind: Kind, id: &str) -> Accepted {
        let (sent_at, answered_in) = (Instant::now(), Duration::ZERO);
        Accepted { kind, id: id.into(), sent_at, answered_in }
    }

    fn row(delivery: &str, verdict: &str, repeated: bool, recipient_count: u64) -> Row {
        Row { delivery: delivery.into(), verdict: verdict.into(), repeated, recipient_count }
    }

    fn record() -> Record {
        let accepted = [
            (Kind::Event, "event"),
            (Kind::Webhook, "one"),
            (Kind::Webhook, "twice"),
            (Kind::Repeat, "twice"),
            (Kind::Unmatched, "nobody's"),
        ];
        Record {
            accepted: accepted.map(|(kind, id)| self::accepted(kind, id)).into(),
            refused: [(FORGED, 1), ("bad token", 7)].into(),
            ..Record::default()
        }
    }

    fn rows() -> Vec<Row> {
        vec![
            row("one", "VERIFIED", false, 1),
            row("twice", "VERIFIED", false, 1),
            row("twice", "VERIFIED", true, 0),
            row("nobody's", "VERIFIED", false, 0),
            row("forged", "FORGED", false, 0),
        ]
    }

    #[test]
    fn an_inbox_with_all_of_it_has_no_problems() {
        let inbox = Inbox(rows());
        assert_eq!(inbox.problems(&record()), [""; 0]);
        let counts = Counts { matched: 2, unmatched: 1, repeated: 1, refused: 1 };
        assert_eq!(inbox.counts(), counts);
    }

    #[test]
    fn whatever_is_missing_too_many_or_different_is_a_problem() {
        for at in 0..rows().len() {
            let mut missing = rows();
            missing.remove(at);
            assert_eq!(Inbox(missing).problems(&record()).len(), 1, "without {at}");
            let mut twice = rows();
            twice.push(rows()[at].clone());
            assert_eq!(Inbox(twice).problems(&record()).len(), 1, "with {at} twice");
        }
        let mut stranger = rows();
        stranger.push(row("never sent", "VERIFIED", false, 1));
        assert_eq!(Inbox(stranger).problems(&record()).len(), 1);
        let mut told_twice = rows();
        told_twice[0].recipient_count = 2;
        assert!(!Inbox(told_twice).problems(&record()).is_empty());
        let mut taken_again = rows();
        taken_again[2] = row("twice", "VERIFIED", false, 1);
        assert_eq!(Inbox(taken_again).problems(&record()).len(), 1);
    }
}
