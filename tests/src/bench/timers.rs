//! Row 14: delays that are over, so many a second, and all at once.

use super::backlog::settled;
use super::figure::{Better, Figure};
use super::lateness::{self, Lateness, Moment, now_ms, until};
use super::load::taken;
use super::process::Meter;
use super::stage::{BATCH_EVENTS, PAYLOAD_BYTES, Stage};
use super::wire::Connection;
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::cell::Cell;
use std::path::Path;

const USERS: usize = 1_000;
const CLIENTS: usize = 4;
/// Executions that are parked in a second: few enough that a delay begins when its event is sent.
const PARKED_PER_SECOND: usize = 10_000;
/// Between when the last is parked and the first is due, in milliseconds.
const QUIET_MS: u64 = 8_000;
/// Delays that are over one after the other, and how many of them in a second.
const STEADY: usize = 200_000;
const DUE_PER_SECOND: usize = 20_000;
/// Delays that are over at the same moment.
const AT_ONCE: usize = 100_000;

pub(super) async fn measure(folder: &Path, spinner: &ProgressBar) -> Result<Vec<Figure>> {
    spinner.set_message("connecting users");
    let stage = Stage::prepare(folder, USERS).await?;
    let steady = Wave { count: STEADY, per_second: Some(DUE_PER_SECOND) };
    let (_, steady_cores) = steady.pass(&stage, 0, spinner).await?;
    let at_once = Wave { count: AT_ONCE, per_second: None };
    let (once_ms, once_cores) = at_once.pass(&stage, STEADY, spinner).await?;
    stage.node.stop().await?;
    spinner.set_message("reading the log");
    let (once, steady): (Vec<Moment>, Vec<Moment>) =
        lateness::delays(folder).await?.into_iter().partition(|moment| moment.due >= once_ms);
    let (once, steady) = (Lateness::of(&once)?, Lateness::of(&steady)?);
    if (steady.count, once.count) != (STEADY, AT_ONCE) {
        bail!("{} and {} delays were over", steady.count, once.count);
    }
    let how = format!(
        "executions of {USERS} users that wait in a delay and end behind it, {PAYLOAD_BYTES} B payload, \
         parked by batched events, {PARKED_PER_SECOND} a second; lateness is from when a delay is due \
         until the moment of the record that it is over"
    );
    let steadily = format!(
        "{STEADY} {how}; {DUE_PER_SECOND} are due in each second, over within {:.1} s; {steady_cores}",
        STEADY as f64 / steady.rate()
    );
    let at_once = format!(
        "{AT_ONCE} {how}; all due within {:.1} s; from the first that is due to the last that is over; \
         p99 {:.0} ms late; in the first second {once_cores}",
        once.due_within().as_secs_f64(),
        once.ms(99)
    );
    let late = |name: &str, ms| Figure::told(14, name, (ms, "ms"), Better::Lower);
    Ok(vec![
        Figure::told(14, "timers, all due at once", (once.rate(), "1/s"), Better::Higher)
            .against(20_000.0, None)
            .under(&at_once),
        late("timers, 20,000 due a second: p99 late", steady.ms(99))
            .against(500.0, None)
            .under(&steadily),
        late("timers, 20,000 due a second: p50 late", steady.ms(50)).under(&steadily),
    ])
}

/// Delays that are over together.
struct Wave {
    count: usize,
    /// How many are due in a second; `None`: all at once.
    per_second: Option<usize>,
}

impl Wave {
    /// Parks them, and waits until all are over; gives when the first was due, and the cores used
    /// from then on until the last was due or a second had passed.
    async fn pass(
        &self,
        stage: &Stage,
        before: usize,
        spinner: &ProgressBar,
    ) -> Result<(u64, String)> {
        let begun = now_ms();
        let parking_ms = (self.count * 1_000 / PARKED_PER_SECOND) as u64;
        let first_ms = begun + parking_ms + QUIET_MS;
        let next = Cell::new(0);
        let clients = (0..CLIENTS).map(|_| self.park(stage, (begun, first_ms), &next));
        let parked: usize = futures_util::future::try_join_all(clients).await?.into_iter().sum();
        if parked != self.count || now_ms() + QUIET_MS / 2 > first_ms {
            bail!("{parked} of {} were parked, at {PARKED_PER_SECOND} a second", self.count);
        }
        spinner.set_message(format!("{parked} parked"));
        until(first_ms).await;
        let meter = Meter::start(stage)?;
        let due_ms = self.per_second.map_or(0, |per_second| self.count * 1_000 / per_second);
        until(first_ms + due_ms.max(1_000) as u64).await;
        let cores = meter.read()?;
        settled(stage, ("SUCCEEDED", before + self.count), spinner).await?;
        Ok((first_ms, cores))
    }

    /// One client's share, each batch when its turn has come.
    async fn park(
        &self,
        stage: &Stage,
        (begun, first_ms): (u64, u64),
        next: &Cell<usize>,
    ) -> Result<usize> {
        let mut connection = Connection::open(stage.node.address).await?;
        let mut parked = 0;
        loop {
            let first = next.replace(next.get() + BATCH_EVENTS);
            if first >= self.count {
                return Ok(parked);
            }
            until(begun + (first * 1_000 / PARKED_PER_SECOND) as u64).await;
            let user = first / BATCH_EVENTS % stage.tokens.len();
            let token = stage.tokens.get(user).context("there is no user")?;
            let now = now_ms();
            let waits_s = (first..first + BATCH_EVENTS).map(|n| {
                let after_ms = self.per_second.map_or(0, |per_second| n * 1_000 / per_second);
                (first_ms + after_ms as u64).saturating_sub(now) as f64 / 1_000.0
            });
            let (status, body) = connection.answered(&stage.held(token, waits_s)).await?;
            if status != 201 {
                bail!("a batch: {status} {}", String::from_utf8_lossy(&body));
            }
            parked += taken(&body);
        }
    }
}
