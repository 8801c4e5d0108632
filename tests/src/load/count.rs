//! The count: the clients' record, the receivers' journals, the log as a stranger reads it, and the
//! rows beside a rebuild.

use super::{Record, Stage};
use crate::harness::{Node, read_log};
use anyhow::{Result, bail};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

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
            executed_twice: executed_twice(stage),
            log,
            rows,
            differing,
        })
    }

    /// What was acknowledged and no receiver has taken.
    pub(crate) fn missing(stage: &Stage, record: &Record) -> Vec<String> {
        let mut taken = HashSet::new();
        stage.journals(|arrivals| {
            let good = arrivals.iter().filter(|arrival| arrival.status == 200);
            taken.extend(good.map(|arrival| arrival.id.clone()));
        });
        let ids = record.ids().into_iter().filter(|(id, _)| !taken.contains(id));
        ids.map(|(id, what)| format!("{what} {id}")).collect()
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

    /// Whether something was acknowledged, and everything that must be nought is.
    pub(crate) fn is_clean(&self) -> bool {
        let bad = self.lost() + self.unfinished() + self.recorded_twice() + self.differing;
        bad == 0 && self.acknowledged > 0
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
        if !self.is_clean() {
            println!("{:#}", self.log);
        }
    }
}

fn executed_twice(stage: &Stage) -> Vec<String> {
    let mut keys: HashMap<String, HashSet<String>> = HashMap::new();
    stage.journals(|arrivals| {
        for arrival in arrivals {
            keys.entry(arrival.id.clone()).or_default().insert(arrival.key.clone());
        }
    });
    keys.into_iter().filter(|(_, keys)| keys.len() > 1).map(|(id, _)| id).collect()
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
