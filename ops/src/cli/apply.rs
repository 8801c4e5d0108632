//! `millrace apply`

use super::client;
use super::supply::Keys;
use crate::config::Config;
use crate::keys;
use anyhow::{Context, Result, bail};
use clap::Args;
use domain::definition::{Mistake, parse};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Apply {
    /// The project file; `schemas/project.schema.json` describes it.
    file: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The node, such as http://127.0.0.1:4000; by default the one that works in the folder.
    #[arg(long)]
    url: Option<String>,
    /// Where generated keys are kept; by default <data>/keys.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
}

impl Apply {
    pub(super) async fn run(&self, config: &Config) -> Result<ExitCode> {
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let document = match parse(&text) {
            Ok(document) => document,
            Err(mistakes) => return Ok(self.refuse(&mistakes)),
        };
        let folder = self.keys.clone().unwrap_or_else(|| config.data.join("keys"));
        let mut supplier = Keys::new(folder, document.desired.project.id, self.dry_run);
        let complete = match document.complete(None, &mut supplier) {
            Ok(complete) => complete,
            Err(mistakes) => return Ok(self.refuse(&mistakes)),
        };
        supplier.finish()?;
        let secrets: Map<String, Value> =
            complete.secrets.into_iter().map(|(name, value)| (name, json!(value))).collect();
        let document = serde_json::to_string(&complete.desired)?;
        let body = json!({ "document": document, "secrets": secrets });
        let base = match &self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", super::address(config)?),
        };
        let path = if self.dry_run { "projects?dry_run=true" } else { "projects" };
        let key = keys::existing_admin(&config.keys.admin_key_file, &config.data)?;
        let (status, answer) =
            client::send("PUT", &format!("{base}/admin/v1/{path}"), &key, &body).await?;
        if status != 200 {
            bail!("{} ({status})", answer["message"].as_str().unwrap_or("the node refused"));
        }
        report(&answer);
        Ok(ExitCode::SUCCESS)
    }

    fn refuse(&self, mistakes: &[Mistake]) -> ExitCode {
        for mistake in mistakes {
            eprintln!("{}:{mistake}", self.file.display());
        }
        eprintln!("{} mistakes; nothing was changed", mistakes.len());
        ExitCode::from(2)
    }
}

fn report(answer: &Value) {
    let changes = answer["changes"].as_array().cloned().unwrap_or_default();
    for change in &changes {
        println!("{}", change.as_str().unwrap_or_default());
    }
    let done = if answer["applied"] == json!(true) { "applied" } else { "would change" };
    println!("project {}: {} {done}", answer["project"].as_str().unwrap_or("?"), changes.len());
}
