//! What one decision costs, on rows that are at hand.

use crate::story::Story;
use criterion::Criterion;

pub(crate) fn decide(criterion: &mut Criterion) {
    let story = Story::new();
    let mut group = criterion.benchmark_group("decide");
    group.bench_function("an event that starts an execution", |bencher| {
        bencher.iter(|| story.decide(&story.before, &story.event));
    });
    group.bench_function("an outcome with a conditional behind it", |bencher| {
        bencher.iter(|| story.decide(&story.waiting, &story.outcome));
    });
    group.finish();
}
