//! `POST /triggers/connect/{project}/{integration}/…`: what providers send.
//!
//! The raw bytes are verified by the integration's scheme, and requests by which a provider only
//! makes sure of the address are answered as the scheme says. Refused webhooks are kept too, cut
//! short and only so many a minute, so that whoever sets one up can see why it does not arrive.

mod arrival;
mod handshake;
mod judge;
mod pluck;
mod refusal;
mod secret;
mod verify;

pub(crate) use arrival::Content;
pub use judge::{Judge, NoVerdict, Question};
pub(crate) use refusal::Refusals;
pub(crate) use secret::Secrets;

use crate::auth::Open;
use crate::body;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::layer::origin;
use crate::path::Address;
use crate::problem::{
    BODY_TOO_LARGE, CREDENTIAL_UNKNOWN, Code, METHOD_UNSUPPORTED, Outcome, Problem, WEBHOOK_FORGED,
    WEBHOOK_MALFORMED, WEBHOOK_STALE, WEBHOOK_UNCONFIGURED, WEBHOOK_UNSIGNED,
};
use crate::query::{Parameter, Queried, Query};
use crate::sdk::trigger::fields;
use arrival::{Arrival, Named};
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use bytes::Bytes;
use domain::command::ReceiveWebhook;
use domain::config::{IntegrationSettings, WebhookSettings};
use domain::event::Verdict;
use domain::id::{CredentialId, ProjectId};
use domain::key::Key;
use domain::meta::Actor;
use domain::webhook::{Handshake, Scheme};
use handshake::Answer;
use serde_json::Map;
use std::sync::OnceLock;
use verify::{Window, in_time, verify};

/// Takes in a webhook: 200 once it is durable.
pub(crate) async fn receive(
    State(door): State<Shared>,
    open: Open,
    address: Address,
    query: Query<Addressed>,
    headers: HeaderMap,
    body: Body,
) -> Outcome<Answer> {
    let integration = address.integration(&open.project)?;
    let limits = &door.app.limits;
    let declared = body.size_hint().lower();
    let (params, misread) = match fields(address.query().as_bytes()) {
        Ok(params) => (params, None),
        Err(problem) => (Map::new(), Some(problem)),
    };
    let body = body::read(&headers, body, limits.webhook_bytes_max, limits.body_timeout_ms).await;
    let (body, unread) = match body {
        Ok(body) => (body, None),
        Err(problem) => (Bytes::new(), Some(problem)),
    };
    let is_too_large = unread.as_ref().is_some_and(|problem| *problem.code == BODY_TOO_LARGE);
    let known = if is_too_large { limits.webhook_bytes_max + 1 } else { body.len() };
    let size = declared.max(known as u64);
    let url = origin(&headers) + address.whole();
    let method = address.method();
    let (headers, body) = (&headers, &body[..]);
    let scheme = scheme_of(integration).ok().map(|(_, scheme)| scheme);
    let secret = scheme.and_then(|scheme| scheme.token.as_ref()).map(|token| &token.at);
    let json = OnceLock::new();
    let arrival = Arrival { method, url, headers, params, body, size, secret, json };
    let kept = Kept { project: open.id, integration };
    let judged = match misread.or(unread) {
        Some(problem) => Err(problem),
        None => door.judge(&open, integration, &arrival, &query).await,
    };
    let problem = match judged {
        Ok(Judged::Greeting { answer, keeps }) => {
            if keeps {
                let named = arrival.unread(None);
                let problem = WEBHOOK_UNSIGNED.because("The provider makes sure of the address.");
                door.keep(kept, arrival, (named, None), Some(&problem)).await?;
            }
            return Ok(Answer::Greeting(answer));
        }
        // Only to make sure of an address is it read.
        Ok(Judged::Delivery(..)) if *method != Method::POST => {
            return Err(METHOD_UNSUPPORTED.plain().of(open.id));
        }
        Ok(Judged::Delivery(named, credential)) => {
            let (named, credential) = match is_test(&address) {
                true => (named.of_nobody(), None),
                false => (named, credential),
            };
            let refusal = refusal(named.verdict).map(Code::plain);
            door.keep(kept, arrival, (named, credential), refusal.as_ref()).await?;
            refusal
        }
        // Nothing can be kept now, and whoever sent it tries again; or it is no delivery.
        Err(problem) if problem.code.status == 503 || *method != Method::POST => Some(problem),
        Err(problem) => {
            let named = arrival.unread(scheme);
            door.keep(kept, arrival, (named, None), Some(&problem)).await?;
            Some(problem)
        }
    };
    problem.map_or(Ok(Answer::Kept), |problem| Err(problem.of(open.id)))
}

