//! More than one decision holds: it goes on in further ones, and nothing is left out.

use crate::bench::{
    BY_EVENT, Bench, INTEGRATION, PARTITIONS, connect, event, now, project, ready, user,
};
use domain::answer::Answer;
use domain::codec;
use domain::command::{ConnectCredential, LinkCredential, ReceiveWebhook, SwitchWorkflow};
use domain::decide::DECISION_EVENTS_MAX;
use domain::event::{Event, Recipient, Verdict};
use domain::id::CredentialId;
use domain::key::Key;
use ports::Partition;
use std::collections::BTreeMap;
use uuid::Uuid;

/// More than the recipients of two decisions.
const RECIPIENTS: usize = 2_500;
/// More accounts than one decision can start something for.
const ACCOUNTS: usize = 450;

fn webhook(bench: &Bench, app: &Key) -> ReceiveWebhook {
    now(bench.world.vault.prepare(app)).unwrap();
    let sealed = bench.world.vault.seal(app, br#"{"body":{}}"#).unwrap();
    ReceiveWebhook {
        integration: INTEGRATION,
        verdict: Verdict::Verified,
        delivery: "d-1".into(),
        name: "issues.opened".into(),
        provider_id: "shared".into(),
        credential: None,
        size: 2,
        sealed,
    }
}

#[test]
fn a_webhook_reaches_each_of_its_recipients_once() {
    let mut bench = ready();
    let app = Key::App(project(), INTEGRATION);
    for n in 0..RECIPIENTS {
        let credential = CredentialId(Uuid::from_u128(n as u128));
        let recipient = Recipient { user: format!("user-{n}"), credential };
        let provider_id = "shared".to_owned();
        let integration = INTEGRATION;
        bench.send(&app, LinkCredential { integration, provider_id, recipient, linked: true });
    }
    bench.settle();
    let body = webhook(&bench, &app);
    bench.send(&app, body);
    bench.settle();
    bench.settle();
    let mut reached = BTreeMap::<String, usize>::new();
    for number in 0..PARTITIONS {
        let events = Partition::events(number);
        for stored in now(bench.world.log.read(events, 0, usize::MAX)).unwrap() {
            let event = codec::decode::<Event>(&stored.record.value).unwrap();
            if let (Event::EventReceived(_), Some(Key::User(_, user))) =
                (&event.body, event.meta.parsed_key())
            {
                *reached.entry(user).or_default() += 1;
            }
        }
    }
    assert_eq!(reached.len(), RECIPIENTS);
    assert!(reached.values().all(|count| *count == 1));
}

#[test]
fn an_event_starts_its_workflow_for_every_account() {
    let mut bench = ready();
    for n in 1..ACCOUNTS {
        let first = connect(&bench, &user());
        let provider_id = format!("acme-{n}");
        let body = ConnectCredential { another: true, provider_id, ..first };
        let Answer::Connected { credential } = bench.ask(&user(), body) else { panic!() };
        let credential = Some(credential);
        bench.send(&user(), SwitchWorkflow { workflow: BY_EVENT, credential, enabled: true });
    }
    let body = event(&bench);
    bench.send(&user(), body);
    // Long enough to start them all; the project's three slots would take much longer.
    for _ in 0..20 {
        bench.round();
    }
    let events = bench.events();
    let received = events.iter().find_map(|event| match event {
        Event::EventReceived(e) => Some(e.executions),
        _ => None,
    });
    let count = |passes: fn(&Event) -> bool| events.iter().filter(|e| passes(e)).count();
    assert_eq!(received, Some(ACCOUNTS as i32));
    assert_eq!(count(|event| matches!(event, Event::ExecutionStarted(_))), ACCOUNTS);
    assert!(count(|event| matches!(event, Event::StartsDeferred(_))) >= 2);
    assert!(longest(&bench) <= DECISION_EVENTS_MAX);
}

/// Events of the longest decision.
fn longest(bench: &Bench) -> usize {
    let partition = Partition::events(user().partition(PARTITIONS));
    let stored = now(bench.world.log.read(partition, 0, usize::MAX)).unwrap();
    stored.iter().map(|stored| stored.record.headers.n as usize).max().unwrap()
}
