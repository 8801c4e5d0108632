//! The bytes of every schema ever released, and what they must decode to.
//!
//! `MILLRACE_GOLDEN=write cargo test -p domain --test golden` adds the files of a new schema and its
//! line in `schemas/released.tsv`; it never changes one that exists.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use apache_avro::rabin::Rabin;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Schema, Uuid};
use domain::cluster::Notice;
use domain::codec::{self, Family};
use domain::command::Command;
use domain::event::Event;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// A value of the schema in which every field differs from its neighbours.
fn sample(schema: &Schema, named: &mut BTreeMap<String, Schema>, seed: &mut i64) -> Value {
    *seed += 1;
    match schema {
        Schema::Record(record) => {
            named.insert(record.name.to_string(), schema.clone());
            let fields = record.fields.iter();
            Value::Record(
                fields.map(|f| (f.name.clone(), sample(&f.schema, named, seed))).collect(),
            )
        }
        Schema::Ref { name } => {
            let known = named[&name.to_string()].clone();
            sample(&known, named, seed)
        }
        Schema::Union(union) => {
            Value::Union(1, Box::new(sample(&union.variants()[1], named, seed)))
        }
        Schema::Array(array) => {
            Value::Array(vec![sample(&array.items, named, seed), sample(&array.items, named, seed)])
        }
        Schema::Enum(kind) => {
            named.insert(kind.name.to_string(), schema.clone());
            let last = kind.symbols.len() - 1;
            Value::Enum(last as u32, kind.symbols[last].clone())
        }
        Schema::Uuid(_) => {
            named.insert("millrace.Uuid".into(), schema.clone());
            Value::Uuid(Uuid::from_u128(0x1234_5678_9abc_4def_8000_0000_0000_0000 + *seed as u128))
        }
        Schema::TimestampMillis => Value::TimestampMillis(1_700_000_000_000 + *seed),
        Schema::Boolean => Value::Boolean(true),
        Schema::Int => Value::Int(*seed as i32),
        Schema::Long => Value::Long(*seed * 1_000),
        Schema::String => Value::String(format!("text {seed}")),
        Schema::Bytes => Value::Bytes(vec![*seed as u8; 3]),
        other => panic!("no sample for {other:?}"),
    }
}

fn writing() -> bool {
    std::env::var("MILLRACE_GOLDEN").is_ok_and(|value| value == "write")
}

fn recode(bytes: &[u8]) -> Vec<u8> {
    let id = codec::schema_id(bytes).unwrap();
    if Command::schemas().iter().any(|schema| schema.id == id) {
        let record = codec::decode::<Command>(bytes).unwrap();
        assert_eq!(record.body.schema().id, id);
        return codec::encode(&record).unwrap();
    }
    if Notice::schemas().iter().any(|schema| schema.id == id) {
        let record = codec::decode::<Notice>(bytes).unwrap();
        assert_eq!(record.body.schema().id, id);
        return codec::encode(&record).unwrap();
    }
    let record = codec::decode::<Event>(bytes).unwrap();
    assert_eq!(record.body.schema().id, id);
    codec::encode(&record).unwrap()
}

#[test]
fn golden_bytes_decode_to_what_they_meant_and_encode_to_themselves() {
    for schema in codec::published() {
        let avro = Schema::parse_str(&schema.text).unwrap();
        let path = |extension| folder().join(format!("{}.{extension}", schema.file));
        let (bin, json) = (path("bin"), path("json"));
        if writing() && !bin.exists() {
            let value = sample(&avro, &mut BTreeMap::new(), &mut 0);
            let writer = GenericDatumWriter::builder(&avro).build().unwrap();
            let mut bytes = vec![0];
            bytes.extend_from_slice(&schema.id.to_be_bytes());
            bytes.extend_from_slice(&writer.write_value_to_vec(value).unwrap());
            fs::create_dir_all(folder()).unwrap();
            fs::write(&bin, &bytes).unwrap();
            fs::write(&json, render(&avro, &bytes)).unwrap();
        }
        let bytes = fs::read(&bin).unwrap_or_else(|_| panic!("{} is missing", bin.display()));
        assert_eq!(render(&avro, &bytes), fs::read_to_string(&json).unwrap(), "{}", schema.name);
        assert_eq!(recode(&bytes), bytes, "{}", schema.name);
    }
}

