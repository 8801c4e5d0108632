//! `PUT /admin/v1/projects`: makes a project what a project file says.

use crate::auth::Admin;
use crate::body::Received;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::Within;
use crate::json;
use crate::problem::{DOCUMENT_INVALID, INTERNAL, Outcome};
use crate::sdk::trigger::fields;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use domain::command::{ApplyProject, SecretValue};
use domain::config::{Desired, Project, difference};
use domain::id::ProjectId;
use domain::key::Key;
use domain::meta::Actor;
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct Request<'a> {
    /// The text of the project file.
    #[serde(borrow)]
    document: Cow<'a, str>,
    /// Secret values by the names under which they are kept: `secret/<name>`,
    /// `webhook/<integration id>`.
    #[serde(default)]
    secrets: BTreeMap<String, Secret>,
}

/// A secret value; it is wiped when the request is done with it.
struct Secret(Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|value| Self(Zeroizing::new(value)))
    }
}

/// Applies a project file, or with `?dry_run=true` tells what would change.
pub(crate) async fn apply(
    State(door): State<Shared>,
    _: Admin,
    uri: Uri,
    headers: HeaderMap,
    Received(body): Received,
) -> Outcome<Json<Value>> {
    let request: Request<'_> = json::parse(&body)?;
    let desired: Desired = serde_json::from_str(&request.document)
        .map_err(|error| DOCUMENT_INVALID.because(error.to_string()))?;
    let query = fields(uri.query().unwrap_or_default().as_bytes())?;
    door.app.feed.refresh().await?;
    let id = desired.project.id;
    let secrets = door.sealed_secrets(id, &request.secrets).await?;
    let fingerprints = secrets.iter().map(|s| (s.name.clone(), s.fingerprint.clone()));
    let changes = difference(&door.config(), &desired, &fingerprints.collect());
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    if query.get("dry_run").and_then(Value::as_str) == Some("true") {
        return Ok(Json(json!({ "project": id, "changes": told, "applied": false })));
    }
    let within = Within { project: id, user: "", route: "projects" };
    let identity = door.identity(&headers, &within, &[&body])?;
    let document = serde_json::to_string(&desired).map_err(|_| INTERNAL.plain())?;
    let command = ApplyProject { document, secrets }.into();
    let wish = Wish { key: Key::Project(id), actor: Actor::Team, identity, command };
    door.decide(wish).await?;
    // Who applied a file sees it at once, at least on this node.
    door.app.feed.refresh().await?;
    Ok(Json(json!({ "project": id, "changes": told, "applied": true })))
}

impl Door {
    /// The values as they are kept. An unchanged one keeps its fingerprint; that of a new one is
    /// random, since one made from the value would let anyone who reads the log try out values.
    async fn sealed_secrets(
        &self,
        id: ProjectId,
        values: &BTreeMap<String, Secret>,
    ) -> Outcome<Vec<SecretValue>> {
        let (config, key) = (self.config(), Key::Project(id));
        let mut sealed = Vec::with_capacity(values.len());
        for (name, Secret(value)) in values {
            let known = self.unchanged(config.project(id), name, value).await;
            sealed.push(SecretValue {
                name: name.clone(),
                fingerprint: known.unwrap_or_else(|| self.tag()),
                sealed: self.seal(&key, value.as_bytes()).await?,
            });
        }
        Ok(sealed)
    }

    async fn unchanged(
        &self,
        project: Option<&Project>,
        name: &str,
        value: &str,
    ) -> Option<String> {
        let project = project?;
        let (fingerprint, sealed) = project.secrets.get(name)?;
        let clear = self.open(&Key::Project(project.settings.id), sealed).await.ok()?;
        let equal = verify_slices_are_equal(&clear, value.as_bytes()).is_ok();
        equal.then(|| fingerprint.clone())
    }

    fn tag(&self) -> String {
        let mut bytes = [0u8; 16];
        self.app.random.fill(&mut bytes);
        hex::encode(bytes)
    }
}
