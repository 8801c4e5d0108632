//! The schemas of `schemas/`, parsed once.

use serde_json::Value;

/// One schema: one record type in one version.
pub struct Schema {
    /// The id in the wire format; fixed for ever.
    pub id: u32,
    /// The record's name.
    pub name: &'static str,
    /// The family's folder: `commands`, `events` or `cluster`.
    pub family: &'static str,
    /// The name of its file, without `.avsc`: the record and the version.
    pub file: &'static str,
    /// The complete schema as a stranger's reader needs it, with `meta` spelled out.
    pub text: String,
}

const META_TEXT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/meta.1.avsc"));

/// Every schema with its id, complete: what `millrace schemas` prints and registries get.
pub fn published() -> impl Iterator<Item = &'static Schema> {
    let commands = crate::command::Command::schemas().iter();
    commands.chain(crate::event::Event::schemas()).chain(crate::cluster::Notice::schemas())
}

/// The highest id of a schema that this build reads.
pub fn schema_max() -> u32 {
    published().map(|schema| schema.id).max().unwrap_or_default()
}

impl Schema {
    /// The record's full name: what registries call its subject. A record that a reader of the
    /// first schema would not understand has a namespace of its own.
    pub fn subject(&self) -> String {
        let parsed = parse(self.name, &self.text);
        format!("{}.{}", parsed["namespace"].as_str().unwrap_or_default(), self.name)
    }

    pub(crate) fn load(
        id: u32,
        (family, file): (&'static str, &'static str),
        name: &'static str,
        text: &str,
    ) -> Self {
        let mut complete = parse(name, text);
        complete["fields"][0]["type"] = parse("Meta", META_TEXT);
        Self { id, name, family, file, text: complete.to_string() }
    }
}

// The schemas are compiled in and a test loads every one: failing to parse is a build error.
#[allow(clippy::panic)]
fn parse(name: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("schema {name}: {error}"))
}
