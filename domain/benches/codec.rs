//! What records cost on their way to bytes and back.

use crate::story::Story;
use criterion::{Criterion, Throughput};
use domain::codec::{self, Family};
use domain::command::Command;
use domain::event::Event;
use domain::meta::Recorded;
use std::hint::black_box;

fn both<F: Family>(criterion: &mut Criterion, name: &str, records: &[Recorded<F>]) {
    let bytes: Vec<Vec<u8>> = records.iter().map(|one| codec::encode(one).unwrap()).collect();
    let mut group = criterion.benchmark_group(format!("codec: {name}"));
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| records.iter().for_each(|one| drop(black_box(codec::encode(one)))));
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| bytes.iter().for_each(|one| drop(black_box(codec::decode::<F>(one)))));
    });
    group.bench_function("envelope only", |bencher| {
        bencher.iter(|| bytes.iter().for_each(|one| drop(black_box(codec::decode_meta(one)))));
    });
    group.finish();
}

pub(crate) fn records(criterion: &mut Criterion) {
    let story = Story::new();
    both::<Command>(criterion, "an event's command", std::slice::from_ref(&story.event));
    both::<Event>(criterion, "a start", &story.started);
    both::<Event>(criterion, "an end", &story.finished);
}
