//! `millrace log tail|show|grep`: the log for people.

mod print;
mod unseal;
mod walk;

use super::moment::{self, Moment};
use crate::config::{Backend, Config};
use crate::wire::{self, View};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use domain::codec;
use domain::command::Command;
use domain::event::Event;
use domain::meta::Meta;
use domain::payload::Payload;
use ports::{Partition, Stored};
use print::{Line, Printer};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::process::ExitCode;
use walk::Walk;

#[derive(Subcommand, Debug)]
pub(super) enum Log {
    /// Show the newest records.
    Tail {
        /// So many.
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        #[command(flatten)]
        filter: Filter,
    },
    /// Show one record, or every record of an execution or command, by id.
    Show {
        /// The id of a record, an execution or a command.
        id: uuid::Uuid,
        #[command(flatten)]
        filter: Filter,
    },
    /// Show every record that passes the filter.
    Grep {
        #[command(flatten)]
        filter: Filter,
    },
}

/// Which records to show.
#[derive(Args, Debug, Default, Clone)]
pub(super) struct Filter {
    /// Of this user.
    #[arg(long)]
    user: Option<String>,
    /// Of this execution.
    #[arg(long)]
    execution: Option<uuid::Uuid>,
    /// Of this type, such as `StepFailed`.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Not older than this moment: milliseconds since 1970, or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse)]
    since: Option<Moment>,
    /// Not younger than this moment.
    #[arg(long, value_name = "MOMENT", value_parser = moment::parse)]
    until: Option<Moment>,
    /// Show what is sealed. Who does so is recorded in the log, as PayloadsUnsealed.
    #[arg(long)]
    unseal: bool,
    /// JSON lines, also on a terminal.
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let (command, filter, id, count) = match self {
            Log::Tail { count, filter } => ("log tail", filter, None, Some(count)),
            Log::Show { id, filter } => ("log show", filter, Some(id), None),
            Log::Grep { filter } => ("log grep", filter, None, None),
        };
        if config.log.backend == Backend::Embedded && !config.data.join("log").is_dir() {
            bail!("there is no log in {}", config.data.display());
        }
        if filter.unseal {
            unseal::record(config, command, &filter).await?;
        }
        let view = wire::look(config).await?;
        let printer = Printer::new(filter.json);
        let (mut newest, mut found) = (VecDeque::new(), false);
        let mut walk = Walk::new(view.log.as_ref());
        while let Some((partition, stored, meta)) = walk.next().await? {
            let line = line_of(&view, (partition, &stored, meta), (&filter, id)).await;
            let Some(line) = line else { continue };
            found = true;
            match count {
                None => printer.print(&line),
                Some(count) => {
                    newest.push_back(line);
                    if newest.len() > count {
                        newest.pop_front();
                    }
                }
            }
        }
        newest.iter().for_each(|line| printer.print(line));
        Ok(if found && count != Some(0) { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The record as it is shown, if it passes. What does not decode is shown as far as it does.
async fn line_of(
    view: &View,
    (partition, stored, meta): (Partition, &Stored, Meta),
    (filter, id): (&Filter, Option<uuid::Uuid>),
) -> Option<Line> {
    if !passes(filter, id, &meta) {
        return None;
    }
    let value = &stored.record.value;
    let is_command = Command::has(stored.record.headers.kind);
    let read = match is_command {
        true => codec::decode::<Command>(value).map(|record| {
            let body = record.body;
            (body.name(), print::readable(body.fields()), body.payload().cloned())
        }),
        false => codec::decode::<Event>(value).map(|record| {
            let body = record.body;
            (body.name(), print::readable(body.fields()), body.payload().cloned())
        }),
    };
    let (name, mut body, payload) =
        read.unwrap_or_else(|error| ("Unreadable", json!({ "error": error.to_string() }), None));
    if filter.kind.as_ref().is_some_and(|kind| kind != name) {
        return None;
    }
    if let (true, Some(payload)) = (filter.unseal, payload) {
        body["unsealed"] = unsealed(view, &meta, &payload).await;
    }
    let stream = partition.stream.name();
    let (number, offset) = (partition.number, stored.offset);
    Some(Line { stream, number, offset, name, meta, body })
}

fn passes(filter: &Filter, id: Option<uuid::Uuid>, meta: &Meta) -> bool {
    let execution = meta.execution.map(|execution| execution.0);
    let key = meta.parsed_key();
    let user = key.as_ref().and_then(|key| key.user());
    filter.user.as_deref().is_none_or(|wanted| user == Some(wanted))
        && filter.execution.is_none_or(|wanted| execution == Some(wanted))
        && filter.since.is_none_or(|since| meta.occurred_at >= since.0)
        && filter.until.is_none_or(|until| meta.occurred_at <= until.0)
        && id.is_none_or(|id| {
            id == meta.event_id.0 || id == meta.command_id.0 || Some(id) == execution
        })
}

/// The payload as JSON, or as text.
async fn unsealed(view: &View, meta: &Meta, payload: &Payload) -> Value {
    let Some(key) = meta.parsed_key() else { return json!("(no key)") };
    match view.vault.fetch(&key, payload).await {
        Ok(clear) => serde_json::from_slice(&clear)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&clear))),
        Err(error) => json!(format!("({error})")),
    }
}
