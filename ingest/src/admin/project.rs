//! `PUT /admin/v1/projects`: makes a project what a project file says.

mod secret;
mod supply;

use crate::auth::{Admin, sha256};
use crate::body::{Read, Sent};
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::problem::{DOCUMENT_INVALID, INTERNAL, Outcome, Problem};
use crate::query::{Parameter, Queried, Query};
use crate::reply::Reply;
use axum::extract::State;
use domain::command::ApplyProject;
use domain::config::{Desired, Project, difference};
use domain::definition::{self, Complete, Mistake};
use domain::id::ProjectId;
use domain::key::Key;
use domain::meta::Actor;
use domain::workflow::validate::validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use supply::{Supplied, Supply};

pub(super) use supply::api_key;

/// A project file that is to be applied.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ProjectFile<'a> {
    /// The text of a project file; or, with `secrets`, a file that was read where it lies, as
    /// JSON, so that keys made for it never leave there.
    #[serde(borrow)]
    document: Cow<'a, str>,
    /// Values of the environment variables that the file names.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Secret values by full name: `secret/<name>`, `webhook/<integration id>`.
    secrets: Option<BTreeMap<String, String>>,
}

impl Read for ProjectFile<'_> {
    type From<'a> = ProjectFile<'a>;
}

/// How a file is applied.
#[derive(Default)]
pub(crate) struct Manner {
    is_dry_run: bool,
}

impl Queried for Manner {
    const PARAMETERS: &'static [Parameter<Self>] =
        &[Parameter::new::<bool>("dry_run", "true or false", |manner, value| {
            manner.is_dry_run = value == "true";
            Some(())
        })];
}

/// What changed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Applied {
    project: ProjectId,
    /// What became other than it was, for people.
    changes: Vec<String>,
    /// False: this is only what would change.
    applied: bool,
    /// The API keys that were made, by name, shown this once.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    api_keys: BTreeMap<String, String>,
    /// The key for user tokens that was made, in PEM, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_key: Option<String>,
}

/// Applies a project file, or with `?dry_run=true` tells what would change. Keys that the file
/// asks to be made are in the answer, and nowhere else.
pub(crate) async fn apply(
    State(door): State<Shared>,
    _: Admin,
    query: Query<Manner>,
    key: IdempotencyKey,
    body: Sent<ProjectFile<'static>>,
) -> Outcome<Reply<Applied>> {
    let file = body.read()?;
    let Manner { is_dry_run } = query.read()?;
    door.app.feed.refresh().await?;
    let (complete, supplied) = door.complete(file).await?;
    let id = complete.desired.project.id;
    let secrets = door.sealed_secrets(id, complete.secrets).await?;
    let fingerprints = secrets.iter().map(|s| (s.name.clone(), s.fingerprint.clone()));
    let changes = difference(&door.config(), &complete.desired, &fingerprints.collect());
    let mut answer = Applied {
        project: id,
        changes: changes.iter().map(ToString::to_string).collect(),
        applied: !is_dry_run,
        api_keys: BTreeMap::new(),
        signing_key: None,
    };
    if !is_dry_run {
        let within = Within { project: id, user: "", route: "projects" };
        let identity = door.identity(&key, &within, &[&body.bytes])?;
        let document = serde_json::to_string(&complete.desired).map_err(|_| INTERNAL.plain())?;
        let command = ApplyProject { document, secrets }.into();
        door.decide(Wish { key: Key::Project(id), actor: Actor::Team, identity, command }).await?;
        // Who applied a file sees it at once, at least on this node.
        door.app.feed.refresh().await?;
        if let Some(project) = door.config().project(id) {
            answer.show(supplied, project);
        }
    }
    Ok(Reply::unkept(answer))
}

/// Every mistake at once, in the order of the file.
fn told(mistakes: &[Mistake]) -> Problem {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let details = mistakes.iter().map(|mistake| {
        json!({
            "line": mistake.line,
            "column": mistake.column,
            "path": mistake.path,
            "problem": mistake.problem,
            "mend": mistake.mend,
        })
    });
    let details = details.collect();
    DOCUMENT_INVALID.because(lines.join("\n")).with("mistakes", Value::Array(details))
}

impl Applied {
    /// Shows the keys that were made, as far as the project has them: a repeat of a request makes
    /// others than the first time, which count for nothing.
    fn show(&mut self, supplied: Supplied, project: &Project) {
        let has = |key: &String| {
            let hash = hex::encode(sha256(key.as_bytes()));
            project.api_keys.values().any(|known| *known == hash)
        };
        self.api_keys = supplied.api_keys.into_iter().filter(|(_, key)| has(key)).collect();
        let pair = supplied.signing_key;
        let pair = pair.filter(|pair| project.settings.signing_keys.contains(&pair.public_pem));
        self.signing_key = pair.map(|pair| pair.private_pem.to_string());
    }
}

impl Door {
    /// The document with nothing left to ask for, and the keys that were made for it.
    async fn complete(&self, file: ProjectFile<'_>) -> Outcome<(Complete, Supplied)> {
        let ProjectFile { document, environment, secrets } = file;
        if let Some(secrets) = secrets {
            let desired = compiled(&document)?;
            let secrets = secrets.into_iter().collect();
            return Ok((Complete { desired, secrets }, Supplied::default()));
        }
        let document = definition::parse(&document).map_err(|mistakes| told(&mistakes))?;
        let current = self.config().projects.get(&document.desired.project.id).cloned();
        let mut supply = Supply::new(environment, self.app.random.clone());
        // Making a signing key takes a tenth of a second of computing.
        let work = tokio::task::spawn_blocking(move || {
            let complete = document.complete(current.as_deref(), &mut supply);
            complete.map(|complete| (complete, supply.supplied))
        });
        let completed = work.await.map_err(|_| INTERNAL.plain())?;
        completed.map_err(|mistakes| told(&mistakes))
    }
}

/// A document that was read elsewhere; what cannot work in it is found here all the same.
fn compiled(text: &str) -> Outcome<Desired> {
    let desired: Desired = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        DOCUMENT_INVALID.because(format!("The document cannot be read at {line}:{column}."))
    })?;
    let faults: Vec<String> = desired
        .workflows
        .iter()
        .flat_map(|wanted| {
            let name = &wanted.workflow.name;
            validate(&wanted.workflow).into_iter().map(move |fault| format!("{name}: {fault}"))
        })
        .collect();
    if faults.is_empty() { Ok(desired) } else { Err(DOCUMENT_INVALID.because(faults.join("\n"))) }
}
