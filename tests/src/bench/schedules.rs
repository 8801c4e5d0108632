//! Row 15: the same schedule of many users, to the millisecond.

use super::backlog::Progress;
use super::figure::{Better, Figure};
use super::lateness::{self, Lateness, Moment, now_ms, until};
use super::process::{Meter, resident_mib};
use super::project::TICKING;
use super::stage::{CONNECTING, Stage};
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

const USERS: usize = 10_000;
/// How far the moments of the schedule are apart, in milliseconds.
const PERIOD_MS: u64 = 60_000;
/// How long after a start, or after the last was set, memory is looked at.
const SETTLE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn measure(folder: &Path, spinner: &ProgressBar) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    // What connecting the users left behind must not hide what schedules take.
    let stage = Stage::prepare(folder, USERS).await?.restarted().await?;
    tokio::time::sleep(SETTLE).await;
    let before = resident_mib(stage.pid()?)?;
    spinner.set_message("waiting for the beginning of a minute");
    // So that none comes while others are set.
    until(next_moment() + LOOK.as_millis() as u64).await;
    let begun = Instant::now();
    stage.switch_on(TICKING).await?;
    let set = begun.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLE).await;
    let after = resident_mib(stage.pid()?)?;
    let stage = stage.restarted().await?;
    tokio::time::sleep(SETTLE).await;
    let again = resident_mib(stage.pid()?)?;
    spinner.set_message("waiting for the moment");
    until(next_moment()).await;
    let meter = Meter::start(&stage)?;
    tokio::time::sleep(LOOK).await;
    let cores = meter.read()?;
    quiet(&stage).await?;
    stage.node.stop().await?;

    let lateness = Lateness::of(&whole(lateness::schedules(folder).await?)?)?;
    let how = format!(
        "{USERS} users, each with a schedule of every minute, exact, that starts an execution of a \
         conditional"
    );
    let setting =
        format!("{how}; switched on by a request each, {CONNECTING} at a time, in {set:.1} s");
    let memory = |when: &str, now: f64| {
        format!(
            "{how}; VmRSS {now:.0} MiB {} s after {when}, less {before:.0} MiB of the node after a start \
             with the users and none set",
            SETTLE.as_secs()
        )
    };
    let firing = format!(
        "{how}; all due at one moment; lateness is from there until the moment of the record that it \
         came; in the first {:.1} s {cores}",
        LOOK.as_secs_f64()
    );
    let late = |name: &str, percent| {
        Figure::told(15, name, (lateness.ms(percent), "ms"), Better::Lower).under(&firing)
    };
    Ok(vec![
        Figure::told(15, "schedules set", (USERS as f64 / set, "1/s"), Better::Higher)
            .under(&setting),
        Figure::told(15, "memory of 10,000 schedules", (after - before, "MiB"), Better::Lower)
            .under(&memory("the last was set", after)),
        Figure::told(15, "the same after a restart", (again - before, "MiB"), Better::Lower)
            .under(&memory("the restart", again)),
        Figure::told(15, "schedules fired, all at once", (lateness.rate(), "1/s"), Better::Higher)
            .under(&firing),
        late("schedules, all at once: p99 late", 99).against(500.0, None),
        late("schedules, all at once: p50 late", 50),
    ])
}

/// The schedule's next moment, in milliseconds since 1970.
fn next_moment() -> u64 {
    (now_ms() / PERIOD_MS + 1) * PERIOD_MS
}

/// Waits until the log grows no more.
async fn quiet(stage: &Stage) -> Result<()> {
    let mut last = Progress::default();
    loop {
        let now = Progress::read(stage).await?;
        if now == last {
            return Ok(());
        }
        last = now;
        tokio::time::sleep(LOOK).await;
    }
}

/// The moment that came for every user.
fn whole(moments: Vec<Moment>) -> Result<Vec<Moment>> {
    let mut by_due: BTreeMap<u64, Vec<Moment>> = BTreeMap::new();
    moments.into_iter().for_each(|moment| by_due.entry(moment.due).or_default().push(moment));
    let most = by_due.into_values().max_by_key(Vec::len).unwrap_or_default();
    match most.len() {
        USERS => Ok(most),
        count => bail!("no moment came for every user, at most for {count}"),
    }
}
