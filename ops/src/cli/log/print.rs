//! Records as coloured columns on a terminal, as JSON lines in a pipe.

use crate::cli::moment::shown;
use domain::meta::Meta;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

/// A record as it is shown.
pub(super) struct Line {
    pub(super) stream: &'static str,
    pub(super) number: u16,
    pub(super) offset: i64,
    pub(super) name: &'static str,
    pub(super) meta: Meta,
    pub(super) body: Value,
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
        json!({
            "stream": self.stream,
            "partition": self.number,
            "offset": self.offset,
            "type": self.name,
            "id": meta.event_id,
            "at": meta.occurred_at,
            "time": shown(meta.occurred_at),
            "key": meta.key,
            "execution": meta.execution,
            "command": meta.command_id,
            "commandOffset": meta.command_offset,
            "epoch": meta.epoch,
            "i": meta.i,
            "n": meta.n,
            "body": self.body,
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
        let at = shown(self.meta.occurred_at);
        let name = self.name;
        format!("\x1b[2m{at} {place:<18}\x1b[0m \x1b[{colour}m{name:<20}\x1b[0m {}", self.body)
    }
}

/// The fields of a record, with sealed bytes told by their size.
pub(super) fn readable(mut fields: Value) -> Value {
    shorten(&mut fields);
    fields
}

fn shorten(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field.as_array()) {
                    ("sealed", Some(bytes)) => *field = json!({ "bytes": bytes.len() }),
                    _ => shorten(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::{Event, UserDescribed};
    use domain::id::{CommandId, EventId, ProjectId};
    use domain::meta::Actor;
    use domain::payload::Payload;
    use domain::time::Timestamp;

    #[test]
    fn sealed_bytes_are_told_by_their_size() {
        let sealed = Payload::Sealed(bytes::Bytes::from_static(b"abc"));
        let fields = Event::from(UserDescribed { sealed }).fields();
        assert_eq!(readable(fields), json!({ "sealed": { "bytes": 3 } }));
    }

    #[test]
    fn columns_are_coloured_by_what_happened() {
        let id = uuid::Uuid::from_u128(1);
        let meta = Meta {
            event_id: EventId(id),
            project: ProjectId(id),
            key: String::new(),
            execution: None,
            occurred_at: Timestamp(0),
            actor: Actor::System,
            causation_id: None,
            correlation_id: id,
            command_id: CommandId(id),
            body_hash: None,
            command_offset: 0,
            config_offset: 0,
            epoch: 1,
            incarnation: 1,
            i: 0,
            n: 1,
        };
        let line = |name| Line {
            stream: "events",
            number: 3,
            offset: 7,
            name,
            meta: meta.clone(),
            body: json!({ "a": 1 }),
        };
        assert!(line("StepFailed").columns().contains("\x1b[31mStepFailed"));
        assert!(line("StepSucceeded").columns().contains("\x1b[32mStepSucceeded"));
        assert!(line("StepReady").columns().contains("events/3@7"));
    }
}
