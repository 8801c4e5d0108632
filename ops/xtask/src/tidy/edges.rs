//! Crate edges, as `ops/docs/architecture.md` draws them.

use crate::shell::root;
use anyhow::Result;
use serde_json::Value;
use std::process::Command;

/// What each crate of ours may use of ours.
const EDGES: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("ports", &["domain"]),
    ("ingest", &["domain", "ports"]),
    ("projections", &["domain", "ports"]),
    ("connectors", &["domain", "ports"]),
    ("log-embedded", &["domain", "ports"]),
    ("log-kafka", &["domain", "ports"]),
    ("store-embedded", &["domain", "ports"]),
    ("brokers", &[]),
    (
        "millrace",
        &[
            "domain",
            "ports",
            "ingest",
            "projections",
            "connectors",
            "log-embedded",
            "log-kafka",
            "store-embedded",
        ],
    ),
    (
        "tests",
        &[
            "domain",
            "ports",
            "ingest",
            "projections",
            "connectors",
            "log-embedded",
            "log-kafka",
            "store-embedded",
            "brokers",
            "millrace",
        ],
    ),
    ("xtask", &["brokers"]),
    ("fuzz", &["domain"]),
];

pub(super) fn findings(findings: &mut Vec<String>) -> Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        if package["source"].is_null() {
            edges(name, package, findings);
        }
    }
    Ok(())
}

fn edges(name: &str, package: &Value, findings: &mut Vec<String>) {
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
        findings.push(format!("{name}: a crate that the table of edges does not know"));
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let used = dependency["name"].as_str().unwrap_or_default();
        let ours = EDGES.iter().any(|(known, _)| *known == used);
        if ours && dependency["kind"] != "dev" && !allowed.contains(&used) {
            findings.push(format!("{name} must not use {used}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(name: &str, dependencies: &Value) -> Vec<String> {
        let mut findings = Vec::new();
        edges(name, &json!({ "dependencies": dependencies }), &mut findings);
        findings
    }

    fn of(name: &str) -> Value {
        json!([{ "name": "serde", "kind": null }, { "name": name, "kind": null }])
    }

    #[test]
    fn an_edge_that_is_not_drawn_is_found() {
        for (from, to) in [
            ("domain", "ports"),
            ("ports", "ingest"),
            ("ingest", "projections"),
            ("projections", "connectors"),
            ("connectors", "ingest"),
            ("log-embedded", "store-embedded"),
            ("projections", "log-embedded"),
            ("millrace", "tests"),
            ("xtask", "domain"),
        ] {
            assert_eq!(found(from, &of(to)), [format!("{from} must not use {to}")]);
        }
        let name = "a crate that the table of edges does not know";
        assert_eq!(found("planted", &json!([])), [format!("planted: {name}")]);
    }

    #[test]
    fn an_edge_that_is_drawn_is_none_of_its_business() {
        for (from, to) in [("ports", "domain"), ("ingest", "ports"), ("tests", "millrace")] {
            assert_eq!(found(from, &of(to)), [""; 0]);
        }
        // Tests may use what the crate itself must not; what is built for it must not either.
        let dev = json!([{ "name": "ports", "kind": "dev" }]);
        assert_eq!(found("domain", &dev), [""; 0]);
        let build = json!([{ "name": "ports", "kind": "build" }]);
        assert_eq!(found("domain", &build).len(), 1);
    }

    #[test]
    fn nothing_that_is_drawn_goes_round_in_a_circle() {
        for (place, (name, allowed)) in EDGES.iter().enumerate() {
            let before = EDGES[..place].iter().map(|(name, _)| *name).collect::<Vec<_>>();
            let is_before = |used: &&&str| !before.contains(*used);
            let later: Vec<_> = allowed.iter().filter(is_before).collect();
            assert!(later.is_empty(), "{name} uses {later:?}");
        }
    }
}
