//! Connecting and disconnecting accounts.

use super::view;
use crate::auth::Caller;
use crate::body::{Read, Sent};
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{
    BODY_MALFORMED, CONNECTED_USERS_TOO_MANY, CREDENTIAL_UNKNOWN, INTEGRATION_UNKNOWN, INTERNAL,
    Outcome,
};
use crate::reply::{Nothing, Reply};
use crate::selector::{NO_ACCOUNT, Selection, Selector};
use axum::extract::State;
use domain::answer::Answer;
use domain::command::{ConnectCredential, RemoveCredential};
use domain::decide::{MADE_CONFIGURATION, made_id};
use domain::id::{CredentialId, IntegrationId};
use domain::meta::Actor;
use domain::state::{Credential, Settings, User};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

const NAME_LEN_MAX: usize = 256;
/// A flag that existing clients put among the values; it is none.
const FLAG: &str = "skipPostOAuthInputs";

/// An account that is to be connected.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewCredential {
    /// The integration, by id or kind.
    integration_id: String,
    /// What the user gave.
    #[schemars(required)]
    payload: Option<Map<String, Value>>,
    /// More of the same.
    config: Option<Map<String, Value>>,
    /// The account's id at the provider.
    #[schemars(extend("type" = ["string", "integer", "null"]))]
    provider_id: Option<Value>,
    #[serde(default)]
    install_options: Option<InstallOptions>,
}

impl Read for NewCredential {
    type From<'a> = Self;
}

/// Which of the user's accounts it is to be.
#[derive(Deserialize, Default, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InstallOptions {
    /// The customer's own name for the account.
    external_id: Option<String>,
    /// Whether it is a further account, beside those at the integration.
    allow_multiple_credentials: Option<bool>,
    /// The account that is connected again: its id, its external id, or `ext:<external id>`.
    selected_credential_id: Option<String>,
}

/// Connects an account, and answers with it.
pub(crate) async fn connect(
    State(door): State<Shared>,
    caller: Caller,
    key: IdempotencyKey,
    body: Sent<NewCredential>,
) -> Outcome<Reply<view::Credential>> {
    let request = body.read()?;
    let within = Within { project: caller.id, user: &caller.user, route: "credentials" };
    let identity = door.identity(&key, &within, &[&body.bytes])?;
    let named = caller.project.integration_named(&request.integration_id);
    let integration = named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id;
    let before = door.user(caller.id, &caller.user).await?;
    let seen = door.seen(&caller, identity).await?;
    if seen.is_none() && before.credentials.is_empty() {
        door.admit_user(&caller).await?;
    }
    let account = Account::of(request, integration, &before, seen.is_some())?;
    let key = caller.key();
    let sealed = door.seal(&key, Value::Object(account.values).to_string().as_bytes()).await?;
    let command = ConnectCredential {
        integration,
        credential: account.credential,
        another: account.another,
        provider_id: account.provider_id.clone(),
        external_id: account.external_id.clone(),
        sealed: sealed.clone(),
    };
    let configuration = made_id(&key, identity.id, MADE_CONFIGURATION);
    let wish = Wish { key, actor: Actor::User, identity, command: command.into() };
    let Answer::Connected { credential } = door.decide(wish).await? else {
        return Err(INTERNAL.because("The account was not connected."));
    };
    // A repeat is answered as before: what is connected is not what this request sealed.
    let shows = |user: &User| {
        let found = user.credentials.get(&credential);
        found.is_some_and(|found| identity.is_keyed() || found.payload == sealed)
    };
    let user = match seen {
        Some(_) => door.user(caller.id, &caller.user).await?,
        None => door.user_with(caller.id, &caller.user, shows).await?,
    };
    if let Some(found) = user.credentials.get(&credential) {
        let settings = door.opened(&caller, &user, [(&credential, found)]).await?;
        let account = (credential, found);
        return Ok(Reply::new(view::Credential::of(&caller, account, &settings)));
    }
    // It is gone since. What the repeat asks is what the first request asked, so it tells how the
    // account was.
    let seen = door.seen(&caller, identity).await?.ok_or_else(|| CREDENTIAL_UNKNOWN.plain())?;
    let settings = door.opened(&caller, &user, []).await?;
    let enabled = caller.project.enabled_by_default(integration).map(|(id, _)| id);
    let enabled = enabled.filter(|id| !settings.forbidden.contains(id)).collect();
    let first = Credential {
        integration,
        configuration,
        provider_id: account.provider_id,
        external_id: account.external_id,
        payload: sealed,
        connected_at: seen.at,
        refreshed_at: seen.at,
        enabled,
        settings: Settings::default(),
    };
    Ok(Reply::new(view::Credential::of(&caller, (credential, &first), &settings)))
}

