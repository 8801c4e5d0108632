//! How fast the log takes records of 660 bytes and gives them back.
//!
//! Every figure depends on the disk: what one sync of it takes is printed first. `LOG_BENCH_FOLDER`
//! names the folder to work in, instead of the one for temporary files.

#![allow(clippy::expect_used, reason = "a bench that cannot go on stops")]

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use log_embedded::{EmbeddedLog, Options};
use ports::Log;
use ports::log::{Headers, Partition, Record};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const RECORD_BYTES: usize = 660;
const APPENDERS: usize = 64;
const SCANNED: usize = 500_000;

fn folder() -> TempDir {
    match std::env::var_os("LOG_BENCH_FOLDER") {
        Some(folder) => TempDir::new_in(folder).expect("a folder"),
        None => TempDir::new().expect("a folder"),
    }
}

fn record() -> Record {
    let headers = Headers { kind: 7, epoch: 1, incarnation: 2, i: 0, n: 1 };
    Record { headers, key: Bytes::new(), value: vec![7; RECORD_BYTES].into() }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime")
}

/// The median of syncing a few rewritten kilobytes.
fn disk(_: &mut Criterion) {
    let folder = folder();
    let file = std::fs::File::create(folder.path().join("probe")).expect("a file");
    file.write_all_at(&vec![0; 4 << 20], 0).expect("room");
    file.sync_all().expect("a sync");
    let mut took: Vec<Duration> = (0..500)
        .map(|i| {
            file.write_all_at(&[1; 4096], i * 4096).expect("room");
            let started = Instant::now();
            file.sync_data().expect("a sync");
            started.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("fdatasync of 4 KiB: p50 {:?}, p99 {:?}", took[250], took[495]);
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    let runtime = runtime();
    for batch in [1, 16, 256, 4096] {
        let folder = folder();
        let _entered = runtime.enter();
        let log = EmbeddedLog::open(Options::new(folder.path(), 8)).expect("it opens");
        group.throughput(Throughput::Elements(batch));
        group.bench_function(format!("batch of {batch}"), |bencher| {
            let records = || (0..batch).map(|_| (Partition::events(0), record())).collect();
            bencher.iter(|| runtime.block_on(log.append(records())).expect("room"));
        });
    }
    group.finish();
}

fn concurrent(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append at once");
    let runtime = runtime();
    let folder = folder();
    let _entered = runtime.enter();
    let log = EmbeddedLog::open(Options::new(folder.path(), 8)).expect("it opens");
    let log = std::sync::Arc::new(log);
    group.throughput(Throughput::Elements(APPENDERS as u64));
    group.bench_function(format!("{APPENDERS} appenders of one"), |bencher| {
        bencher.iter_custom(|rounds| {
            let started = Instant::now();
            runtime.block_on(async {
                let appender = |i: usize| {
                    let log = log.clone();
                    tokio::spawn(async move {
                        for _ in 0..rounds {
                            let partition = Partition::commands((i % 8) as u16);
                            log.append(vec![(partition, record())]).await.expect("room");
                        }
                    })
                };
                join_all((0..APPENDERS).map(appender)).await;
            });
            started.elapsed()
        });
    });
    group.finish();
}

fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    group.sample_size(10);
    let runtime = runtime();
    for partitions in [1, 8] {
        let folder = folder();
        let _entered = runtime.enter();
        let log = EmbeddedLog::open(Options::new(folder.path(), 8)).expect("it opens");
        let record = record();
        for _ in 0..SCANNED / 5000 {
            let at = |i: usize| Partition::events((i % partitions) as u16);
            let batch = (0..5000).map(|i| (at(i), record.clone())).collect();
            runtime.block_on(log.append(batch)).expect("room");
        }
        let each = SCANNED / partitions;
        group.throughput(Throughput::Elements(each as u64));
        group.bench_function(format!("one partition of {partitions}"), |bencher| {
            bencher.iter(|| runtime.block_on(read(&log, each)));
        });
    }
    group.finish();
}

async fn read(log: &EmbeddedLog, count: usize) {
    let (mut found, mut next) = (0, 0);
    while found < count {
        let records = log.read(Partition::events(0), next, 1 << 20).await.expect("it can be read");
        next = records.last().map_or(next, |last| last.offset + 1);
        found += black_box(records).len();
    }
}

criterion_group!(benches, disk, append, concurrent, scan);
criterion_main!(benches);
