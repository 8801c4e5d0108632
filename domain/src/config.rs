//! Projects as data: what a project is made of, as a fold over the `config` stream.
//!
//! [`Desired`] is what a project file asks for, [`Config`] what stands. [`difference`] tells them
//! apart, [`decide_apply`] turns the difference into events, and [`Config::fold`] takes these in.

mod apply;
mod change;
mod difference;
mod fold;
mod input;
mod project;
mod starts;
#[cfg(test)]
mod tests;
mod version;

pub use apply::decide_apply;
pub use change::{Change, Sign};
pub use difference::difference;
pub use fold::{Config, Unreadable};
pub use input::{Choice, Input, InputKind, is_empty, missing};
pub use project::{Note, Project, Versions};
pub(crate) use version::{name_version, restore_version};

use crate::id::{IntegrationId, ProjectId};
use crate::paging::Paging;
use crate::webhook::Scheme;
use crate::workflow::{Authorization, Workflow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where Firebase publishes the keys of its ID tokens.
const FIREBASE_KEYS: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

/// A project's own settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProjectSettings {
    /// The project.
    pub id: ProjectId,
    /// What people call it.
    pub name: String,
    /// Public keys (PEM) that user tokens may be signed with.
    #[serde(default)]
    pub signing_keys: Vec<String>,
    /// Where to fetch further public keys, as a JWKS.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// The domain of an Auth0 tenant whose ID tokens are user tokens.
    #[serde(default)]
    pub auth0: Option<String>,
    /// The id of a Firebase project whose ID tokens are user tokens.
    #[serde(default)]
    pub firebase: Option<String>,
    /// The audience that tokens signed with published keys must name.
    #[serde(default)]
    pub audience: Option<String>,
    /// Step executions at a time over all users.
    #[serde(default = "ProjectSettings::default_concurrency")]
    pub concurrency_max: u32,
    /// Step executions at a time for one user.
    #[serde(default = "ProjectSettings::default_user_concurrency")]
    pub user_concurrency_max: u32,
    /// When a function is stopped, in milliseconds.
    #[serde(default = "ProjectSettings::default_timeout")]
    pub function_timeout_ms: u32,
    /// When a request is given up, in milliseconds.
    #[serde(default = "ProjectSettings::default_timeout")]
    pub request_timeout_ms: u32,
    /// Largest input or output of a step, in bytes.
    #[serde(default = "ProjectSettings::default_step_bytes")]
    pub step_bytes_max: u64,
    /// Users who may have a connected account; `None`: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_users_max: Option<u64>,
    /// `sub` of the user whose accounts tests of workflows work with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_user: Option<String>,
}

/// Who publishes keys for a project's user tokens, and what tokens signed with these must say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityProvider {
    /// Where the keys are, as a JWKS.
    pub jwks_url: String,
    /// What `iss` must be; `None`: anything.
    pub issuer: Option<String>,
    /// What `aud` must name; `None`: anything.
    pub audience: Option<String>,
}

impl ProjectSettings {
    /// Who publishes keys for the project's user tokens. Sources: Auth0's "Validate ID Tokens" and
    /// Firebase's "Verify ID Tokens".
    pub fn identity_provider(&self) -> Option<IdentityProvider> {
        let audience = self.audience.clone();
        if let Some(domain) = &self.auth0 {
            return Some(IdentityProvider {
                jwks_url: format!("https://{domain}/.well-known/jwks.json"),
                issuer: Some(format!("https://{domain}/")),
                audience,
            });
        }
        if let Some(project) = &self.firebase {
            return Some(IdentityProvider {
                jwks_url: FIREBASE_KEYS.to_owned(),
                issuer: Some(format!("https://securetoken.google.com/{project}")),
                audience: Some(project.clone()),
            });
        }
        let jwks_url = self.jwks_url.clone()?;
        Some(IdentityProvider { jwks_url, issuer: None, audience })
    }

    fn default_concurrency() -> u32 {
        50
    }
    fn default_user_concurrency() -> u32 {
        20
    }
    fn default_timeout() -> u32 {
        60_000
    }
    fn default_step_bytes() -> u64 {
        50 * 1024 * 1024
    }
}

/// A provider set up in a project.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IntegrationSettings {
    /// The integration.
    pub id: IntegrationId,
    /// `slack`, `github`, or `custom.<slug>`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Where integration requests go; a path of a step is added to it. Ends without `/`.
    pub base_url: String,
    /// Further hosts that a step may name with a full URL.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How the user's token is sent; `{{settings.<input>}}` stands for what the user gave.
    #[serde(default)]
    pub authorization: Authorization,
    /// Headers added to every integration request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether it may be connected and started.
    pub active: bool,
    /// How its webhooks are verified and routed.
    #[serde(default)]
    pub webhook: Option<WebhookSettings>,
    /// How its lists are parted into pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// What users are asked for; every workflow of the integration reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
}

/// How an integration's webhooks are verified and routed. The secret is sealed apart, as
/// `webhook/<integration id>`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookSettings {
    /// The name of a scheme: `github`, `standard` ([`crate::webhook::names`]); empty: its own.
    pub scheme: String,
    /// A scheme that the project file tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Box<Scheme>>,
    /// Where a delivery says which account it is about: `body.installation.id`, `headers.x-tenant`;
    /// empty: where the scheme says.
    pub provider_id: String,
    /// Oldest and newest signature that is taken, in seconds from now; where the scheme has a time.
    #[serde(default = "WebhookSettings::default_tolerance")]
    pub tolerance_s: u32,
}

impl WebhookSettings {
    /// How webhooks are verified; `None`: this build knows no scheme of that name.
    pub fn scheme(&self) -> Option<&Scheme> {
        self.own.as_deref().or_else(|| Scheme::named(&self.scheme))
    }

    fn default_tolerance() -> u32 {
        300
    }
}

/// What a project file asks for, validated. Secret values travel apart, sealed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Desired {
    /// The project's own settings.
    pub project: ProjectSettings,
    /// Integrations.
    pub integrations: Vec<IntegrationSettings>,
    /// Workflows, compiled, and whether each is deployed.
    pub workflows: Vec<DesiredWorkflow>,
    /// App events: name and example payload as JSON.
    pub app_events: BTreeMap<String, serde_json::Value>,
    /// API keys: name and SHA-256 of the key, hex.
    pub api_keys: BTreeMap<String, String>,
    /// Names of the environment secrets that stay, without `secret/`; others are removed.
    pub secrets: Vec<String>,
}

/// A workflow as a project file asks for it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DesiredWorkflow {
    /// Its definition, compiled.
    pub workflow: Workflow,
    /// Whether new executions run this definition.
    pub deployed: bool,
}

/// The name under which an environment secret is kept: `secret/<name>`.
pub fn secret_name(name: &str) -> String {
    format!("secret/{name}")
}

/// The name under which the secret of an integration's webhooks is kept:
/// `webhook/<integration id>`.
pub fn webhook_secret_name(integration: IntegrationId) -> String {
    format!("webhook/{integration}")
}
