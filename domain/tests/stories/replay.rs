//! Webhooks that were kept, handed on once more.

use crate::settings::delay;
use crate::story::{PROJECT, Story, sealed};
use domain::command::{
    Command, ContinueReplay, LinkCredential, ReceiveWebhook, ReplayWebhook, ReplayWebhooks,
};
use domain::effect;
use domain::event::{Recipient, Verdict};
use domain::id::{CommandId, CredentialId, EventId, IntegrationId};
use domain::key::Key;
use domain::state::{REPLAYS_MAX, RowKey, Wanted};
use domain::time::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// The address of the integration.
fn address() -> Story {
    let mut story = Story::given(&delay());
    story.key = Key::App(PROJECT, story.integration);
    story
}

fn webhook(story: &Story) -> ReceiveWebhook {
    ReceiveWebhook {
        integration: story.integration,
        verdict: Verdict::Verified,
        delivery: "d-1".into(),
        name: "issues".into(),
        provider_id: "acme".into(),
        credential: None,
        size: 2,
        sealed: sealed(&json!({})),
    }
}

fn replay(story: &Story) -> ReplayWebhook {
    ReplayWebhook {
        webhook: EventId(Uuid::from_u128(7)),
        integration: story.integration,
        verdict: Verdict::Verified,
        despite: false,
        name: "issues".into(),
        provider_id: "acme".into(),
        credential: None,
        replay: None,
        size: 2,
        sealed: sealed(&json!({})),
    }
}

fn link(story: &Story) -> LinkCredential {
    let credential = CredentialId(Uuid::from_u128(9));
    LinkCredential {
        integration: story.integration,
        provider_id: "acme".into(),
        recipient: Recipient { user: "anna".into(), credential },
        linked: true,
    }
}

#[test]
fn what_matched_nobody_is_matched_as_accounts_are_now() {
    let mut story = address();
    story.when(webhook(&story)).then(&["webhook, tells 0"]);
    story.when(replay(&story)).then(&["replayed, tells 0"]);
    story.when(link(&story)).then(&["CredentialLinked"]);
    // The provider sends it again: it came before. Who asks for a replay knows that.
    story.when(webhook(&story)).then(&["webhook, tells 0"]);
    let command = story.command(replay(&story));
    let run = story.decided(&command);
    let tells = effect::tells(&run[0], 8);
    let [told] = &tells[..] else { panic!("{tells:?}") };
    assert_eq!(told.to, Key::User(PROJECT, "anna".into()));
    assert!(matches!(&told.command, Command::DeliverWebhook(c) if c.name == "issues"));
    story.when_again(&command).then(&["replayed, tells 1"]);
    story.when_again(&command).then(&["repeated"]);
}

#[test]
fn what_was_refused_is_replayed_only_for_who_says_so() {
    let mut story = address();
    story.when(link(&story)).then(&["CredentialLinked"]);
    for verdict in [Verdict::Forged, Verdict::Stale, Verdict::Unsigned, Verdict::Malformed] {
        let refused = ReplayWebhook { verdict, ..replay(&story) };
        story.when(refused.clone()).then(&["rejected: WEBHOOK_REFUSED"]);
        let despite = ReplayWebhook { despite: true, ..refused };
        story.when(despite).then(&["replayed, tells 1"]);
        let many = ReplayWebhooks { verdict: Some(verdict), ..many(&story) };
        story.when(many).then(&["rejected: WEBHOOK_REFUSED"]);
    }
    let elsewhere = ReplayWebhook { integration: IntegrationId(Uuid::nil()), ..replay(&story) };
    story.when(elsewhere).then(&["rejected: INTEGRATION_UNKNOWN"]);
}

fn many(story: &Story) -> ReplayWebhooks {
    ReplayWebhooks {
        integration: story.integration,
        verdict: None,
        unmatched: Some(true),
        name: String::new(),
        after: None,
        before: Timestamp(i64::MAX),
        despite: false,
        per_second: 50,
    }
}

fn go_on(story: &Story, replay: CommandId, until: i64, replayed: i32) -> ContinueReplay {
    ContinueReplay {
        integration: story.integration,
        replay,
        until_at: Timestamp(until),
        until: EventId(Uuid::from_u128(1)),
        replayed,
        skipped: 0,
        done: false,
    }
}

#[test]
fn a_replay_of_many_goes_on_at_its_pace_until_it_is_done() {
    let mut story = address();
    let command = story.command(many(&story));
    let replay = command.meta.command_id;
    story.when_again(&command).then(&["ReplayRequested"]);
    let key = RowKey::Replays(PROJECT, story.integration);
    let row = |story: &Story| story.rows.replays(&key).map(|rows| rows[&replay].clone());
    let first = row(&story).unwrap();
    assert_eq!((first.due, first.until), (story.now, None));
    let later = story.now.plus_ms(1);
    let Wanted::Webhooks(asked) = &first.wanted else { panic!("{first:?}") };
    assert_eq!(asked.before, later, "what comes later is not part of it");
    story.when(go_on(&story, replay, 5, 25)).then(&["ReplayContinued"]);
    let next = row(&story).unwrap();
    assert_eq!(next.due.since_ms(story.now), 500, "25 of 50 in a second");
    // The same piece again, sent by somebody else.
    story.when(go_on(&story, replay, 5, 25)).then(&["rejected: REPLAY_LATE"]);
    // Nothing came behind the last webhook that was looked at.
    let last = ContinueReplay { done: true, ..go_on(&story, replay, 5, 0) };
    story.when(last.clone()).then(&["ReplayContinued"]);
    assert_eq!(row(&story), None);
    story.when(last).then(&["rejected: REPLAY_LATE"]);
}

#[test]
fn replays_of_one_address_are_bounded() {
    let mut story = address();
    for _ in 0..REPLAYS_MAX {
        story.when(many(&story)).then(&["ReplayRequested"]);
    }
    story.when(many(&story)).then(&["rejected: REPLAYS_TOO_MANY"]);
}