fn render(avro: &Schema, bytes: &[u8]) -> String {
    let reader = GenericDatumReader::builder(avro).build().unwrap();
    let value = reader.read_value(&mut &bytes[5..]).unwrap();
    let json = serde_json::Value::try_from(value).unwrap();
    serde_json::to_string_pretty(&json).unwrap() + "\n"
}

/// A schema of this build, or what somebody made of one.
#[derive(Clone)]
struct Version {
    /// Record and version: `step_ready.1`.
    file: String,
    id: u32,
    text: String,
}

impl Version {
    /// What `schemas/released.tsv` says of it: file, id, fingerprint (Avro's own, of names and
    /// types), and a hash of all the rest that a reader goes by: defaults, logical types, order.
    fn line(&self) -> String {
        let fingerprint = self.avro().fingerprint::<Rabin>();
        let mut meaning: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        forget_docs(&mut meaning);
        let hash = xxhash_rust::xxh3::xxh3_64(meaning.to_string().as_bytes());
        format!("{}\t{}\t{fingerprint}\t{hash:016x}", self.file, self.id)
    }

    fn avro(&self) -> Schema {
        Schema::parse_str(&self.text).unwrap()
    }

    /// The record, and the number of the version.
    fn parts(&self) -> (&str, u32) {
        let (record, number) = self.file.rsplit_once('.').unwrap();
        (record, number.parse().unwrap())
    }
}

/// Words for people may be mended.
fn forget_docs(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.remove("doc");
            fields.values_mut().for_each(forget_docs);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_docs),
        _ => {}
    }
}

fn published() -> Vec<Version> {
    let version = |schema: &codec::Schema| Version {
        file: schema.file.into(),
        id: schema.id,
        text: schema.text.clone(),
    };
    codec::published().map(version).collect()
}

fn lines(versions: &[Version]) -> String {
    let lines: BTreeSet<String> = versions.iter().map(Version::line).collect();
    lines.into_iter().map(|line| line + "\n").collect()
}

/// What is wrong with schemas, where these were released.
fn findings(released: &str, versions: &[Version]) -> Vec<String> {
    let now = lines(versions);
    let gone = |line: &&str| !now.lines().any(|current| current == *line);
    let unknown = |line: &&str| !released.lines().any(|known| known == *line);
    let mut findings: Vec<String> = released.lines().filter(gone).map(edited).collect();
    findings.extend(now.lines().filter(unknown).map(|line| format!("not released: {line}")));
    for new in versions {
        let (record, number) = new.parts();
        for old in versions.iter().filter(|v| v.parts().0 == record && v.parts().1 < number) {
            let why = match SchemaCompatibility::mutual_read(&old.avro(), &new.avro()) {
                Ok(Compatibility::Full) => continue,
                // Some values only: a symbol that the other does not know.
                Ok(Compatibility::Partial) => "not every value can be read".to_owned(),
                Err(error) => error.to_string(),
            };
            findings.push(format!("{} and {} do not agree: {why}", old.file, new.file));
        }
    }
    findings
}

fn edited(line: &str) -> String {
    format!("edited or gone: {line}")
}

/// The released schemas with the new ones among them.
///
/// # Errors
/// What was released would change.
fn extended(released: &str, versions: &[Version]) -> Result<String, Vec<String>> {
    let now = lines(versions);
    let gone = |line: &&str| !now.lines().any(|current| current == *line);
    let changed: Vec<String> = released.lines().filter(gone).map(edited).collect();
    if changed.is_empty() { Ok(now) } else { Err(changed) }
}

fn released() -> PathBuf {
    folder().join("../../schemas/released.tsv")
}

#[test]
fn a_released_schema_is_never_edited_and_a_new_version_agrees_with_it() {
    let mut known = fs::read_to_string(released()).unwrap();
    if writing() {
        known = extended(&known, &published()).unwrap();
        fs::write(released(), &known).unwrap();
    }
    assert_eq!(findings(&known, &published()), [""; 0]);
}

