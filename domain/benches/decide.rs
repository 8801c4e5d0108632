//! What one decision costs, on rows that are at hand.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

mod story;

use criterion::{Criterion, criterion_group, criterion_main};
use story::Story;

fn decide(criterion: &mut Criterion) {
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

criterion_group!(benches, decide);
criterion_main!(benches);
