//! Webhooks that came.

use crate::auth::{Admin, Open};
use crate::door::Shared;
use crate::path::Address;
use crate::problem::{INTEGRATION_UNKNOWN, Outcome, WEBHOOK_UNKNOWN};
use crate::query::{Parameter, Queried, Query, word};
use crate::reply::Reply;
use crate::time::{Iso, parse};
use crate::webhook::Content;
use axum::extract::State;
use domain::config::Project;
use domain::event::Verdict;
use domain::id::{EventId, IntegrationId};
use domain::key::Key;
use domain::view::{Delivery, DeliveryFilter};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

const PAGE_LEN: usize = 100;

/// A page of webhooks, newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Webhooks {
    webhooks: Vec<Webhook>,
    /// How many there are, over all pages.
    total: u64,
}

/// A webhook that came.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    id: EventId,
    date_received: Iso,
    integration_id: IntegrationId,
    verdict: Verdict,
    /// The delivery's id, as the provider sent it; empty if none.
    delivery: String,
    /// What happened, as `kind` or `kind.action`.
    name: String,
    /// The account it is about, at the provider; empty if unknown.
    provider_id: String,
    /// Whether the same delivery had come before.
    repeated: bool,
    /// How many accounts were told.
    recipient_count: u32,
    /// Bytes of the body.
    size: i64,
    /// The webhook that it is a replay of.
    replay_of: Option<EventId>,
}

/// A webhook, with what was sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookContents {
    #[serde(flatten)]
    webhook: Webhook,
    /// Whether it is too large to be shown.
    is_large_content: bool,
    /// What was sent, unless it is too large.
    #[schemars(with = "Option<Content>")]
    content: Value,
}

/// Which webhooks are looked for.
#[derive(Default)]
pub(crate) struct Search {
    filter: DeliveryFilter,
    /// By id or kind.
    integration: Option<String>,
}

impl Queried for Search {
    const PARAMETERS: &'static [Parameter<Self>] = &[
        Parameter::new::<String>("integration", "a text", |search, value| {
            search.integration = Some(value.to_owned());
            Some(())
        }),
        Parameter::new::<Verdict>(
            "verdict",
            "VERIFIED, UNSIGNED, FORGED, STALE or MALFORMED",
            |search, value| {
                search.filter.verdict = Some(word(value)?);
                Some(())
            },
        ),
        Parameter::new::<String>("delivery", "a text", |search, value| {
            search.filter.delivery = Some(value.to_owned());
            Some(())
        }),
        Parameter::new::<String>("name", "a text", |search, value| {
            search.filter.name = Some(value.to_owned());
            Some(())
        }),
        Parameter::new::<bool>("unmatched", "true or false", |search, value| {
            search.filter.unmatched = Some(value.parse().ok()?);
            Some(())
        }),
        Parameter::new::<Iso>("beforeDate", "an ISO 8601 date", |search, value| {
            search.filter.before = Some(parse(value)?);
            Some(())
        }),
        Parameter::new::<Iso>("afterDate", "an ISO 8601 date", |search, value| {
            search.filter.after = Some(parse(value)?);
            Some(())
        }),
        Parameter::new::<u64>("offset", "a number from 0", |search, value| {
            search.filter.offset = value.parse().ok()?;
            Some(())
        }),
    ];
}

/// A page of webhooks, newest first.
pub(crate) async fn list(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    query: Query<Search>,
) -> Outcome<Reply<Webhooks>> {
    let filter = query.read()?.filter(&open.project)?;
    let page = door.app.inbox.list(open.id, &filter).await?;
    let webhooks = page.rows.into_iter().map(Webhook::from).collect();
    Ok(Reply::new(Webhooks { webhooks, total: page.total }))
}

/// One webhook, with what was sent; contents over `step_bytes_shown_max` are left out and marked.
pub(crate) async fn read(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
) -> Outcome<Reply<WebhookContents>> {
    let id: EventId = address.id("webhook", &WEBHOOK_UNKNOWN)?;
    let found = door.app.inbox.read(open.id, id).await?;
    let (row, sealed) = found.ok_or_else(|| WEBHOOK_UNKNOWN.plain())?;
    let clear = door.open(&Key::App(open.id, row.integration), &sealed).await?;
    let is_large_content = clear.len() as i64 > door.app.limits.step_bytes_shown_max;
    let content = match is_large_content {
        true => Value::Null,
        false => serde_json::from_slice(&clear).unwrap_or(Value::Null),
    };
    Ok(Reply::new(WebhookContents { webhook: row.into(), is_large_content, content }))
}

impl From<Delivery> for Webhook {
    fn from(row: Delivery) -> Self {
        Self {
            id: row.id,
            date_received: Iso(row.received_at),
            integration_id: row.integration,
            verdict: row.verdict,
            delivery: row.delivery,
            name: row.name,
            provider_id: row.provider_id,
            repeated: row.repeated,
            recipient_count: row.recipient_count,
            size: row.size,
            replay_of: row.replay_of,
        }
    }
}

impl Search {
    fn filter(self, project: &Project) -> Outcome<DeliveryFilter> {
        let Self { mut filter, integration } = self;
        if let Some(name) = integration {
            let named = project.integration_named(&name);
            filter.integration = Some(named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id);
        }
        filter.limit = PAGE_LEN;
        Ok(filter)
    }
}
