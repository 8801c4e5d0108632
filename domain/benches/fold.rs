//! What folding events into an owner's rows costs, without a store.

use crate::story::Story;
use criterion::{Criterion, Throughput};

pub(crate) fn fold(criterion: &mut Criterion) {
    let story = Story::new();
    let mut rows = story.before.clone();
    let events = story.started.len() + story.finished.len();
    let mut group = criterion.benchmark_group("fold");
    group.throughput(Throughput::Elements(events as u64));
    group.bench_function("an execution from start to end", |bencher| {
        bencher.iter(|| {
            domain::state::fold(&mut rows, &story.started);
            domain::state::fold(&mut rows, &story.finished);
            rows.take_dirty()
        });
    });
    group.finish();
}
