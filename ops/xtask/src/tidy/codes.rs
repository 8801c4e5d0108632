//! Every public error code that the code can answer has a page.

use super::{has_extension, read};
use crate::shell::root;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::PathBuf;

pub(super) fn findings(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    let mut codes = BTreeSet::new();
    for path in files.iter().filter(|path| has_extension(path, "rs")) {
        let decides = path.starts_with("domain/src/decide") || path.starts_with("connectors/src");
        if decides {
            codes.extend(codes_in(&read(path)?));
        }
    }
    for code in codes {
        if !root().join(format!("ops/docs/errors/{code}.md")).is_file() {
            findings.push(format!("error code {code}: ops/docs/errors/{code}.md is missing"));
        }
    }
    Ok(())
}

/// String literals such as `"REQUEST_FAILED"`: capitals with at least one underscore.
fn codes_in(text: &str) -> Vec<String> {
    text.split('"')
        .skip(1)
        .step_by(2)
        .filter(|literal| {
            literal.len() > 4 && literal.contains('_') && !literal.starts_with("CARGO_")
        })
        .filter(|literal| literal.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .map(str::to_owned)
        .collect()
}