/// A released schema as somebody might change it.
fn changed(file: &str, change: impl Fn(&mut Vec<serde_json::Value>)) -> Version {
    let mut version = published().into_iter().find(|version| version.file == file).unwrap();
    let mut text: serde_json::Value = serde_json::from_str(&version.text).unwrap();
    change(text["fields"].as_array_mut().unwrap());
    version.text = text.to_string();
    version
}

fn field<'a>(fields: &'a mut [serde_json::Value], name: &str) -> &'a mut serde_json::Value {
    fields.iter_mut().find(|field| field["name"] == name).unwrap()
}

fn added(with: &serde_json::Value) -> impl Fn(&mut Vec<serde_json::Value>) {
    move |fields| fields.push(with.clone())
}

const READY: &str = "step_ready.1";

#[test]
fn an_edit_of_a_released_schema_is_noticed_and_not_written_over() {
    let released = fs::read_to_string(released()).unwrap();
    let optional = json!({ "name": "added", "type": "int", "default": 0 });
    let edits = [
        changed(READY, added(&json!({ "name": "added", "type": "int" }))),
        changed(READY, added(&optional)),
        changed(READY, |fields| fields.retain(|field| field["name"] != "due")),
        changed(READY, |fields| field(fields, "attempt")["type"] = json!("long")),
        changed(READY, |fields| field(fields, "attempt")["default"] = json!(1)),
        changed(READY, |fields| field(fields, "kind")["type"]["symbols"][0] = json!("CALL")),
        changed(READY, |fields| fields.swap(3, 5)),
        Version { id: 999, ..changed(READY, |_| {}) },
    ];
    for edit in edits {
        let mut versions = published();
        versions.retain(|version| version.file != READY);
        versions.push(edit.clone());
        let line = released.lines().find(|line| line.starts_with(READY)).unwrap();
        let found = findings(&released, &versions);
        assert_eq!(found, [edited(line), format!("not released: {}", edit.line())]);
        assert_eq!(extended(&released, &versions), Err(vec![edited(line)]));
    }
    let documented = changed(READY, |fields| field(fields, "due")["doc"] = json!("When."));
    assert_eq!(documented.line(), changed(READY, |_| {}).line());
}

#[test]
fn a_schema_that_is_gone_is_noticed_and_its_line_stays() {
    let released = fs::read_to_string(released()).unwrap();
    let mut versions = published();
    versions.retain(|version| version.file != READY);
    let line = released.lines().find(|line| line.starts_with(READY)).unwrap();
    assert_eq!(findings(&released, &versions), [edited(line)]);
    assert_eq!(extended(&released, &versions), Err(vec![edited(line)]));
}

/// All schemas, with this as the second version of its record.
fn with_second(second: Version) -> Vec<Version> {
    let mut versions = published();
    versions.push(Version { file: "step_ready.2".into(), id: 299, ..second });
    versions
}

#[test]
fn a_second_version_that_the_first_cannot_read_or_that_cannot_read_it_is_noticed() {
    let symbols = |fields: &mut Vec<serde_json::Value>| {
        let symbols = &mut field(fields, "kind")["type"]["symbols"];
        symbols.as_array_mut().unwrap().push(json!("FAN_OUT"));
    };
    for incompatible in [
        changed(READY, added(&json!({ "name": "added", "type": "string" }))),
        changed(READY, |fields| fields.retain(|field| field["name"] != "attempt")),
        changed(READY, |fields| field(fields, "attempt")["type"] = json!("string")),
        changed(READY, |fields| field(fields, "attempt")["type"] = json!("long")),
        changed(READY, symbols),
    ] {
        let versions = with_second(incompatible);
        let found = findings(&lines(&versions), &versions);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("step_ready.1 and step_ready.2 do not agree"), "{found:?}");
    }
}

#[test]
fn a_second_version_that_agrees_with_the_first_is_added_to_what_was_released() {
    let released = fs::read_to_string(released()).unwrap();
    let optional = json!({ "name": "added", "type": ["null", "string"], "default": null });
    let versions = with_second(changed(READY, added(&optional)));
    let found = findings(&released, &versions);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("not released: step_ready.2"), "{found:?}");
    let with_it = extended(&released, &versions).unwrap();
    assert_eq!(findings(&with_it, &versions), [""; 0]);
    assert!(released.lines().all(|line| with_it.lines().any(|kept| kept == line)));
}