/// Whether what comes there is only kept: `…/test`, beside the address that workflows are started
/// from (seeds: custom-webhooks).
fn is_test(address: &Address) -> bool {
    address.text("rest").rsplit('/').find(|part| !part.is_empty()) == Some("test")
}

fn scheme_of(integration: &IntegrationSettings) -> Outcome<(&WebhookSettings, &Scheme)> {
    let settings = integration.webhook.as_ref().ok_or_else(|| WEBHOOK_UNCONFIGURED.plain())?;
    let scheme = settings.scheme().ok_or_else(|| {
        tracing::error!(scheme = %settings.scheme, "an integration names an unknown scheme");
        WEBHOOK_UNCONFIGURED.plain()
    })?;
    Ok((settings, scheme))
}

/// The account that the address names: `?id=…`, also `/?id=…`.
#[derive(Default)]
pub(crate) struct Addressed {
    id: Option<String>,
}

impl Queried for Addressed {
    const PARAMETERS: &'static [Parameter<Self>] =
        &[Parameter::new::<CredentialId>("id", "the id of an account", |addressed, value| {
            addressed.id = Some(value.trim_end_matches('/').to_owned());
            Some(())
        })];
}

impl Addressed {
    fn credential(self) -> Outcome<Option<CredentialId>> {
        let id = self.id.map(|id| id.parse().map_err(|_| CREDENTIAL_UNKNOWN.plain()));
        id.transpose()
    }
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

/// What a request is.
enum Judged {
    /// A delivery, and for which account the address is.
    Delivery(Named, Option<CredentialId>),
    /// Only a question of the provider's, and its answer.
    Greeting { answer: Response, keeps: bool },
}

/// Where a webhook is kept.
struct Kept<'a> {
    project: ProjectId,
    integration: &'a IntegrationSettings,
}

impl Door {
    /// What a request is, and what a webhook says of itself.
    async fn judge(
        &self,
        open: &Open,
        integration: &IntegrationSettings,
        arrival: &Arrival<'_>,
        query: &Query<Addressed>,
    ) -> Outcome<Judged> {
        let (settings, scheme) = scheme_of(integration)?;
        let credential = query.read()?.credential()?;
        let secret = self.webhook_secret(open, integration).await?;
        let window = Window { now_ms: self.now().0, tolerance_s: settings.tolerance_s };
        let signed = match &scheme.function {
            None => verify(scheme, &secret, arrival, window)?,
            Some(code) => {
                let whose = (open.id, integration.id);
                let verdict = self.asked(whose, (code, &secret), arrival).await?;
                in_time(verdict, scheme, arrival, window)
            }
        };
        let asks = |handshake: &&Handshake| !handshake.signed || signed == Verdict::Verified;
        if let Some(handshake) = handshake::of(scheme, arrival).filter(asks)
            && let Some(answer) = handshake::answer(scheme, handshake, arrival, &secret)
        {
            return Ok(Judged::Greeting { answer, keeps: handshake.keep });
        }
        Ok(Judged::Delivery(arrival.named(scheme, settings, signed), credential))
    }

    /// Keeps a webhook: a refused one with why, and only so many of these.
    async fn keep(
        &self,
        kept: Kept<'_>,
        arrival: Arrival<'_>,
        (named, credential): (Named, Option<CredentialId>),
        refusal: Option<&Problem>,
    ) -> Outcome<()> {
        let id = kept.integration.id;
        let clear = match refusal {
            None => arrival.whole(),
            Some(problem) => {
                let Some(missed) = self.refusals.admit(id, self.now()) else {
                    self.app.meter.unkept(problem.code.name);
                    tracing::warn!(
                        integration = %id, code = problem.code.name,
                        "a refused webhook is not kept"
                    );
                    return Ok(());
                };
                arrival.cut(self.app.limits.refused_bytes_max, problem, missed)
            }
        };
        let key = Key::App(kept.project, id);
        let command = ReceiveWebhook {
            integration: id,
            verdict: named.verdict,
            delivery: named.delivery,
            name: named.name,
            provider_id: named.provider_id,
            credential,
            size: i32::try_from(arrival.size).unwrap_or(i32::MAX),
            sealed: self.seal(&key, clear.as_bytes()).await?,
        };
        let (actor, identity) = (Actor::Provider, self.fresh());
        self.append(Wish { key, actor, identity, command: command.into() }).await
    }
}
