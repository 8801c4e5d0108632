//! Versions of workflows: listed, named, restored (seeds: version-history).

use crate::auth::{Admin, Open};
use crate::body::{Read, Sent};
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{BODY_MALFORMED, Outcome, VERSION_UNKNOWN, WORKFLOW_UNKNOWN};
use crate::query::{Parameter, Queried, Query};
use crate::reply::Reply;
use crate::time::Iso;
use axum::extract::State;
use domain::command::{Command, NameVersion, RestoreVersion};
use domain::config;
use domain::id::WorkflowId;
use domain::key::Key;
use domain::meta::Actor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of a version's name.
const NAME_BYTES_MAX: usize = 200;

/// Versions of a workflow, newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Versions {
    versions: Vec<Version>,
}

/// A version of a workflow.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: i32,
    /// What people call it.
    name: Option<String>,
    date_saved: Iso,
    /// When it was last deployed, if ever.
    date_deployed: Option<Iso>,
    /// Whether new executions run it.
    is_deployed: bool,
}

/// Which versions are listed.
#[derive(Default, Clone, Copy)]
pub(crate) enum Kind {
    #[default]
    All,
    Named,
    Saved,
    Deployed,
}

impl Queried for Kind {
    const PARAMETERS: &'static [Parameter<Self>] =
        &[Parameter::new::<String>("kind", "all, named, saved or deployed", |kind, value| {
            *kind = match value {
                "all" => Self::All,
                "named" => Self::Named,
                "saved" => Self::Saved,
                "deployed" => Self::Deployed,
                _ => return None,
            };
            Some(())
        })];
}

/// The name of a version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// Empty takes the name away.
    name: String,
}

impl Read for Named {
    type From<'a> = Self;
}

/// How a version is restored.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restored {
    /// Whether new executions run it; false.
    #[serde(default)]
    deploy: bool,
}

impl Read for Restored {
    type From<'a> = Self;
}

/// The versions of a workflow.
pub(crate) async fn list(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    query: Query<Kind>,
) -> Outcome<Reply<Versions>> {
    let kind = query.read()?;
    let id: WorkflowId = address.id("workflow", &WORKFLOW_UNKNOWN)?;
    door.versions(&open, id, kind).map(Reply::new)
}

/// Gives a version a name.
pub(crate) async fn name(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    body: Sent<Named>,
) -> Outcome<Reply<Versions>> {
    let Named { name } = body.read()?;
    if name.len() > NAME_BYTES_MAX {
        let reason = format!("A name has at most {NAME_BYTES_MAX} bytes.");
        return Err(BODY_MALFORMED.because(reason));
    }
    let (workflow, version) = version_of(&address)?;
    let command = NameVersion { workflow, version, name }.into();
    door.settle_version(&open, (&address, &key, &body.bytes), (workflow, command)).await
}

/// Makes a version the newest once more.
pub(crate) async fn restore(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
    key: IdempotencyKey,
    body: Sent<Restored>,
) -> Outcome<Reply<Versions>> {
    let Restored { deploy } =
        if body.bytes.is_empty() { Restored::default() } else { body.read()? };
    let (workflow, version) = version_of(&address)?;
    let command = RestoreVersion { workflow, version, deploy }.into();
    door.settle_version(&open, (&address, &key, &body.bytes), (workflow, command)).await
}

fn version_of(address: &Address) -> Outcome<(WorkflowId, i32)> {
    let workflow = address.id("workflow", &WORKFLOW_UNKNOWN)?;
    Ok((workflow, address.id("version", &VERSION_UNKNOWN)?))
}

impl Door {
    fn versions(&self, open: &Open, id: WorkflowId, kind: Kind) -> Outcome<Versions> {
        let config = self.config();
        let versions = config.project(open.id).and_then(|project| project.workflows.get(&id));
        let versions = versions.ok_or_else(|| WORKFLOW_UNKNOWN.plain())?;
        let passes = |note: &&config::Note| match kind {
            Kind::All => true,
            Kind::Named => !note.name.is_empty(),
            Kind::Saved => note.deployed_at.is_none(),
            Kind::Deployed => note.deployed_at.is_some(),
        };
        let shown = versions.notes.iter().rev().filter(|(_, note)| passes(note));
        let shown = shown.map(|(version, note)| Version {
            version: *version,
            name: Some(note.name.clone()).filter(|name| !name.is_empty()),
            date_saved: Iso(note.saved_at),
            date_deployed: note.deployed_at.map(Iso),
            is_deployed: versions.released == Some(*version),
        });
        Ok(Versions { versions: shown.collect() })
    }

    /// Has a command about a version decided, and shows what came of it.
    async fn settle_version(
        &self,
        open: &Open,
        (address, key, body): (&Address, &IdempotencyKey, &[u8]),
        (workflow, command): (WorkflowId, Command),
    ) -> Outcome<Reply<Versions>> {
        let within = Within { project: open.id, user: "", route: address.path() };
        let identity = self.identity(key, &within, &[body])?;
        let key = Key::Project(open.id);
        self.decide(Wish { key, actor: Actor::Team, identity, command }).await?;
        self.app.feed.refresh().await?;
        self.versions(open, workflow, Kind::All).map(Reply::new)
    }
}
