//! Records as coloured columns on a terminal, as JSON lines in a pipe.

use super::Filter;
use crate::config::Config;
use anyhow::{Context, Result};
use domain::meta::Meta;
use ports::Clock;
use std::io::{IsTerminal, Write};

/// A record as it is shown.
pub(super) struct Line {
    pub(super) stream: &'static str,
    pub(super) number: u16,
    pub(super) offset: i64,
    pub(super) name: &'static str,
    pub(super) meta: Meta,
    pub(super) text: String,
}

pub(super) struct Printer {
    json: bool,
}

impl Printer {
    pub(super) fn new(json: bool) -> Self {
        Self { json: json || !std::io::stdout().is_terminal() }
    }

    pub(super) fn print(&self, line: &Line) {
        let text = if self.json { line.json() } else { line.columns() };
        // A closed pipe (`| head`) is not worth a message.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

impl Line {
    fn json(&self) -> String {
        let meta = &self.meta;
        serde_json::json!({
            "stream": self.stream,
            "partition": self.number,
            "offset": self.offset,
            "type": self.name,
            "id": meta.event_id,
            "at": meta.occurred_at,
            "key": meta.key,
            "execution": meta.execution,
            "command": meta.command_id,
            "commandOffset": meta.command_offset,
            "epoch": meta.epoch,
            "i": meta.i,
            "n": meta.n,
            "body": self.text,
        })
        .to_string()
    }

    fn columns(&self) -> String {
        let colour = match self.name {
            name if name.ends_with("Failed") || name.ends_with("Rejected") => 31,
            name if name.ends_with("Succeeded") || name == "Responded" => 32,
            _ if self.stream == "commands" => 36,
            _ => 33,
        };
        let place = format!("{}/{}@{}", self.stream, self.number, self.offset);
        let at = self.meta.occurred_at.0;
        let name = self.name;
        format!("\x1b[2m{at} {place:<18}\x1b[0m \x1b[{colour}m{name:<20}\x1b[0m {}", self.text)
    }
}

/// Notes who looked at sealed payloads, before anything is shown.
pub(super) fn record_unsealing(config: &Config, filter: &Filter) -> Result<()> {
    let path = config.data.join("unsealed.log");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot record the unsealing in {}", path.display()))?;
    let now = crate::system::SystemClock.now().0;
    writeln!(file, "{now} pid {} {filter:?}", std::process::id())?;
    file.sync_all()?;
    Ok(())
}
