//! Webhooks that were kept, handed on once more.

use crate::auth::{Admin, Open};
use crate::body::{Read, Sent};
use crate::command::{Identity, Wish};
use crate::door::Shared;
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{
    BODY_MALFORMED, INTEGRATION_UNKNOWN, Outcome, WEBHOOK_CUT, WEBHOOK_UNCONFIGURED,
    WEBHOOK_UNKNOWN,
};
use crate::query::{Parameter, Queried, Query};
use crate::reply::{Nothing, Reply};
use crate::time::{Iso, read};
use axum::extract::State;
use domain::command::{ReplayWebhook, ReplayWebhooks};
use domain::event::Verdict;
use domain::id::{CommandId, EventId, IntegrationId};
use domain::key::Key;
use domain::meta::Actor;
use domain::time::Timestamp;
use domain::view;
use domain::webhook::Content;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Webhooks of a replay of many in a second, where nothing is said.
const PER_SECOND: i32 = 100;

/// Whether a webhook may be replayed that was refused.
#[derive(Default)]
pub(crate) struct Despite(bool);

impl Queried for Despite {
    const PARAMETERS: &'static [Parameter<Self>] =
        &[Parameter::new::<bool>("despiteRefusal", "true or false", |despite, value| {
            despite.0 = value.parse().ok()?;
            Some(())
        })];
}

/// Which webhooks are replayed.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    /// Of this integration, by id or kind; without it of all.
    integration: Option<String>,
    /// With this verdict.
    verdict: Option<Verdict>,
    /// Only those that no account was told of, or that one was.
    unmatched: Option<bool>,
    /// Of this name.
    name: Option<String>,
    /// Come after.
    #[schemars(with = "Option<Iso>")]
    after_date: Option<String>,
    /// Come before.
    #[schemars(with = "Option<Iso>")]
    before_date: Option<String>,
    /// Whether refused ones are replayed too.
    despite_refusal: Option<bool>,
    /// At most so many in a second; 100.
    per_second: Option<i32>,
}

impl Read for Wanted {
    type From<'a> = Self;
}

/// Replays that were begun.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Begun {
    replays: Vec<BegunReplay>,
}

/// One for each integration.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BegunReplay {
    id: CommandId,
    integration_id: IntegrationId,
}

/// Replays of many, newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Replays {
    replays: Vec<Replay>,
}

/// How far a replay has come.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Replay {
    id: CommandId,
    integration_id: IntegrationId,
    date_requested: Iso,
    /// Webhooks that were replayed so far.
    replayed: u64,
    /// Webhooks that could not be: only their beginning was kept, or their keys are gone.
    skipped: u64,
    /// Whether there are no more.
    is_done: bool,
}

/// Hands one webhook to whom it is for now, as the integration's settings read it now.
pub(crate) async fn one(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    query: Query<Despite>,
) -> Outcome<Reply<Nothing>> {
    let id: EventId = address.id("webhook", &WEBHOOK_UNKNOWN)?;
    let Despite(despite) = query.read()?;
    let route = format!("webhooks/{id}/replay");
    let within = Within { project: open.id, user: "", route: &route };
    let identity = door.identity(&key, &within, &[&[u8::from(despite)]])?;
    let found = door.app.inbox.read(open.id, id).await?;
    let (row, sealed) = found.ok_or_else(|| WEBHOOK_UNKNOWN.plain())?;
    let settings = open.project.integrations.get(&row.integration);
    let settings = settings.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.webhook.as_ref();
    let settings = settings.ok_or_else(|| WEBHOOK_UNCONFIGURED.plain())?;
    let scheme = settings.scheme().ok_or_else(|| WEBHOOK_UNCONFIGURED.plain())?;
    let key = Key::App(open.id, row.integration);
    let clear = door.open(&key, &sealed).await?;
    let kept = serde_json::from_slice(&clear).unwrap_or_default();
    let content = Content::of(kept, row.size).ok_or_else(|| WEBHOOK_CUT.plain())?;
    let said = content.said(scheme, settings);
    let sealed = match content.is_restored {
        false => sealed,
        true => door.seal(&key, content.value.to_string().as_bytes()).await?,
    };
    let command = ReplayWebhook {
        webhook: row.replay_of.unwrap_or(id),
        integration: row.integration,
        verdict: row.verdict,
        despite,
        name: said.name,
        provider_id: said.provider_id,
        credential: said.credential,
        replay: None,
        size: i32::try_from(row.size).unwrap_or(i32::MAX),
        sealed,
    };
    door.decide(Wish { key, actor: Actor::Team, identity, command: command.into() }).await?;
    Ok(Reply::new(Nothing {}))
}

/// Replays what a filter lets pass, of each integration apart; oldest first, and not too fast.
pub(crate) async fn many(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    key: IdempotencyKey,
    body: Sent<Wanted>,
) -> Outcome<Reply<Begun, 202>> {
    let wanted = body.read()?;
    let within = Within { project: open.id, user: "", route: "webhooks/replays" };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let integrations: Vec<IntegrationId> = match &wanted.integration {
        Some(name) => {
            let named = open.project.integration_named(name);
            vec![named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id]
        }
        None => {
            let all = open.project.integrations.values();
            all.filter(|known| known.webhook.is_some()).map(|known| known.id).collect()
        }
    };
    let asked = wanted.asked()?;
    let mut replays = Vec::with_capacity(integrations.len());
    for integration in integrations {
        let key = Key::App(open.id, integration);
        let id = CommandId::derived(&identity.id.0, &key, 0);
        let identity = Identity { id, ..identity };
        let command = ReplayWebhooks { integration, ..asked.clone() }.into();
        door.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
        replays.push(BegunReplay { id, integration_id: integration });
    }
    Ok(Reply::new(Begun { replays }))
}

/// Replays of many, and how far they have come.
pub(crate) async fn list(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
) -> Outcome<Reply<Replays>> {
    let replays = door.app.inbox.replays(open.id).await?;
    Ok(Reply::new(Replays { replays: replays.into_iter().map(Replay::from).collect() }))
}

impl Wanted {
    /// The command for an integration that is still to be named.
    fn asked(self) -> Outcome<ReplayWebhooks> {
        let is_open = self.integration.is_none()
            && self.verdict.is_none()
            && self.unmatched.is_none()
            && self.name.is_none()
            && self.after_date.is_none()
            && self.before_date.is_none();
        if is_open {
            return Err(BODY_MALFORMED.because("Say which webhooks: no filter is given."));
        }
        Ok(ReplayWebhooks {
            integration: IntegrationId(uuid::Uuid::nil()),
            verdict: self.verdict,
            unmatched: self.unmatched,
            name: self.name.unwrap_or_default(),
            after: read(self.after_date)?,
            // Without a date, all that came before the decision.
            before: read(self.before_date)?.unwrap_or(Timestamp(i64::MAX)),
            despite: self.despite_refusal.unwrap_or(false),
            per_second: self.per_second.unwrap_or(PER_SECOND),
        })
    }
}

impl From<view::Replay> for Replay {
    fn from(row: view::Replay) -> Self {
        Self {
            id: row.asked.replay,
            integration_id: row.asked.integration,
            date_requested: Iso(row.requested_at),
            replayed: row.replayed,
            skipped: row.skipped,
            is_done: row.is_done,
        }
    }
}
