//! The schemas of `schemas/`, parsed once.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use serde_json::Value;
use std::sync::LazyLock;

/// One schema: one record type in one version.
pub struct Schema {
    /// The id in the wire format; fixed for ever.
    pub id: u32,
    /// The record's name.
    pub name: &'static str,
    /// The family's folder: `commands` or `events`.
    pub family: &'static str,
    /// The complete schema as a stranger's reader needs it, with `meta` spelled out.
    pub text: String,
    pub(super) writer: GenericDatumWriter<'static>,
    pub(super) reader: GenericDatumReader<'static>,
}

const META_TEXT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/meta.1.avsc"));

/// The envelope. It is the first field of every schema and has no id of its own.
pub(super) static META: LazyLock<Schema> = LazyLock::new(|| {
    let meta = parse("meta.1", META_TEXT);
    Schema::compile(0, "", "Meta", meta.to_string(), &meta)
});

/// Every schema with its id, complete: what `millrace schemas` prints and registries get.
pub fn published() -> impl Iterator<Item = &'static Schema> {
    crate::command::Command::schemas().iter().chain(crate::event::Event::schemas())
}

// The schemas are compiled in and a test loads every one: failing to parse is a build error.
#[allow(clippy::panic, clippy::expect_used)]
impl Schema {
    pub(crate) fn load(id: u32, family: &'static str, name: &'static str, text: &str) -> Self {
        let meta = parse("meta.1", META_TEXT);
        let whole = parse(name, text);
        let mut complete = whole.clone();
        complete["fields"][0]["type"] = meta.clone();
        let mut body = whole;
        body["fields"].as_array_mut().expect("a record has fields").remove(0);
        define_first_use(&mut body["fields"], "millrace.Uuid", &meta["fields"][0]["type"]);
        Self::compile(id, family, name, complete.to_string(), &body)
    }

    fn compile(
        id: u32,
        family: &'static str,
        name: &'static str,
        text: String,
        datum: &Value,
    ) -> Self {
        let schema = apache_avro::Schema::parse(datum.clone())
            .unwrap_or_else(|error| panic!("schema {name} does not parse: {error}"));
        // One leak per schema and process: the writers and readers borrow it for ever.
        let schema: &'static apache_avro::Schema = Box::leak(Box::new(schema));
        let writer = GenericDatumWriter::builder(schema).human_readable(false).build();
        let reader = GenericDatumReader::builder(schema).human_readable(false).build();
        Self {
            id,
            name,
            family,
            text,
            writer: writer.expect("a parsed schema resolves"),
            reader: reader.expect("a parsed schema resolves"),
        }
    }
}

#[allow(clippy::panic)]
fn parse(name: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("schema {name}: {error}"))
}

/// Spells out a named type where it is used first, as Avro wants it.
fn define_first_use(value: &mut Value, name: &str, definition: &Value) -> bool {
    match value {
        Value::String(text) if text == name => {
            *value = definition.clone();
            true
        }
        Value::Array(items) => {
            items.iter_mut().any(|item| define_first_use(item, name, definition))
        }
        Value::Object(map) => ["type", "items", "fields"]
            .iter()
            .any(|key| map.get_mut(*key).is_some_and(|v| define_first_use(v, name, definition))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
