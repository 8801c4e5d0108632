//! `POST /triggers/connect/{project}/{integration}/…`: what providers send.
//!
//! The raw bytes are verified by the integration's scheme. Refused webhooks are kept too, cut
//! short and only so many a minute, so that whoever sets one up can see why it does not arrive.

mod arrival;
mod pluck;
mod refusal;
mod scheme;
mod secret;
mod verify;

pub(crate) use refusal::Refusals;
pub(crate) use secret::Secrets;

use crate::auth::Open;
use crate::body;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::path::Address;
use crate::problem::{
    CREDENTIAL_UNKNOWN, Code, Outcome, WEBHOOK_FORGED, WEBHOOK_MALFORMED, WEBHOOK_STALE,
    WEBHOOK_UNCONFIGURED, WEBHOOK_UNSIGNED,
};
use crate::sdk::trigger::fields;
use arrival::{Arrival, Named};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::command::ReceiveWebhook;
use domain::config::{IntegrationSettings, WebhookSettings};
use domain::event::Verdict;
use domain::id::{CredentialId, ProjectId};
use domain::key::Key;
use domain::meta::Actor;
use scheme::Scheme;
use serde_json::{Map, Value, json};
use verify::Window;

/// Takes in a webhook: 200 once it is durable.
pub(crate) async fn receive(
    State(door): State<Shared>,
    open: Open,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Outcome<Json<Value>> {
    let integration = address.integration(&open.project)?;
    let (settings, scheme) = scheme_of(integration)?;
    let limits = &door.app.limits;
    let params = fields(address.query().as_bytes())?;
    let credential = credential_of(&params)?;
    let body = body::read(&headers, body, limits.webhook_bytes_max, limits.body_timeout_ms).await?;
    let secret = door.webhook_secret(&open, integration).await?;
    let now_s = door.now().0.div_euclid(1_000);
    let window = Window { now_s, tolerance_s: settings.tolerance_s };
    let signed = scheme.verify(&secret, &headers, &body, window)?;
    let arrival = Arrival { headers: &headers, params, body: &body };
    let named = arrival.named(scheme, settings, signed);
    let verdict = named.verdict;
    let kept = Kept { project: open.id, integration, credential };
    door.keep(kept, arrival, named).await?;
    match refusal(verdict) {
        None => Ok(Json(json!({}))),
        Some(code) => Err(code.plain().of(open.id)),
    }
}

fn scheme_of(integration: &IntegrationSettings) -> Outcome<(&WebhookSettings, &'static Scheme)> {
    let settings = integration.webhook.as_ref().ok_or_else(|| WEBHOOK_UNCONFIGURED.plain())?;
    let scheme = Scheme::named(&settings.scheme).ok_or_else(|| {
        tracing::error!(scheme = %settings.scheme, "an integration names an unknown scheme");
        WEBHOOK_UNCONFIGURED.plain()
    })?;
    Ok((settings, scheme))
}

/// The account that the address names: `?id=…`, also `/?id=…`.
fn credential_of(params: &Map<String, Value>) -> Outcome<Option<CredentialId>> {
    let Some(id) = params.get("id") else { return Ok(None) };
    let id = id.as_str().unwrap_or_default().trim_end_matches('/');
    id.parse().map(Some).map_err(|_| CREDENTIAL_UNKNOWN.plain())
}

fn refusal(verdict: Verdict) -> Option<&'static Code> {
    match verdict {
        Verdict::Verified => None,
        Verdict::Unsigned => Some(&WEBHOOK_UNSIGNED),
        Verdict::Forged => Some(&WEBHOOK_FORGED),
        Verdict::Stale => Some(&WEBHOOK_STALE),
        Verdict::Malformed => Some(&WEBHOOK_MALFORMED),
    }
}

/// Where a webhook is kept.
struct Kept<'a> {
    project: ProjectId,
    integration: &'a IntegrationSettings,
    credential: Option<CredentialId>,
}

impl Door {
    async fn keep(&self, kept: Kept<'_>, arrival: Arrival<'_>, named: Named) -> Outcome<()> {
        let id = kept.integration.id;
        let is_refused = named.verdict != Verdict::Verified;
        if is_refused && !self.refusals.admit(id, self.now()) {
            tracing::warn!(integration = %id, verdict = ?named.verdict, "a refused webhook is not kept");
            return Ok(());
        }
        let key = Key::App(kept.project, id);
        let size = i32::try_from(arrival.body.len()).unwrap_or(i32::MAX);
        let clear = if is_refused {
            arrival.cut(self.app.limits.refused_bytes_max)
        } else {
            arrival.whole()
        };
        let command = ReceiveWebhook {
            integration: id,
            verdict: named.verdict,
            delivery: named.delivery,
            name: named.name,
            provider_id: named.provider_id,
            credential: kept.credential,
            size,
            sealed: self.seal(&key, clear.as_bytes()).await?,
        };
        let (actor, identity) = (Actor::Provider, self.fresh());
        self.append(Wish { key, actor, identity, command: command.into() }).await
    }
}
