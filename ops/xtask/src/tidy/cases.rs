//! Every sample of a workflow page is shown by a test: `tests/e2e/cases/pages.json` says by which.

use super::{has_extension, read};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const FOLDER: &str = "tests/e2e";
const LIST: &str = "tests/e2e/cases/pages.json";
/// What the names of case files begin with, as tests and the list write them.
const CASES: &str = "cases/";
/// Pages below it are in the list, whatever file has cases of them.
const WORKFLOWS: &str = "workflows/";
const HOST: &str = "https://docs.useparagon.com/";

/// The end to end tests and their cases.
#[derive(Default)]
struct Tests {
    /// The text of each module, by its name.
    modules: BTreeMap<String, String>,
    /// The pages that each case file has cases of, by `cases/<file>.json`.
    cases: BTreeMap<String, BTreeSet<String>>,
}

pub(super) fn findings(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    let mut tests = Tests::default();
    let is_case = |path: &&PathBuf| path.starts_with(Path::new(FOLDER).join(CASES));
    for path in files.iter().filter(is_case).filter(|path| path.as_path() != Path::new(LIST)) {
        let name = path.strip_prefix(FOLDER)?.to_string_lossy().into_owned();
        let pages = pages_in(&json(path)?);
        tests.cases.insert(name, pages);
    }
    for path in files.iter().filter(|path| path.starts_with(FOLDER) && has_extension(path, "rs")) {
        let name = path.strip_prefix(FOLDER)?.with_extension("");
        tests.modules.insert(name.to_string_lossy().replace('/', "::"), read(path)?);
    }
    let list = json(Path::new(LIST))?;
    let found = compare(&list, &tests);
    findings.extend(found.into_iter().map(|finding| format!("{LIST}: {finding}")));
    Ok(())
}

fn json(path: &Path) -> Result<Value> {
    serde_json::from_str(&read(path)?).with_context(|| path.display().to_string())
}

/// The pages that a table names under `page`, each without its host and what is said of the place on it.
fn pages_in(table: &Value) -> BTreeSet<String> {
    match table {
        Value::Array(items) => items.iter().flat_map(pages_in).collect(),
        Value::Object(entries) => {
            let mut pages: BTreeSet<String> = entries.values().flat_map(pages_in).collect();
            if let Some(page) = entries.get("page").and_then(Value::as_str) {
                let page = page.strip_prefix(HOST).unwrap_or(page);
                let end = page.find([',', ':', ' ']).unwrap_or(page.len());
                pages.insert(page[..end].to_owned());
            }
            pages
        }
        _ => BTreeSet::new(),
    }
}

fn compare(list: &Value, tests: &Tests) -> Vec<String> {
    let mut findings = Vec::new();
    let mut listed = BTreeSet::new();
    for entry in list.as_array().into_iter().flatten() {
        let page = entry["page"].as_str().unwrap_or_default();
        if page.is_empty() || page.starts_with("http") {
            findings
                .push(format!("{entry}: say under \"page\" which page it is, without its host"));
        } else if !listed.insert(page) {
            findings.push(format!("{page}: it is listed twice; keep one entry"));
        }
        of_entry(page, entry, tests, &mut findings);
    }
    for (name, pages) in &tests.cases {
        if !tests.modules.values().any(|text| text.contains(&format!("\"{name}\""))) {
            findings.push(format!("{name}: no test reads it; include it in one, or remove it"));
        }
        let below = pages.iter().filter(|page| page.starts_with(WORKFLOWS));
        for page in below.filter(|page| !listed.contains(page.as_str())) {
            findings.push(format!("{page}: {name} has cases of it; add it to the list"));
        }
    }
    findings
}

