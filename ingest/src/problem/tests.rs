use super::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> BTreeSet<String> {
    let folder = root().join("ops/docs/errors");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> = ALL.iter().map(|code| code.name.to_owned()).collect();
    assert_eq!(codes.len(), ALL.len(), "a code is there twice");
    assert_eq!(pages(), codes);
}

#[test]
fn a_page_names_its_code_status_and_number() {
    for code in ALL {
        let path = root().join(format!("ops/docs/errors/{}.md", code.name));
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page.starts_with(&format!("# {}\n", code.name)), "{}", code.name);
        assert!(page.contains(&format!("Status {}", code.status)), "{}: status", code.name);
        assert!(page.contains(code.text), "{}: text", code.name);
        assert!(page.contains("**What to do.**"), "{}: what to do", code.name);
        assert!(code.wire == code.name || page.contains(code.wire), "{}: number", code.name);
    }
}

/// Existing clients sign their user out on 401 and 403: neither may be a refusal of something else.
#[test]
fn only_who_calls_is_answered_with_401_or_403() {
    let caller = ["TOKEN_", "API_KEY_", "ADMIN_KEY_", "USER_DISABLED", "WEBHOOK_"];
    for code in ALL.iter().filter(|code| matches!(code.status, 401 | 403)) {
        assert!(caller.iter().any(|start| code.name.starts_with(start)), "{}", code.name);
    }
}

/// Words in capitals that the engine and the way out write are public codes.
#[test]
fn every_code_that_is_written_elsewhere_is_known() {
    const PLACES: [&str; 11] = [
        "domain/src/decide",
        "domain/src/config",
        "domain/src/answer.rs",
        "domain/src/workflow/template.rs",
        "domain/src/workflow/delay.rs",
        "domain/src/workflow/respond.rs",
        "domain/src/workflow/condition/evaluate.rs",
        "connectors/src/sandbox/fault.rs",
        "connectors/src/http/error.rs",
        "connectors/src/request/failed.rs",
        "connectors/src/runner.rs",
    ];
    let mut known_count = 0;
    for place in PLACES {
        for file in sources(&root().join(place)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for word in written(text) {
                assert!(find(&word).is_some(), "{word} in {} has no row", file.display());
                known_count += 1;
            }
        }
    }
    assert!(known_count > 40, "only {known_count} codes were found: have they moved?");
}

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten();
    let entries = entries.map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| !path.ends_with("tests") && !path.ends_with("tests.rs");
    entries.filter(named).flat_map(|path| sources(&path)).collect()
}

fn written(text: &str) -> impl Iterator<Item = String> + '_ {
    let is_code = |word: &&str| {
        let capitals =
            word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit());
        capitals && word.len() > 4 && !["STRING", "WAIT"].contains(word)
    };
    text.split('"').skip(1).step_by(2).filter(is_code).map(str::to_owned)
}

#[test]
fn a_problem_keeps_its_number_and_its_name() {
    let body = TOKEN_EXPIRED.plain().of(ProjectId(uuid::Uuid::nil())).into_body();
    let expected = json!({
        "message": "Your authorization token has expired.",
        "code": "7203",
        "status": 401,
        "meta": {
            "error": "TOKEN_EXPIRED",
            "projectId": "00000000-0000-0000-0000-000000000000",
        },
    });
    assert_eq!(json!(body), expected);
}

#[test]
fn a_refusal_without_a_row_keeps_its_code() {
    let body = json!(Problem::refused("SOMETHING_NEW", "why".into()).into_body());
    assert_eq!((&body["status"], &body["meta"]["error"]), (&json!(500), &json!("SOMETHING_NEW")));
}
