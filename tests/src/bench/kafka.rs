//! A row on Kafka, beside the embedded one of the same run and what the broker does by itself.

use super::figure::{Better, Figure};
use super::raw::Raw;
use crate::harness::backend;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;

/// What of an embedded row a row on Kafka must reach.
const SHARE: f64 = 0.5;
/// What row 4 appends one after the other, each read back before the next. A decision and the start
/// of the step that it made ready travel together.
const HOPS: [&str; 5] = [
    "the request",
    "its decision, with the start of the function",
    "the decision on what that gave, with the start of the request to the server",
    "the decision on the server's answer, with the start of the second function",
    "the decision on what that gave, which answers",
];
/// Round trips of row 4 beside its hops: work that is not the log's.
const SPARE: usize = 2;
/// Records on their way and milliseconds of gathering, as the node has them under single events and
/// under batches.
const SINGLE: (usize, u64) = (64, 0);
const BATCHED: (usize, u64) = (1_600, 2);

/// The figures of a row on Kafka, with what they must reach, and the limits of the broker.
pub(super) async fn judged(
    (row, folder): (u8, &Path),
    (embedded, measured): (&[Figure], Vec<Figure>),
    span: Duration,
) -> Result<Vec<Figure>> {
    let mut figures: Vec<Figure> = measured.into_iter().map(Figure::on_kafka).collect();
    let topics = backend::topics(folder)?.context("the row's log is not on Kafka")?;
    let raw = Raw::new(&topics)?;
    let first = figures.first_mut().context("the row has no figure")?;
    match row {
        1..=3 => {
            let beside = embedded.first().and_then(Figure::value);
            let beside = beside.context("there is no embedded row to hold it against")?;
            let share = first.value().context("the row has no value")? / beside;
            first.must(SHARE * beside, &format!("{:.0} % of the embedded row", 100.0 * share));
            let shape = raw.shape()?;
            let way = if row == 1 { SINGLE } else { BATCHED };
            let rate = raw.appended(shape.bytes, way, span).await?;
            let conditions = format!(
                "a bare producer, acks=all, {} records of {} B on their way, {} ms of gathering, for \
                 {:.0} s; the row appended {} records",
                way.0,
                shape.bytes,
                way.1,
                span.as_secs_f64(),
                shape.records
            );
            let name = "records that a bare client appends";
            let limit = Figure::told(row, name, (rate, "1/s"), Better::Higher);
            figures.push(limit.under(&conditions));
        }
        4 => {
            let shape = raw.shape()?;
            let trips = raw.round_trips(shape.bytes)?;
            let ms = |percent| trips.percentile(percent).as_secs_f64() * 1_000.0;
            let times = HOPS.len() + SPARE;
            let conditions = format!("{times} round trips of a bare client; {}", HOPS.join("; "));
            first.must(times as f64 * ms(50), &conditions);
            let bare = format!(
                "a bare client, {} records of {} B one after the other, from appending (acks=all) \
                 until read; p99 {:.2} ms",
                trips.len(),
                shape.bytes,
                ms(99)
            );
            let name = "append to read: p50";
            let limit = Figure::told(row, name, (ms(50), "ms"), Better::Lower);
            figures.push(limit.under(&bare));
        }
        _ => {}
    }
    Ok(figures)
}
