//! `millrace log tail|show|grep`: the log for people.

mod print;

use crate::config::Config;
use crate::wire::{self, View};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use domain::codec;
use domain::command::Command;
use domain::event::Event;
use domain::meta::Meta;
use domain::payload::Payload;
use ports::{Partition, Stored, Stream};
use print::{Line, Printer};
use std::process::ExitCode;

/// Bytes read in one go.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

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
    /// Not older than this moment, in milliseconds since 1970.
    #[arg(long, value_name = "MS")]
    since_ms: Option<i64>,
    /// Not younger than this moment, in milliseconds since 1970.
    #[arg(long, value_name = "MS")]
    until_ms: Option<i64>,
    /// Show what is sealed. This is recorded in `<data>/unsealed.log`.
    #[arg(long)]
    unseal: bool,
    /// JSON lines, also on a terminal.
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let (filter, id, count) = match self {
            Log::Tail { count, filter } => (filter, None, Some(count)),
            Log::Show { id, filter } => (filter, Some(id), None),
            Log::Grep { filter } => (filter, None, None),
        };
        if !config.data.join("log").is_dir() {
            bail!("there is no log in {}", config.data.display());
        }
        let view = wire::look(config).await?;
        if filter.unseal {
            print::record_unsealing(config, &filter)?;
        }
        let mut lines = collect(&view, &filter, id).await?;
        lines.sort_by_key(|line| (line.meta.occurred_at, line.meta.event_id));
        let skip = count.map_or(0, |count| lines.len().saturating_sub(count));
        let printer = Printer::new(filter.json);
        let found = lines.len() > skip;
        for line in lines.drain(skip..) {
            printer.print(&line);
        }
        Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

async fn collect(view: &View, filter: &Filter, id: Option<uuid::Uuid>) -> Result<Vec<Line>> {
    let numbers = 0..view.log.partitions();
    let partitions = numbers
        .clone()
        .map(Partition::commands)
        .chain(numbers.map(Partition::events))
        .chain([Partition::CONFIG]);
    let mut lines = Vec::new();
    for partition in partitions {
        let mut from = 0;
        loop {
            let batch = view.log.read(partition, from, READ_BYTES_MAX).await?;
            let Some(last) = batch.last() else { break };
            from = last.offset + 1;
            for stored in &batch {
                if let Some(line) = line_of(view, partition, stored, (filter, id)).await? {
                    lines.push(line);
                }
            }
        }
    }
    Ok(lines)
}

async fn line_of(
    view: &View,
    partition: Partition,
    stored: &Stored,
    (filter, id): (&Filter, Option<uuid::Uuid>),
) -> Result<Option<Line>> {
    let (_, meta) = codec::decode_meta(&stored.record.value)?;
    if !passes(filter, id, &meta) {
        return Ok(None);
    }
    let value = &stored.record.value;
    let is_command = stored.record.headers.kind < domain::event::FIRST_SCHEMA_ID;
    let (name, mut text, payload) = if is_command {
        let body = codec::decode::<Command>(value)?.body;
        (body.name(), format!("{body:?}"), body.payload().cloned())
    } else {
        let body = codec::decode::<Event>(value)?.body;
        (body.name(), format!("{body:?}"), body.payload().cloned())
    };
    if filter.kind.as_ref().is_some_and(|kind| kind != name) {
        return Ok(None);
    }
    if let (true, Some(payload)) = (filter.unseal, payload) {
        text.push_str(" = ");
        text.push_str(&unsealed(view, &meta, &payload).await);
    }
    let stream = match partition.stream {
        Stream::Config => "config",
        Stream::Commands => "commands",
        Stream::Events => "events",
        Stream::Keys => "keys",
    };
    let (number, offset) = (partition.number, stored.offset);
    Ok(Some(Line { stream, number, offset, name, meta, text }))
}

fn passes(filter: &Filter, id: Option<uuid::Uuid>, meta: &Meta) -> bool {
    let execution = meta.execution.map(|execution| execution.0);
    let key = meta.parsed_key();
    let user = key.as_ref().and_then(|key| key.user());
    filter.user.as_deref().is_none_or(|wanted| user == Some(wanted))
        && filter.execution.is_none_or(|wanted| execution == Some(wanted))
        && filter.since_ms.is_none_or(|since| meta.occurred_at.0 >= since)
        && filter.until_ms.is_none_or(|until| meta.occurred_at.0 <= until)
        && id.is_none_or(|id| {
            id == meta.event_id.0 || id == meta.command_id.0 || Some(id) == execution
        })
}

async fn unsealed(view: &View, meta: &Meta, payload: &Payload) -> String {
    let Some(key) = meta.parsed_key() else { return "(no key)".into() };
    match view.vault.fetch(&key, payload).await {
        Ok(clear) => String::from_utf8_lossy(&clear).into_owned(),
        Err(error) => format!("({error})"),
    }
}
