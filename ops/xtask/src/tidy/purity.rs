//! `domain` decides: no clock, randomness, IO, async or hash order in its own source.

use super::{has_extension, read};
use anyhow::Result;
use std::path::PathBuf;

const BANNED: [(&str, &str); 10] = [
    ("std::time", "time is an argument"),
    ("Utc::now", "time is an argument"),
    ("std::fs", "no IO"),
    ("std::net", "no IO"),
    ("std::env::", "no environment"),
    ("std::thread", "no threads"),
    ("rand::", "entropy is an argument"),
    ("Uuid::new_v", "ids are arguments"),
    ("async fn", "no async"),
    ("HashMap", "hash order is not repeatable; take a BTreeMap"),
];

pub(super) fn findings(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    let domain = files.iter().filter(|path| path.starts_with("domain/src"));
    let is_test = |path: &&PathBuf| path.iter().any(|part| part == "tests" || part == "tests.rs");
    let sources = domain.filter(|path| has_extension(path, "rs") && !is_test(path));
    for path in sources {
        let text = read(path)?;
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (number, line) in code.enumerate() {
            for (banned, why) in BANNED {
                if line.contains(banned) {
                    findings.push(format!("{}: {banned} ({why}), line {number}", path.display()));
                }
            }
        }
    }
    Ok(())
}