impl Door {
    /// Whether another user may connect an account (seeds: billing/connected-users). It goes by what
    /// Task History has counted: of users who connect at one moment more may get in.
    async fn admit_user(&self, caller: &Caller) -> Outcome<()> {
        let Some(max) = caller.project.settings.connected_users_max else { return Ok(()) };
        let usage = self.app.history.usage(caller.id, self.now().month()).await?;
        let connected = usage.first().map_or(0, |now| now.connected_at_end);
        if connected < max { Ok(()) } else { Err(CONNECTED_USERS_TOO_MANY.plain()) }
    }
}

/// What is to be connected.
struct Account {
    credential: Option<CredentialId>,
    another: bool,
    provider_id: String,
    external_id: String,
    /// What `{{settings.…}}` sees.
    values: Map<String, Value>,
}

impl Account {
    fn of(
        request: NewCredential,
        integration: IntegrationId,
        user: &User,
        is_repeat: bool,
    ) -> Outcome<Self> {
        let Some(payload) = request.payload else {
            return Err(BODY_MALFORMED.because("The payload is missing: what the user gave."));
        };
        let mut values = request.config.unwrap_or_default();
        values.extend(payload);
        values.remove(FLAG);
        let options = request.install_options.unwrap_or_default();
        let another = options.allow_multiple_credentials.unwrap_or(false);
        let selector = options.selected_credential_id.as_deref().and_then(Selector::parse);
        let credential = match &selector {
            Some(Selector::Credential(id)) => Some(*id),
            Some(external) => {
                let gone = || is_repeat.then_some(NO_ACCOUNT);
                Some(external.find(user).or_else(gone).ok_or_else(|| external.unknown())?)
            }
            None => None,
        };
        // An account that is connected again keeps its names unless it is given new ones.
        let first = || user.accounts_at(integration).next().map(|(id, _)| *id);
        let again = credential.or_else(|| if another { None } else { first() });
        let known = again.and_then(|id| user.credentials.get(&id));
        let given = request.provider_id.as_ref().or_else(|| values.get("providerId"));
        let provider_id = given.and_then(text_of).or_else(|| known.map(|k| k.provider_id.clone()));
        let external_id = options.external_id.or_else(|| known.map(|k| k.external_id.clone()));
        Ok(Self {
            credential,
            another,
            provider_id: bounded("providerId", provider_id)?,
            external_id: bounded("externalId", external_id)?,
            values,
        })
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn bounded(field: &str, name: Option<String>) -> Outcome<String> {
    let name = name.unwrap_or_default();
    if name.len() > NAME_LEN_MAX {
        let reason = format!("The {field} has more than {NAME_LEN_MAX} bytes.");
        return Err(BODY_MALFORMED.because(reason));
    }
    Ok(name)
}

/// Disconnects an account: the selected one, or the user's first at the integration.
pub(crate) async fn remove(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    key: IdempotencyKey,
    selection: Selection,
) -> Outcome<Reply<Nothing>> {
    let integration = address.integration(&caller.project)?.id;
    let route = format!("integrations/{integration}/remove");
    let within = Within { project: caller.id, user: &caller.user, route: &route };
    let selector = selection.read()?;
    let named = selector.as_ref().map(ToString::to_string).unwrap_or_default();
    let identity = door.identity(&key, &within, &[named.as_bytes()])?;
    let credential = door.selected(selector.as_ref(), &caller, identity).await?;
    let before = door.user(caller.id, &caller.user).await?;
    let first = || before.accounts_at(integration).next().map(|(id, _)| *id);
    let gone = credential.or_else(first);
    let command = RemoveCredential { integration, credential }.into();
    door.decide(Wish { key: caller.key(), actor: Actor::User, identity, command }).await?;
    let shows = |user: &User| gone.is_none_or(|id| !user.credentials.contains_key(&id));
    if !identity.is_keyed() {
        door.user_with(caller.id, &caller.user, shows).await?;
    }
    Ok(Reply::new(Nothing {}))
}
