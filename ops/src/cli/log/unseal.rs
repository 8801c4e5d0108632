//! Who looks into sealed payloads is recorded in the log before anything is shown.

use super::Filter;
use crate::cli::client;
use crate::config::Config;
use crate::system::{SystemClock, SystemEntropy};
use crate::{keys, wire};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use domain::codec::{self, Family};
use domain::command::{Command, RecordUnsealing};
use domain::id::{CommandId, EventId, ProjectId};
use domain::key::Key;
use domain::meta::{Actor, Meta, Recorded};
use ports::{Clock, Headers, Log, Partition, Random, Record};
use serde_json::json;
use uuid::Uuid;

/// Records it: through the node that runs on the folder, or, if none does, as a command that its
/// next one decides.
///
/// # Errors
/// It could not be recorded: nothing may be shown.
pub(super) async fn record(config: &Config, command: &str, filter: &Filter) -> Result<()> {
    let what =
        RecordUnsealing { who: who(), command: command.to_owned(), filter: format!("{filter:?}") };
    match wire::open_log(config).await {
        Ok(log) => append(log.as_ref(), what).await,
        // Somebody has the folder: the node that answers at its address.
        Err(held) => tell(config, &what).await.with_context(|| format!("{held:#}")),
    }
    .context("the unsealing cannot be recorded, so nothing is shown")
}

async fn tell(config: &Config, what: &RecordUnsealing) -> Result<()> {
    let url = format!("http://{}/admin/v1/unsealings", crate::cli::address(config)?);
    let key = keys::existing_admin(&config.keys.admin_key_file, &config.data)?;
    let body = json!({ "who": what.who, "command": what.command, "filter": what.filter });
    let (status, answer) = client::send("POST", &url, &key, &body).await?;
    if status != 201 {
        bail!("{} ({status})", answer["message"].as_str().unwrap_or("the node refused"));
    }
    Ok(())
}

async fn append(log: &dyn Log, what: RecordUnsealing) -> Result<()> {
    let now = SystemClock.now();
    let mut entropy = [0; 10];
    SystemEntropy::new().fill(&mut entropy);
    let id = CommandId::fresh(now, entropy);
    let key = Key::Project(ProjectId(Uuid::nil()));
    let meta = Meta {
        project: key.project(),
        key: key.name(),
        actor: Actor::Team,
        command_id: id,
        ..Meta::keyless(EventId(id.0), now)
    };
    let body = Command::from(what);
    let kind = body.schema().id;
    let value = Bytes::from(codec::encode(&Recorded { meta, body })?);
    let headers = Headers { kind, n: 1, ..Headers::default() };
    log.append(vec![(Partition::CONFIG, Record { headers, key: Bytes::new(), value })]).await?;
    Ok(())
}

/// The account that runs the program.
fn who() -> String {
    let id = rustix::process::getuid().as_raw();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mine = accounts.lines().find(|line| line.split(':').nth(2) == Some(&id.to_string()));
    let name = mine.and_then(|line| line.split(':').next());
    name.map_or_else(|| format!("uid {id}"), str::to_owned)
}
