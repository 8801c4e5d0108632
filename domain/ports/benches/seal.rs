//! What sealing and opening a payload costs, with the data key at hand.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use domain::id::ProjectId;
use domain::key::Key;
use futures_util::FutureExt;
use ports::model::blob::ModelBlob;
use ports::model::log::ModelLog;
use ports::model::random::SeededRandom;
use ports::{MasterKey, Vault};
use std::sync::Arc;
use uuid::Uuid;

const SIZES: [usize; 3] = [100, 500, 32 * 1024];

fn seal(criterion: &mut Criterion) {
    let (log, blob) = (Arc::new(ModelLog::kind(8)), Arc::new(ModelBlob::new()));
    let random = Arc::new(SeededRandom::new(1));
    let vault = Vault::new(log, blob, random, MasterKey::new([7; 32]));
    let key = Key::User(ProjectId(Uuid::from_u128(1)), "user-1".into());
    vault.prepare(&key).now_or_never().unwrap().unwrap();
    let mut group = criterion.benchmark_group("vault");
    for bytes in SIZES {
        let clear = vec![b'x'; bytes];
        let sealed = vault.seal(&key, &clear).unwrap();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("seal", bytes), |bencher| {
            bencher.iter(|| vault.seal(&key, &clear).unwrap());
        });
        group.bench_function(BenchmarkId::new("open", bytes), |bencher| {
            bencher.iter(|| vault.open(&key, &sealed).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, seal);
criterion_main!(benches);
