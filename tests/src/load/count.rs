//! The count: the clients' record, the receivers' journals, the log as a stranger reads it, and the
//! rows beside a rebuild.

use super::workflows::COUNTED;
use super::{Record, Stage};
use crate::harness::{Node, read_log};
use crate::receiver::{Arrival, PAGE_ITEMS, PAGES};
use anyhow::{Result, bail};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// What the reader of the log finds against the rules of moments, pauses, pages and joins.
const AMISS: [&str; 10] = [
    "moments_twice",
    "moments_lost",
    "moments_wrong",
    "fired_while_off",
    "begun_while_paused",
    "replays_skipped",
    "pages_twice",
    "pages_missing",
    "items_twice",
    "joins_wrong",
];
/// Ids that are shown.
const SHOWN_MAX: usize = 10;

/// What was found.
pub(crate) struct Count {
    /// What the clients noted as acknowledged.
    pub(crate) acknowledged: usize,
    /// Acknowledged, and never seen by a receiver.
    missing: Vec<String>,
    /// Ids that receivers took under more than one effect key: executed twice.
    executed_twice: Vec<String>,
    /// Fan outs that were joined with another number of items than there were.
    miscounted: Vec<String>,
    /// Pauses and replays that are otherwise on the log than they were wished.
    steered: Vec<String>,
    /// What the reader of the log says.
    log: Value,
    /// Rows that were compared, of all nodes.
    pub(crate) rows: u64,
    /// Rows that differ from a rebuild.
    pub(crate) differing: u64,
}

impl Count {
    /// Counts; the nodes of these folders, which share a log, must have stopped.
    ///
    /// # Errors
    /// The log cannot be read by a stranger, or the rows not be rebuilt.
    pub(crate) async fn take(stage: &Stage, record: &Record, folders: &[PathBuf]) -> Result<Self> {
        let mut log = Value::Null;
        let (mut rows, mut differing) = (0, 0);
        for (n, data) in folders.iter().enumerate() {
            let (seen, bad) = verify(data).await?;
            rows += seen;
            differing += bad;
            if n == 0 {
                log = read_log(data).await?;
            }
        }
        Ok(Self {
            acknowledged: record.acknowledged(),
            missing: Self::missing(stage, record),
            executed_twice: executed_twice(stage, record),
            miscounted: miscounted(stage),
            steered: record.wishes().against(&log),
            log,
            rows,
            differing,
        })
    }

    /// What was acknowledged and receivers have taken from fewer runs than there are.
    pub(crate) fn missing(stage: &Stage, record: &Record) -> Vec<String> {
        let taken = keys(stage, |arrival| arrival.status == 200);
        let count = |id: &String| taken.get(id).map_or(0, HashSet::len);
        let ids = record.ids().into_iter().filter(|(id, noted)| count(id) < noted.runs);
        ids.map(|(id, noted)| format!("{} {id}", noted.what)).collect()
    }

    /// A number that the reader of the log gives.
    pub(crate) fn of_log(&self, name: &str) -> u64 {
        self.log[name].as_u64().unwrap_or(u64::MAX)
    }

    /// Acknowledged without a delivery, or a command on the log without a standing decision.
    pub(crate) fn lost(&self) -> u64 {
        self.missing.len() as u64 + self.of_log("undecided")
    }

    /// Executions that were begun and have no end.
    pub(crate) fn unfinished(&self) -> u64 {
        self.of_log("unfinished")
    }

    /// Decided, begun, ended, recorded or executed more than once.
    pub(crate) fn recorded_twice(&self) -> u64 {
        let of_log =
            ["decided_twice", "outcomes_twice", "begun_twice", "started_twice", "finished_twice"];
        let of_log: u64 = of_log.iter().map(|name| self.of_log(name)).sum();
        of_log + self.executed_twice.len() as u64
    }

    /// Moments, pauses, replays, pages and joins that are not as they were to be.
    pub(crate) fn amiss(&self) -> u64 {
        let of_log: u64 = AMISS.iter().map(|name| self.of_log(name)).sum();
        of_log + (self.steered.len() + self.miscounted.len()) as u64
    }

    /// Whether there was any of what each run brings about: a check of nothing shows nothing.
    fn is_whole(&self) -> bool {
        ["moments", "replayed", "pages", "joins"].iter().all(|name| self.of_log(name) > 0)
    }

    /// Whether something was acknowledged, and everything that must be nought is.
    pub(crate) fn is_clean(&self) -> bool {
        let bad = self.lost() + self.unfinished() + self.recorded_twice() + self.differing;
        bad + self.amiss() == 0 && self.acknowledged > 0 && self.is_whole()
    }

    /// Prints what is behind numbers that are not nought.
    pub(crate) fn print_findings(&self) {
        let show = |what: &str, list: &[String]| {
            for one in list.iter().take(SHOWN_MAX) {
                println!("{what}: {one}");
            }
        };
        show("never delivered", &self.missing);
        show("executed twice", &self.executed_twice);
        show("joined wrongly", &self.miscounted);
        show("steered otherwise", &self.steered);
        if !self.is_clean() {
            let mut log = self.log.clone();
            for list in ["pauses", "resumes", "replays"] {
                log[list].take();
            }
            println!("{log:#}");
        }
    }
}

/// The effect keys under which receivers took each id.
fn keys(stage: &Stage, counts: impl Fn(&Arrival) -> bool) -> HashMap<String, HashSet<String>> {
    let mut keys: HashMap<String, HashSet<String>> = HashMap::new();
    stage.journals(|arrivals| {
        for arrival in arrivals.iter().filter(|arrival| counts(arrival)) {
            keys.entry(arrival.id.clone()).or_default().insert(arrival.key.clone());
        }
    });
    keys
}

/// A run delivers under one key, whatever was tried again; and each replay is a run.
fn executed_twice(stage: &Stage, record: &Record) -> Vec<String> {
    let ids = record.ids();
    let runs = |id: &String| ids.get(id).map_or(1, |noted| noted.runs);
    let all = keys(stage, |_| true).into_iter();
    all.filter(|(id, keys)| keys.len() > runs(id)).map(|(id, _)| id).collect()
}

fn miscounted(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    stage.journals(|arrivals| {
        for arrival in arrivals.iter().filter(|arrival| arrival.path == COUNTED) {
            let body: Value = serde_json::from_slice(&arrival.body).unwrap_or_default();
            if body["count"] != PAGES * PAGE_ITEMS {
                found.push(body.to_string());
            }
        }
    });
    found
}

/// Rows of a stopped node, and how many of them differ from a rebuild.
async fn verify(data: &Path) -> Result<(u64, u64)> {
    let output = Node::say(data, &["verify"]).await?;
    let last = output.lines().last().unwrap_or_default();
    let numbers: Vec<u64> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [rows, differing] => {
            if differing > 0 {
                println!("{output}");
            }
            Ok((rows, differing))
        }
        _ => bail!("verify: {output}"),
    }
}
