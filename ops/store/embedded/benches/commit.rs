//! What rows cost: commits, reads, and the memory of a million parked ones.
//!
//! `STORE_BENCH_FOLDER` says on which disk; else the folder for temporary files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a bench may stop")]

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use ports::store::{Range, Store, Table, Write};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use store_embedded::{EmbeddedStore, Options};
use tokio::runtime::{Builder, Runtime};

/// As in the node: memory is what is measured here.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ROWS: Table = Table("parked");
const INDEX: Table = Table("parked.due");
const ROW_COUNT: u64 = 1_000_000;
const ROW_BYTES: usize = 160;

/// Scatters numbers as ids are scattered.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    z ^ (z >> 32)
}

fn id(number: u64) -> Bytes {
    Bytes::from([mix(number).to_be_bytes(), number.to_be_bytes()].concat())
}

/// A row that does not compress.
fn row(number: u64) -> Bytes {
    (0..ROW_BYTES as u64 / 8).flat_map(|i| mix(number ^ (i << 40)).to_le_bytes()).collect()
}

fn parked(number: u64) -> [Write; 2] {
    let due = Bytes::from([&(mix(number) >> 24).to_be_bytes()[..], &id(number)].concat());
    [
        Write::Put { table: ROWS, key: id(number), value: row(number) },
        Write::Put { table: INDEX, key: due, value: Bytes::new() },
    ]
}

/// A figure of this process in kB, from the kernel.
fn status_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// Ticks of processor time of this process: user and system, 10 ms each.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    field(11) + field(12)
}

fn folder() -> tempfile::TempDir {
    match std::env::var_os("STORE_BENCH_FOLDER") {
        Some(path) => tempfile::tempdir_in(path).unwrap(),
        None => tempfile::tempdir().unwrap(),
    }
}

fn open(path: &Path) -> EmbeddedStore {
    EmbeddedStore::open(path, Options::default()).unwrap()
}

/// A million parked rows with an index of when they are due; prints what they take.
fn million(runtime: &Runtime, path: &Path) -> EmbeddedStore {
    let before_kb = status_kb("VmRSS");
    let store = open(path);
    let (since, ticks) = (Instant::now(), cpu_ticks());
    let mut slowest = Duration::ZERO;
    for from in (0..ROW_COUNT).step_by(100) {
        let writes: Vec<Write> = (from..from + 100).flat_map(parked).collect();
        let started = Instant::now();
        runtime.block_on(store.commit(writes)).unwrap();
        slowest = slowest.max(started.elapsed());
    }
    runtime.block_on(store.sync()).unwrap();
    let (took, cpu_ms) = (since.elapsed(), (cpu_ticks() - ticks) * 10);
    println!(
        "1M rows of 160 B and their index: {took:?}, {cpu_ms} ms of processor, slowest commit {slowest:?}"
    );
    println!(
        "  resident {} MiB before, {} MiB after, {} MiB at most",
        before_kb >> 10,
        status_kb("VmRSS") >> 10,
        status_kb("VmHWM") >> 10
    );
    drop(store);
    let since = Instant::now();
    let store = open(path);
    let took = since.elapsed();
    for number in 0..20_000 {
        black_box(runtime.block_on(store.get(ROWS, &[id(number * 7_919 % ROW_COUNT)])).unwrap());
    }
    println!(
        "  opened again in {took:?}, resident {} MiB after 20k reads",
        status_kb("VmRSS") >> 10
    );
    store
}

fn commits(criterion: &mut Criterion, runtime: &Runtime) {
    let root = folder();
    let store = open(root.path());
    let mut group = criterion.benchmark_group("commit");
    for count in [1_u64, 100, 1_000] {
        let mut number = 0;
        group.throughput(Throughput::Elements(count));
        group.bench_with_input(BenchmarkId::new("rows", count), &count, |bencher, count| {
            let batch = || {
                number += count;
                (number - count..number)
                    .map(|number| Write::Put { table: ROWS, key: id(number), value: row(number) })
                    .collect::<Vec<_>>()
            };
            let commit = |writes| runtime.block_on(store.commit(writes)).unwrap();
            bencher.iter_batched(batch, commit, BatchSize::SmallInput);
        });
    }
    group.throughput(Throughput::Elements(1));
    group.bench_function("row and sync", |bencher| {
        let mut number = 0;
        bencher.iter(|| {
            number += 1;
            let write = Write::Put { table: ROWS, key: id(number), value: row(number) };
            runtime.block_on(async {
                store.commit(vec![write]).await.unwrap();
                store.sync().await.unwrap();
            });
        });
    });
    group.finish();
}

fn reads(criterion: &mut Criterion, runtime: &Runtime, store: &EmbeddedStore) {
    let mut group = criterion.benchmark_group("read of a million");
    let mut number = 0;
    for (name, count, stride) in [("row", 1, 1), ("rows, 100 at once", 100, 1), ("no row", 1, 0)] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let keys: Vec<Bytes> = (0..count)
                    .map(|_| {
                        number += 7_919;
                        id(number % ROW_COUNT + (1 - stride) * ROW_COUNT)
                    })
                    .collect();
                black_box(runtime.block_on(store.get(ROWS, &keys)).unwrap())
            });
        });
    }
    for limit in [1_usize, 100, 1_000] {
        group.throughput(Throughput::Elements(limit as u64));
        group.bench_with_input(BenchmarkId::new("scan", limit), &limit, |bencher, limit| {
            bencher.iter(|| {
                number += 1;
                let from = id(number % ROW_COUNT);
                let range = Range { from, until: Bytes::new(), limit: *limit, backwards: false };
                black_box(runtime.block_on(store.scan(ROWS, range)).unwrap())
            });
        });
    }
    group.finish();
}

/// What it costs to go to the blocking pool and back.
fn detour(criterion: &mut Criterion, runtime: &Runtime) {
    criterion.bench_function("spawn_blocking and back", |bencher| {
        bencher
            .iter(|| runtime.block_on(async { tokio::task::spawn_blocking(|| 1).await.unwrap() }));
    });
}

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let filters: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if filters.is_empty() || filters.iter().any(|filter| filter.contains("million")) {
        let root = folder();
        // First, so that no other bench's memory counts.
        let store = million(&runtime, root.path());
        reads(&mut criterion, &runtime, &store);
    }
    commits(&mut criterion, &runtime);
    detour(&mut criterion, &runtime);
    criterion.final_summary();
}