fn of_entry(page: &str, entry: &Value, tests: &Tests, findings: &mut Vec<String>) {
    let samples = entry["samples"].as_array().map_or(&[][..], Vec::as_slice);
    let why = entry["why"].as_str().unwrap_or_default();
    if samples.is_empty() && why.is_empty() {
        findings.push(format!("{page}: it has no samples; name some, or say why under \"why\""));
    }
    let mut names = BTreeSet::new();
    for sample in samples {
        let name = sample["sample"].as_str().unwrap_or_default();
        if name.is_empty() || !names.insert(name) {
            findings.push(format!("{page}: give {sample} a \"sample\" name of its own"));
        }
        let shown_by = sample["shown_by"].as_array().map_or(&[][..], Vec::as_slice);
        if shown_by.is_empty() {
            findings.push(format!("{page}, {name}: no test shows it; name one under \"shown_by\""));
        }
        for shown in shown_by {
            let wanted = shown.as_str().unwrap_or_default();
            if let Some(problem) = missing(page, wanted, tests) {
                findings.push(format!("{page}, {name}: {problem}"));
            }
        }
    }
}

/// Why what is named shows no sample of the page.
fn missing(page: &str, wanted: &str, tests: &Tests) -> Option<String> {
    if wanted.starts_with(CASES) {
        return match tests.cases.get(wanted) {
            None => Some(format!("there is no {wanted}; name a file of {FOLDER}/{CASES}")),
            Some(pages) if !pages.contains(page) => {
                Some(format!("{wanted} has no case of the page; add one, or name another"))
            }
            Some(_) => None,
        };
    }
    let Some((module, test)) = wanted.rsplit_once("::") else {
        return Some(format!("{wanted:?} is neither `module::test` nor `{CASES}<file>.json`"));
    };
    let Some(text) = tests.modules.get(module) else {
        return Some(format!("there is no module {module}; name one of {FOLDER}"));
    };
    let is_there = has_test(text, test);
    (!is_there).then(|| format!("{module} has no test {test}; name one that it has, or write it"))
}

/// Whether a text has a function of the name right below the mark of a test.
fn has_test(text: &str, name: &str) -> bool {
    let mut before = "";
    text.lines().any(|line| {
        let is_test = ["#[tokio::test", "#[test]"].iter().any(|mark| before.starts_with(mark));
        before = line.trim_start();
        is_test && before.trim_start_matches("async ").starts_with(&format!("fn {name}("))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known() -> Tests {
        let text =
            "include_str!(\"cases/a.json\")\n#[tokio::test]\nasync fn shows() {\n}\nfn helper() {}";
        let pages = pages_in(&json!({ "cases": [
            { "page": "workflows/a, a place on it" }, { "page": "paragraph/b: another" },
        ] }));
        Tests {
            modules: [("one".to_owned(), text.to_owned())].into(),
            cases: [("cases/a.json".to_owned(), pages)].into(),
        }
    }

    #[test]
    fn a_list_that_says_what_is_there_has_no_findings() {
        let shown = json!(["one::shows", "cases/a.json"]);
        let list = json!([
            { "page": "workflows/a", "samples": [{ "sample": "it", "shown_by": shown }] },
            { "page": "workflows/b", "samples": [], "why": "it only describes" },
        ]);
        assert_eq!(compare(&list, &known()), Vec::<String>::new());
    }

    #[test]
    fn whatever_is_missing_or_doubled_is_told() {
        let sample = |shown: &str| json!([{ "sample": "it", "shown_by": [shown] }]);
        for (list, word) in [
            (json!([]), "cases/a.json has cases of it"),
            (json!([{ "page": "workflows/a", "samples": [] }]), "has no samples"),
            (json!([{ "page": "x", "samples": [{ "sample": "it" }] }]), "no test shows it"),
            (json!([{ "page": "x", "samples": sample("one::gone") }]), "no test gone"),
            (json!([{ "page": "x", "samples": sample("one::helper") }]), "no test helper"),
            (json!([{ "page": "x", "samples": sample("two::shows") }]), "no module two"),
            (json!([{ "page": "x", "samples": sample("cases/b.json") }]), "no cases/b.json"),
            (json!([{ "page": "x", "samples": sample("cases/a.json") }]), "no case of the page"),
            (json!([{ "page": "x", "samples": sample("shows") }]), "neither"),
            (json!([{ "page": "x", "why": "y" }, { "page": "x", "why": "y" }]), "listed twice"),
        ] {
            let found = compare(&list, &known());
            assert!(found.iter().any(|finding| finding.contains(word)), "{word}: {found:?}");
        }
    }
}
