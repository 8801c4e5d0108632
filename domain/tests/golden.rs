//! The bytes of every schema ever released, and what they must decode to.
//!
//! `MILLRACE_GOLDEN=write cargo test -p domain --test golden` adds the files of a new schema; it
//! never changes one that exists. `schemas/released.tsv` has the fingerprint of each schema file.

// A test fails by panicking, also in the functions around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use apache_avro::rabin::Rabin;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema_compatibility::SchemaCompatibility;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Schema, Uuid};
use domain::codec::{self, Family};
use domain::command::Command;
use domain::event::Event;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn stem(schema: &codec::Schema) -> String {
    let mut stem = String::new();
    for (at, letter) in schema.name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            stem.push('_');
        }
        stem.push(letter.to_ascii_lowercase());
    }
    format!("{stem}.1")
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
    let record = codec::decode::<Event>(bytes).unwrap();
    assert_eq!(record.body.schema().id, id);
    codec::encode(&record).unwrap()
}

#[test]
fn golden_bytes_decode_to_what_they_meant_and_encode_to_themselves() {
    for schema in codec::published() {
        let avro = Schema::parse_str(&schema.text).unwrap();
        let path = folder().join(stem(schema));
        let (bin, json) = (path.with_extension("1.bin"), path.with_extension("1.json"));
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

/// `name <tab> id <tab> fingerprint` per released schema.
fn fingerprints() -> String {
    let mut lines: Vec<String> = codec::published()
        .map(|schema| {
            let avro = Schema::parse_str(&schema.text).unwrap();
            format!("{}\t{}\t{}", stem(schema), schema.id, avro.fingerprint::<Rabin>())
        })
        .collect();
    lines.sort();
    lines.join("\n") + "\n"
}

#[test]
fn a_released_schema_is_never_edited() {
    let path = folder().join("../../schemas/released.tsv");
    let now = fingerprints();
    if writing() {
        fs::write(&path, &now).unwrap();
    }
    let released = fs::read_to_string(&path).unwrap();
    for line in released.lines() {
        assert!(now.lines().any(|current| current == line), "edited or gone: {line}");
    }
    assert_eq!(released, now, "a new schema: add it to schemas/released.tsv");
}

#[test]
fn an_incompatible_edit_is_noticed() {
    let text = &codec::published().next().unwrap().text;
    let old = Schema::parse_str(text).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
    let fields = value["fields"].as_array_mut().unwrap();
    fields.push(serde_json::json!({ "name": "added", "type": "string" }));
    let incompatible = Schema::parse_str(&value.to_string()).unwrap();
    assert!(SchemaCompatibility::mutual_read(&old, &incompatible).is_err());
    let last = value["fields"].as_array_mut().unwrap().last_mut().unwrap();
    last["default"] = serde_json::json!("");
    let compatible = Schema::parse_str(&value.to_string()).unwrap();
    assert!(SchemaCompatibility::mutual_read(&old, &compatible).is_ok());
}
