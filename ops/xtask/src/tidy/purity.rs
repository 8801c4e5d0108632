//! `domain` decides: no clock, randomness, IO, async or hash order in its own source.

use super::{has_extension, read};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Words, and why they are not there. A word ends where an identifier does.
const BANNED: [(&str, &str); 19] = [
    ("Utc::now", "time is an argument"),
    ("Local::now", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("Instant", "time is an argument"),
    ("fastrand", "entropy is an argument"),
    ("getrandom", "entropy is an argument"),
    ("rand::", "entropy is an argument"),
    ("Uuid::new_v", "ids are arguments"),
    ("RandomState", "hash order is not repeatable"),
    ("HashMap", "hash order is not repeatable; take a BTreeMap"),
    ("HashSet", "hash order is not repeatable; take a BTreeSet"),
    ("tokio", "no async"),
    ("futures_util", "no async"),
    ("async", "no async"),
    ("print!", "no IO"),
    ("println!", "no IO"),
    ("eprint!", "no IO"),
    ("eprintln!", "no IO"),
    ("dbg!", "no IO"),
];

/// Modules of the standard library.
const MODULES: [(&str, &str); 7] = [
    ("time", "time is an argument"),
    ("io", "no IO"),
    ("fs", "no IO"),
    ("net", "no IO"),
    ("process", "no processes"),
    ("env", "no environment"),
    ("thread", "no threads"),
];

pub(super) fn findings(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    let domain = files.iter().filter(|path| path.starts_with("domain/src"));
    let is_test = |path: &&PathBuf| path.iter().any(|part| part == "tests" || part == "tests.rs");
    for path in domain.filter(|path| has_extension(path, "rs") && !is_test(path)) {
        look(path, &read(path)?, findings);
    }
    Ok(())
}

fn look(path: &Path, text: &str, findings: &mut Vec<String>) {
    let code = blanked(text);
    let mut found: Vec<(usize, &str, &str)> = BANNED
        .iter()
        .flat_map(|(word, why)| places(&code, word).map(move |at| (at, *word, *why)))
        .collect();
    for (at, name) in std_modules(&code) {
        found.extend(MODULES.iter().filter(|(m, _)| *m == name).map(|(m, why)| (at, *m, *why)));
    }
    found.sort_unstable();
    for (at, what, why) in found {
        let line = code[..at].matches('\n').count() + 1;
        findings.push(format!("{}:{line}: {what} ({why})", path.display()));
    }
}

/// The text with comments as blanks, so that places and lines stay.
fn blanked(text: &str) -> String {
    let blank = |line: &str| match line.trim_start().starts_with("//") {
        true => " ".repeat(line.len()),
        false => line.to_owned(),
    };
    text.lines().map(blank).collect::<Vec<_>>().join("\n")
}

/// Where a word stands that is not a part of a longer one.
fn places(code: &str, word: &str) -> impl Iterator<Item = usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let is_open = word.ends_with(is_name) && !word.ends_with("_v");
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !(before.is_some_and(is_name) || is_open && after.is_some_and(is_name))
    })
}

/// Every `std::module` or `core::module`, also where several are named at once.
fn std_modules(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for root in ["std::", "core::"] {
        for at in places(code, root) {
            let start = at + root.len();
            match code[start..].strip_prefix('{') {
                Some(group) => found.extend(members(group, start + 1)),
                None => found.push((start, name(&code[start..]))),
            }
        }
    }
    found
}

/// The first name of each member of a group `{a::b, c::{d, e}}`, behind its brace.
fn members(group: &str, start: usize) -> Vec<(usize, &str)> {
    let (mut found, mut depth, mut is_first) = (Vec::new(), 0_u32, true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_first = true,
            letter if is_first && !letter.is_whitespace() => {
                found.push((start + at, name(&group[at..])));
                is_first = false;
            }
            _ => {}
        }
    }
    found
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        look("domain/src/planted.rs".as_ref(), text, &mut findings);
        findings
    }

    #[test]
    fn what_is_planted_is_found_on_its_line() {
        let planted =
            "//! No std::time here.\n\nuse std::fs;\n\nfn f() {\n    println!(\"x\");\n}\n";
        assert_eq!(
            found(planted),
            ["domain/src/planted.rs:3: fs (no IO)", "domain/src/planted.rs:6: println! (no IO)"]
        );
    }

    #[test]
    fn every_way_out_of_purity_is_found() {
        for line in [
            "use std::time::Duration;",
            "use std::{collections::BTreeMap, time::Duration};",
            "use std::{fmt, io::{self, Read}};",
            "use std::{\n    sync::Arc,\n    net,\n};",
            "let key = std::env::var(\"KEY\");",
            "std::process::exit(1);",
            "std::thread::spawn(f);",
            "let now = core::time::Duration::ZERO;",
            "let now = Instant::now();",
            "let now = chrono::Utc::now();",
            "let n = rand::random();",
            "let n = fastrand::u64(..);",
            "getrandom::fill(&mut bytes);",
            "let id = Uuid::new_v4();",
            "tokio::spawn(f);",
            "async fn f() {}",
            "let later = async move { 1 };",
            "let rows: HashMap<u8, u8> = rows();",
            "let rows = HashSet::new();",
            "eprintln!(\"x\");",
            "print!(\"x\");",
            "dbg!(x);",
        ] {
            assert_eq!(found(line).len(), 1, "{line}: {:?}", found(line));
        }
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for line in [
            "use std::collections::BTreeMap;",
            "use std::{fmt, sync::Arc};",
            "use std::{fmt::{self, Write}, iter};",
            "use crate::time::Timestamp;",
            "let operand::Number(n) = operand;",
            "/// See std::fs and HashMap.",
            "    // An Instant would be wrong here.",
            "let is_async_like = strand::of(x);",
            "writeln!(f, \"x\")?;",
            "let instantly = environment;",
        ] {
            assert_eq!(found(line), [""; 0], "{line}");
        }
    }
}
