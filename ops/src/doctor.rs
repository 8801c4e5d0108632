//! What operators get wrong, looked at beside a running node. Nothing is changed.
//!
//! - `keys`: the master key and the admin key.
//! - `folder`: who has it, room, and whether the disk keeps its word.
//! - `log`: whether it opens; on Kafka, whether its topics are as they must be.
//! - `nodes`: who is at the log, of which build, and whether clocks agree.
//! - `rows`: of which log and version they are.

mod folder;
mod keys;
mod log;
mod nodes;
mod rows;

use crate::config::Config;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    /// As it should be.
    Ok,
    /// It works, and will not always.
    Warn,
    /// It does not work, or loses something.
    Bad,
}

/// What a check came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) grade: Grade,
    /// What is so.
    pub(crate) what: String,
    /// What to do about it; empty: nothing.
    pub(crate) mend: String,
}

/// What all checks came to.
#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn ok(&mut self, check: &'static str, what: impl Into<String>) {
        self.add(check, Grade::Ok, (what.into(), String::new()));
    }

    pub(crate) fn warn(
        &mut self,
        check: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(check, Grade::Warn, (what.into(), mend.into()));
    }

    pub(crate) fn bad(
        &mut self,
        check: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.add(check, Grade::Bad, (what.into(), mend.into()));
    }

    fn add(&mut self, check: &'static str, grade: Grade, (what, mend): (String, String)) {
        self.0.push(Finding { check, grade, what, mend });
    }
}

/// Looks at everything.
pub(crate) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.ok("version", format!("this is {}", env!("CARGO_PKG_VERSION")));
    findings.ok("settings", format!("read; the log is {}", config.log.backend));
    let is_held = folder::examine(config, &mut findings).await;
    let log = log::examine(config, &mut findings).await;
    keys::examine(config, log.as_deref(), &mut findings).await;
    if let Some(log) = &log {
        nodes::examine(log.as_ref(), &mut findings).await;
        rows::examine(config, (log.as_ref(), is_held), &mut findings).await;
    }
    findings.0
}

/// That the settings cannot be read.
pub(crate) fn unreadable(error: &anyhow::Error) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mend = "see ops/default.toml, which has every setting";
    findings.bad("settings", format!("{error:#}"), mend);
    findings.0
}
