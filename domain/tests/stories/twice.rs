//! Folding a decision twice gives the same rows as folding it once.

use crate::story::{PROJECT, Story, sealed};
use domain::command::{
    AskSlots, Command, DescribeUser, LinkCredential, ReceiveWebhook, RemoveCredential, SwitchUser,
    SwitchWorkflow,
};
use domain::event::{Recipient, Verdict};
use domain::id::{CommandId, CredentialId, Telling};
use domain::state::{Due, fold};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

/// What a case does next: kinds of command, with a number to vary them.
type Move = (u8, u8);

fn steps(kinds: &[u8], has_answer: bool) -> Value {
    let mut steps: Vec<Value> = (0..)
        .zip(kinds)
        .map(|(at, kind): (usize, _)| {
            let name = format!("step {at}");
            match kind % 4 {
                0 => json!({ "name": name, "function": "function yourFunction() {}" }),
                1 => json!({ "name": name, "delay": { "value": 1 } }),
                2 => json!({ "name": name, "request": { "url": "https://a.example" },
                    "auto_retry": true, "continue_on_error": true }),
                _ => json!({ "name": name, "if": { "1": { "exactly_matches": "1" } } }),
            }
        })
        .collect();
    if has_answer {
        steps.insert(
            steps.len() / 2,
            json!({ "name": "answer", "response": { "status": 200, "body": {} } }),
        );
    }
    Value::from(steps)
}

fn credential(number: u8) -> CredentialId {
    CredentialId(Uuid::from_u128(u128::from(number % 3)))
}

fn command(story: &Story, (kind, number): Move) -> Command {
    let waits = story.pending();
    let performs = waits.as_ref().is_some_and(|pending| pending.due.is_up());
    let has_begun = waits.as_ref().is_some_and(|pending| pending.due == Due::Begun);
    match kind % 16 {
        0 => story.event().into(),
        1 => story.request().into(),
        2 if performs => story.outcome("", false).into(),
        3 if performs => story.outcome("HTTP_ERROR", number % 2 == 0).into(),
        4 if waits.as_ref().is_some_and(|pending| pending.due.moment().is_some()) => {
            story.timer().into()
        }
        5 if story.pending().is_some() => story.cancel().into(),
        6 => story.connect().into(),
        7 => RemoveCredential { integration: story.integration, credential: None }.into(),
        8 => {
            let workflow = story.by_event;
            SwitchWorkflow { workflow, credential: None, enabled: number % 2 == 0 }.into()
        }
        9 => SwitchUser { enabled: number % 4 != 0 }.into(),
        10 => ReceiveWebhook {
            integration: story.integration,
            verdict: if number % 4 == 0 { Verdict::Forged } else { Verdict::Verified },
            delivery: format!("{}", number % 5),
            name: "issues.opened".into(),
            provider_id: format!("{}", number % 2),
            credential: (number % 2 == 0).then(|| credential(number)),
            size: 2,
            sealed: sealed(&json!({})),
        }
        .into(),
        11 => LinkCredential {
            integration: story.integration,
            provider_id: if number % 7 == 0 { String::new() } else { format!("{}", number % 2) },
            recipient: Recipient { user: "anna".into(), credential: credential(number) },
            linked: number % 3 != 0,
        }
        .into(),
        12 if has_begun => story.lose().into(),
        12 if performs => story.pause().into(),
        13 if waits.is_some_and(|pending| pending.due == Due::Resumed) => story.resume().into(),
        14 => {
            let (wanted, busy) = (i32::from(number % 5), i32::from(number % 3));
            AskSlots { project: PROJECT, lane: i32::from(number % 2), wanted, busy }.into()
        }
        _ => DescribeUser { sealed: sealed(&json!({ "n": number })) }.into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decision_folded_twice_is_as_if_folded_once(
        kinds in proptest::collection::vec(any::<u8>(), 1..5),
        answers in any::<bool>(),
        moves in proptest::collection::vec(any::<Move>(), 1..40),
    ) {
        let mut story = Story::given(&steps(&kinds, answers));
        for (offset, next) in (1..).zip(moves) {
            if next.0 % 8 == 0 {
                story.set_active(next.1 % 2 == 0);
            }
            if next.1 % 5 == 0 && story.pending().is_some() {
                let begun = story.begun();
                story.take(&begun);
                let once = story.all();
                story.take(&begun);
                prop_assert_eq!(story.all(), once, "{:?}", begun);
            }
            let mut command = story.command(command(&story, next));
            if next.1 % 3 == 0 {
                let tell = Telling { partition: 1, offset, event: 0, number: 0 };
                command.meta.command_id = CommandId::telling(tell, &story.key);
            }
            let run = story.decided(&command);
            story.take(&run);
            let once = story.all();
            story.take(&run);
            prop_assert_eq!(story.all(), once, "{:?}", run);
            story.later(i64::from(next.1) * 997);
        }
    }
}

#[test]
fn a_step_that_succeeds_is_metered_once_however_often_it_is_folded() {
    let request = |name| json!({ "name": name, "request": { "url": "https://a.example" } });
    let mut story = Story::given_run(&json!([request("a"), request("b")]));
    let outcome = story.command(story.outcome("", false));
    let run = story.decided(&outcome);
    for _ in 0..3 {
        fold(&mut story.rows, &run);
    }
    story
        .when(story.outcome("", false))
        .then(&["step 1 succeeded, attempt 1", "succeeded, 2 tasks: "]);
}
