//! The published JSON Schema against the parser.

use super::DEMO;
use crate::definition::mistake::Mistakes;
use crate::definition::{parse, schema, yaml};
use serde_json::Value;
use std::path::PathBuf;

fn value(text: &str) -> Value {
    yaml::load(text, &mut Mistakes::default()).unwrap().value()
}

#[test]
fn the_published_schema_is_the_one_of_the_parser() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/project.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_schema_is_one_and_takes_the_example() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let demo = value(DEMO);
    let errors: Vec<String> = validator
        .iter_errors(&demo)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0]);
}

/// One change of the example that breaks its shape, each.
const SLIPS: &[(&str, &str)] = &[
    ("project:\n", "projekt:\n"),
    ("  name: Demo\n", ""),
    ("5f1d7a52-3c1e", "5f1d7a52_3c1e"),
    ("concurrency: 50\n", "concurrency: 0\n"),
    ("concurrency: 50\n", "concurrency: lots\n"),
    ("signing_keys: { generate: true }", "signing_keys: { generate: false }"),
    ("signing_keys: { generate: true }", "signing_keys: {}"),
    ("signing_keys: { generate: true }", "signing_keys: { generate: true, public_keys: [] }"),
    ("signing_keys: { generate: true }", "signing_keys: { auth0: \"https://a.auth0.com\" }"),
    ("signing_keys: { generate: true }", "signing_keys: { auth0: a.auth0.com, firebase: a }"),
    ("signing_keys: { generate: true }", "signing_keys: { firebase: A_b }"),
    ("signing_keys: { generate: true }", "signing_keys: { firebase: a, audience: b }"),
    ("key: { env: OPS_KEY }", "key: { env: OPS-KEY }"),
    ("key: { env: OPS_KEY }", "generate: true\n    key: x"),
    ("hash: 9f86", "hash: zf86"),
    ("  REGION: eu-central", "  re gion: eu-central"),
    ("  - slack\n", "  - slak\n"),
    ("  - slack\n", "  - custom.tasklab2\n"),
    ("type: custom.tasklab", "type: custom.Task"),
    ("    base_url: https://api.tasklab.test/v1\n", ""),
    ("base_url: https", "base_url: gopher"),
    ("scheme: standard", "scheme: sealing-wax"),
    ("{ webhook: issues.opened, of: github }", "{ of: github }"),
    ("{ webhook: issues.opened, of: github }", "{ webhook: a, app_event: b }"),
    ("trigger: { app_event: Contact Created }", "trigger: { app_event: x, of: slack }"),
    ("method: PUT", "method: put"),
    ("headers: { X-Source: millrace }", "headers: { X-Source: [millrace] }"),
    ("{ at_least: 10, less_than: 1000 }", "{ at_leest: 10 }"),
    ("{ at_least: 10, less_than: 1000 }", "{ exists: true }"),
    ("vip}}\": exists", "vip}}\": exist"),
    ("vip}}\": exists", "vip}}\": at_least"),
    ("unit: days", "unit: DAYS"),
    ("status: 200", "status: 600"),
    ("name: pause\n", "nam: pause\n"),
    ("        delay: { value: 30 }", "        delay: { value: [30] }"),
    ("        delay: { value: 30 }", "        parameters: {}\n        delay: { value: 30 }"),
    ("        delay: { value: 30 }", "        then: []\n        delay: { value: 30 }"),
    ("        delay: { value: 30 }", "        function: x\n        delay: { value: 30 }"),
    ("        delay: { value: 30 }", "        auto_retry: on\n        delay: { value: 30 }"),
    ("type: string", "type: text"),
];

#[test]
fn schema_and_parser_refuse_the_same_slips() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (right, wrong) in SLIPS {
        assert!(DEMO.contains(right), "{right}");
        let text = DEMO.replacen(right, wrong, 1);
        assert!(parse(&text).is_err(), "the parser takes {wrong}");
        assert!(!validator.is_valid(&value(&text)), "the schema takes {wrong}");
    }
}
