//! Crate edges, as `ops/docs/architecture.md` draws them, and licences.

use crate::shell::root;
use anyhow::Result;
use serde_json::Value;
use std::process::Command;

/// What each crate of ours may use of ours.
const EDGES: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("ports", &["domain"]),
    ("ingest", &["domain", "ports"]),
    ("projections", &["domain", "ports"]),
    ("connectors", &["domain", "ports"]),
    ("log-embedded", &["domain", "ports"]),
    ("store-embedded", &["domain", "ports"]),
    (
        "millrace",
        &[
            "domain",
            "ports",
            "ingest",
            "projections",
            "connectors",
            "log-embedded",
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
            "store-embedded",
            "millrace",
        ],
    ),
    ("xtask", &[]),
    ("fuzz", &["domain"]),
];

/// Licences that a dependency may have; one of several is enough.
const LICENCES: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "0BSD",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
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
        } else if !permitted(package["license"].as_str().unwrap_or_default()) {
            findings.push(format!("{name}: licence {} is not permitted", package["license"]));
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
        if ours && dependency["kind"].is_null() && !allowed.contains(&used) {
            findings.push(format!("{name} must not use {used}"));
        }
    }
}

/// Reads `A OR (B AND C)`: every AND must be permitted in at least one alternative.
fn permitted(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" OR ").any(|alternative| {
        alternative.split(" AND ").all(|licence| LICENCES.contains(&licence.trim()))
    })
}
