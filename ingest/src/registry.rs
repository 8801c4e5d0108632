//! The schemas of the log, as a Confluent-compatible schema registry would answer: whoever reads
//! the topics can point a deserializer at `/registry` of any node. Nothing can be registered here.

use crate::door::Shared;
use crate::openapi::Input;
use crate::path::Address;
use crate::problem::{Outcome, Problem, REGISTRY_ELSEWHERE, SCHEMA_UNKNOWN};
use crate::reply::Reply;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::codec::{Schema, published};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// How the newest version is asked for.
const LATEST: &str = "latest";
/// What schemas are written in.
const SCHEMA_TYPE: &str = "AVRO";

/// A schema by itself.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SchemaText {
    /// Avro, as JSON.
    schema: &'static str,
}

/// A version of a record, with its schema.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisteredSchema {
    /// The record's full name.
    subject: String,
    version: u32,
    /// What records begin with that are written by it.
    id: u32,
    schema_type: &'static str,
    /// Avro, as JSON.
    schema: &'static str,
}

/// That this node answers for the schemas of the log.
pub(crate) struct Here;

impl Input for Here {}

impl FromRequestParts<Shared> for Here {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, door: &Shared) -> Result<Self, Problem> {
        match &door.app.registry {
            Some(url) => Err(REGISTRY_ELSEWHERE.plain().with("registry", json!(url))),
            None => Ok(Self),
        }
    }
}

/// `GET /registry/schemas/ids/{id}`: `{schema}`.
pub(crate) async fn by_id(_: Here, address: Address) -> Outcome<Reply<SchemaText>> {
    let id: u32 = address.id("id", &SCHEMA_UNKNOWN)?;
    let schema = published().find(|schema| schema.id == id);
    let schema = schema.ok_or_else(|| SCHEMA_UNKNOWN.plain())?;
    Ok(Reply::new(SchemaText { schema: &schema.text }))
}

/// `GET /registry/subjects`: the full names of the records.
pub(crate) async fn subjects(_: Here) -> Reply<Vec<String>> {
    let mut names: Vec<String> = published().map(Schema::subject).collect();
    names.dedup();
    Reply::new(names)
}

/// `GET /registry/subjects/{subject}/versions`: their numbers.
pub(crate) async fn versions(_: Here, address: Address) -> Outcome<Reply<Vec<u32>>> {
    let found: Vec<u32> = of(address.text("subject")).map(version).collect();
    if found.is_empty() {
        return Err(SCHEMA_UNKNOWN.plain());
    }
    Ok(Reply::new(found))
}

/// `GET /registry/subjects/{subject}/versions/{version}`: `{subject, version, id, schema}`.
pub(crate) async fn read(_: Here, address: Address) -> Outcome<Reply<RegisteredSchema>> {
    let found = one(address.text("subject"), address.text("version"));
    let schema = found.ok_or_else(|| SCHEMA_UNKNOWN.plain())?;
    Ok(Reply::new(RegisteredSchema {
        subject: schema.subject(),
        version: version(schema),
        id: schema.id,
        schema_type: SCHEMA_TYPE,
        schema: &schema.text,
    }))
}

/// A version by its number, or the newest.
fn one(name: &str, wanted: &str) -> Option<&'static Schema> {
    match wanted {
        LATEST => of(name).max_by_key(|schema| version(schema)),
        number => of(name).find(|schema| number.parse() == Ok(version(schema))),
    }
}

fn of(name: &str) -> impl Iterator<Item = &'static Schema> {
    published().filter(move |schema| schema.subject() == name)
}

/// The number at the end of its file's name.
fn version(schema: &Schema) -> u32 {
    let number = schema.file.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_found_by_its_name_and_its_number() {
        for schema in published() {
            let number = version(schema).to_string();
            assert_eq!(one(&schema.subject(), &number).map(|found| found.id), Some(schema.id));
        }
        let latest = one("millrace.StepReady", LATEST).map(|schema| (schema.id, version(schema)));
        assert_eq!(latest, Some((221, 1)));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(one("millrace.StepReady", "7").is_none());
        assert!(one("millrace.StepReady", "x").is_none());
        assert!(one("millrace.Nothing", LATEST).is_none());
    }
}
