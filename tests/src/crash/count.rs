//! The count: the client's record, the receivers' journals, the log as a stranger reads it, and
//! the rows beside a rebuild.

use super::Stage;
use super::load::Record;
use crate::harness::{Node, read_log};
use anyhow::{Result, bail};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Ids that are shown.
const SHOWN_MAX: usize = 10;

/// What was found.
pub(super) struct Count {
    acknowledged: usize,
    cut: usize,
    refused: Vec<String>,
    /// Acknowledged, and never seen by a receiver.
    missing: Vec<String>,
    /// Ids that receivers took under more than one effect key: executed twice.
    executed_twice: Vec<String>,
    /// What the reader of the log says.
    log: Value,
    rows: u64,
    differing: u64,
}

impl Count {
    /// Counts; the node must have stopped.
    pub(super) async fn take(stage: &Stage, record: &Record) -> Result<Self> {
        let log = read_log(&stage.data).await?;
        let (rows, differing) = verify(stage).await?;
        Ok(Self {
            acknowledged: record.acknowledged(),
            cut: record.cut(),
            refused: record.refused(),
            missing: missing(stage, record),
            executed_twice: executed_twice(stage),
            log,
            rows,
            differing,
        })
    }

    fn of_log(&self, name: &str) -> u64 {
        self.log[name].as_u64().unwrap_or(u64::MAX)
    }

    /// Acknowledged without a delivery, or a command on the log without a standing decision.
    fn lost(&self) -> u64 {
        self.missing.len() as u64 + self.of_log("undecided")
    }

    fn recorded_twice(&self) -> u64 {
        let of_log = ["decided_twice", "outcomes_twice", "started_twice", "finished_twice"];
        let of_log: u64 = of_log.iter().map(|name| self.of_log(name)).sum();
        of_log + self.executed_twice.len() as u64
    }

    /// Whether everything that must be nought is.
    pub(super) fn is_clean(&self) -> bool {
        let bad = self.lost() + self.of_log("unfinished") + self.recorded_twice() + self.differing;
        bad == 0 && self.acknowledged > 0 && self.refused.is_empty()
    }

    /// Prints the six numbers, and what is behind them where they are not nought.
    pub(super) fn print(&self, kills: u32) {
        println!(
            "{kills} kills, {} acknowledged, {} lost, {} unfinished, {} recorded twice, {} rows \
             differing from a rebuild",
            self.acknowledged,
            self.lost(),
            self.of_log("unfinished"),
            self.recorded_twice(),
            self.differing
        );
        println!(
            "{} answers were cut; the log has {} commands, {} executions, {} void events; {} rows",
            self.cut,
            self.of_log("commands"),
            self.of_log("started"),
            self.of_log("void_events"),
            self.rows
        );
        let show = |what: &str, list: &[String]| {
            for one in list.iter().take(SHOWN_MAX) {
                println!("{what}: {one}");
            }
        };
        show("refused", &self.refused);
        show("never delivered", &self.missing);
        show("executed twice", &self.executed_twice);
        if !self.is_clean() {
            println!("{:#}", self.log);
        }
    }
}

/// What was acknowledged and no receiver has taken.
pub(super) fn missing(stage: &Stage, record: &Record) -> Vec<String> {
    let mut taken = HashSet::new();
    for receiver in [&stage.warehouse, &stage.tracker] {
        receiver.journal(|arrivals| {
            let good = arrivals.iter().filter(|arrival| arrival.status == 200);
            taken.extend(good.map(|arrival| arrival.id.clone()));
        });
    }
    let ids = record.ids().into_iter().filter(|(id, _)| !taken.contains(id));
    ids.map(|(id, what)| format!("{what} {id}")).collect()
}

fn executed_twice(stage: &Stage) -> Vec<String> {
    let mut keys: HashMap<String, HashSet<String>> = HashMap::new();
    for receiver in [&stage.warehouse, &stage.tracker] {
        receiver.journal(|arrivals| {
            for arrival in arrivals {
                keys.entry(arrival.id.clone()).or_default().insert(arrival.key.clone());
            }
        });
    }
    keys.into_iter().filter(|(_, keys)| keys.len() > 1).map(|(id, _)| id).collect()
}

/// Rows, and how many of them differ from a rebuild.
async fn verify(stage: &Stage) -> Result<(u64, u64)> {
    let output = Node::say(&stage.data, &["verify"]).await?;
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
