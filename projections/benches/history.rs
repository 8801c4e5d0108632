//! What lists of Task History cost at a million executions, folded into the embedded store.
//!
//! `HISTORY_BENCH_COUNT` says how many; `HISTORY_BENCH_FOLDER` on which disk.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a bench may stop")]

mod synthetic;

use criterion::{Criterion, criterion_group, criterion_main};
use domain::time::Timestamp;
use domain::view::{ExecutionFilter, Sort, Status};
use ports::Log;
use projections::Seat;
use projections::history::{History, HistoryReader};
use projections::runner::Runner;
use std::sync::Arc;
use std::time::Instant;
use store_embedded::{EmbeddedStore, Options};
use synthetic::{BEGIN, COMPANY, PARTITIONS, PROJECT, Synthetic, WORKFLOW};
use tokio::runtime::{Builder, Runtime};

const MONTH_MS: i64 = 30 * 86_400_000;
const PEAK_MS: i64 = 5 * 60_000;

fn history(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let count =
        std::env::var("HISTORY_BENCH_COUNT").map_or(Ok(1_000_000), |text| text.parse()).unwrap();
    lists(criterion, &runtime, "a month", count, MONTH_MS);
    lists(criterion, &runtime, "five minutes", count, PEAK_MS);
}

/// Folds so many executions that began within a span of time, and measures lists of them.
fn lists(criterion: &mut Criterion, runtime: &Runtime, name: &str, count: u64, span_ms: i64) {
    let folder = match std::env::var("HISTORY_BENCH_FOLDER") {
        Ok(folder) => tempfile::tempdir_in(folder).unwrap(),
        Err(_) => tempfile::tempdir().unwrap(),
    };
    let store = Arc::new(EmbeddedStore::open(folder.path(), Options::default()).unwrap());
    let log: Arc<dyn Log> = Arc::new(Synthetic { count, span_ms });
    let begun = Instant::now();
    for number in 0..PARTITIONS {
        let seat = Seat::of(number);
        let mut runner = Runner::new(log.clone(), store.clone(), Arc::new(History), seat);
        while runtime.block_on(runner.step()).unwrap().1 {}
    }
    println!("{name}: {count} executions folded in {:.1} s", begun.elapsed().as_secs_f64());
    let reader = HistoryReader::new(log, store);
    let page = ExecutionFilter { limit: 100, ..ExecutionFilter::default() };
    let deep = ExecutionFilter { offset: count / 2, ..page.clone() };
    let moment = |part: i64| Some(Timestamp(BEGIN + span_ms / 100 * part + 1_234));
    let company = ExecutionFilter { user: Some(COMPANY.into()), ..page.clone() };
    let failed = vec![Status::Errored, Status::Cancelled];
    let questions = [
        ("first page", page.clone()),
        ("first page, oldest first", ExecutionFilter { sort: Sort::Ascending, ..page.clone() }),
        ("page in the middle", deep.clone()),
        ("rare status", ExecutionFilter { statuses: failed.clone(), ..page.clone() }),
        ("one workflow", ExecutionFilter { workflow: Some(WORKFLOW), ..page.clone() }),
        ("dates", ExecutionFilter { after: moment(33), before: moment(66), ..page.clone() }),
        ("a large user", company.clone()),
        ("a large user, in the middle", ExecutionFilter { offset: count / 4, ..company.clone() }),
        ("a large user, rare status", ExecutionFilter { statuses: failed, ..company }),
        ("a small user", ExecutionFilter { user: Some("user-7".into()), ..page }),
    ];
    let mut group = criterion.benchmark_group(name);
    group.sample_size(50);
    for (question, filter) in questions {
        let found = runtime.block_on(reader.list(PROJECT, &filter)).unwrap();
        println!("{question}: {} of {}", found.rows.len(), found.total);
        group.bench_function(question, |bencher| {
            bencher.iter(|| runtime.block_on(reader.list(PROJECT, &filter)).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, history);
criterion_main!(benches);
