//! Payloads that cannot be opened any more: what needs them ends, and holds no one up.

use crate::bench::{BY_REQUEST, Bench, event, finished, now, ready, user};
use bytes::Bytes;
use domain::answer::Answer;
use domain::command::{ReceiveEvent, ReceiveRequest, RecordOutcome};
use domain::event::{Ending, Event};
use domain::payload::Payload;
use ports::{Asked, Clock};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

fn garbage() -> Payload {
    Payload::Sealed(Bytes::from_static(b"what no key seals"))
}

fn endings(bench: &Bench) -> Vec<(Ending, String)> {
    let events = bench.events().into_iter();
    let ended = events.filter_map(|event| match event {
        Event::ExecutionFinished(e) => Some((e.ending, e.code)),
        _ => None,
    });
    ended.collect()
}

#[test]
fn a_step_that_refers_to_it_fails_by_name() {
    let mut bench = ready();
    let body = ReceiveEvent { name: "E".into(), credential: None, size: 1, sealed: garbage() };
    bench.send(&user(), body);
    let body = event(&bench);
    bench.send(&user(), body);
    bench.settle();
    let expected = [(Ending::Failed, "DATA_ERASED".into()), (Ending::Succeeded, String::new())];
    assert_eq!(endings(&bench), expected);
}

#[test]
fn a_decision_that_needs_it_ends_the_run_and_the_caller_hears() {
    let mut bench = ready();
    let sealed = bench.world.vault.seal(&user(), br#"{"request":{"body":{"n":5}}}"#).unwrap();
    let body = ReceiveRequest { workflow: BY_REQUEST, credential: None, size: 1, sealed };
    let command = bench.send(&user(), body);
    let mut waiting = bench.world.answers.wait(Asked { command, body_hash: None });
    // The step is performed elsewhere, and what comes back cannot be opened.
    let mut works = Vec::new();
    while works.is_empty() {
        for owner in &mut bench.owners {
            now(owner.turn()).unwrap();
            works.extend(owner.take_works());
        }
    }
    let call = works.remove(0).call;
    let outcome = RecordOutcome {
        execution: call.key.execution,
        step: call.key.step,
        attempt: call.attempt,
        started_at: bench.clock.now(),
        code: String::new(),
        retryable: false,
        status: None,
        retry_after_ms: None,
        input_size: 0,
        output_size: 9,
        sealed: garbage(),
    };
    bench.send(&user(), outcome);
    bench.settle();
    assert_eq!(endings(&bench), [(Ending::Failed, "DATA_ERASED".into())]);
    let answer = Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Answer::Rejected { .. })), "{answer:?}");
    // The slot of the step is free again, and the owner goes on.
    for _ in 0..5 {
        let body = event(&bench);
        bench.send(&user(), body);
    }
    bench.settle();
    assert_eq!(finished(&bench.events()), 6);
}
