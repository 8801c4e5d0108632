//! Rows 1 and 11: one arrival per request, of which each starts an execution.

use super::backlog::{Progress, settled};
use super::figure::{Better, Figure};
use super::load::{Load, Until};
use super::process::Meter;
use super::stage::Stage;
use anyhow::Result;
use bytes::Bytes;
use indicatif::ProgressBar;
use std::time::{Duration, Instant};

const CLIENTS: usize = 64;

/// What arrives, and what is to be reached.
pub(super) struct Arrival<'a> {
    pub(super) row: u8,
    pub(super) what: &'a str,
    /// How it is made and what it starts.
    pub(super) how: String,
    pub(super) requests: Vec<Bytes>,
    /// Where a number stands in each request that makes it another one.
    pub(super) number_at: Option<usize>,
    pub(super) status: u16,
    /// Arrivals a second: what must be, and what is aimed at.
    pub(super) rate: (f64, f64),
    /// The same of the 99th percentile, in milliseconds.
    pub(super) p99_ms: Option<(f64, f64)>,
}

impl Arrival<'_> {
    pub(super) async fn measure(
        self,
        stage: Stage,
        span: Duration,
        spinner: &ProgressBar,
    ) -> Result<Vec<Figure>> {
        let Self { row, what, how, requests, number_at, status, rate, p99_ms } = self;
        let meter = Meter::start(&stage)?;
        let load = Load {
            at: stage.node.address,
            clients: CLIENTS,
            requests,
            number_at,
            until: Until::Elapsed(span),
            status,
            things: 1,
        };
        let sent = load.run(spinner).await?;
        let (stopped, cores) = (Instant::now(), meter.read()?);
        let left = Progress::read(&stage).await?;
        let ended = settled(&stage, ("SUCCEEDED", sent.latencies.len()), spinner).await?;
        let drained = ended.saturating_duration_since(stopped);
        stage.node.stop().await?;
        let conditions = format!(
            "{CLIENTS} clients, {:.1} s, {how}; {} taken, {} told to come back; {cores}",
            sent.took.as_secs_f64(),
            sent.latencies.len(),
            sent.busy
        );
        let after = format!(
            "after the load of row {row}, until the log does not grow any more and Task History has \
             every execution as succeeded; {} events were left to fold when the load stopped",
            left.lag
        );
        let ms = |percent| sent.latencies.percentile(percent).as_secs_f64() * 1_000.0;
        let told = |percent: usize| {
            Figure::told(row, &format!("{what}: p{percent}"), (ms(percent), "ms"), Better::Lower)
        };
        let p99 = match p99_ms {
            Some((must, aim)) => told(99).against(must, Some(aim)),
            None => told(99),
        };
        Ok(vec![
            Figure::told(row, what, (sent.rate(), "1/s"), Better::Higher)
                .against(rate.0, Some(rate.1))
                .under(&conditions),
            p99.under(&conditions),
            told(50).under(&conditions),
            Figure::told(
                row,
                "until no execution is open",
                (drained.as_secs_f64(), "s"),
                Better::Lower,
            )
            .under(&after),
        ])
    }
}
