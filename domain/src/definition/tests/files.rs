//! Wrong files: every mistake, where it stands, and its mend, as golden text.

use super::{DEMO, lines, with_steps};
use crate::definition::{FILE_BYTES_MAX, MISTAKES_MAX, parse};
use proptest::prelude::*;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/project/wrong")
}

/// With `MILLRACE_GOLDEN=write` the golden texts are written instead, for a review to compare.
#[test]
fn every_mistake_of_a_wrong_file_is_told() {
    let write = std::env::var("MILLRACE_GOLDEN").is_ok_and(|value| value == "write");
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let told = lines(&parse(&text).unwrap_err());
        let golden = path.with_extension("mistakes");
        if write {
            std::fs::write(&golden, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap();
        assert_eq!(told, expected, "{}", path.display());
        count += 1;
    }
    assert!(count >= 4);
}

#[test]
fn secret_values_are_never_quoted() {
    let text = DEMO
        .replace("REGION: eu-central", "REGION: { hunter2: hunter2 }")
        .replace("{ env: OPS_KEY }", "271828182");
    let told = lines(&parse(&text).unwrap_err());
    assert!(told.contains("api_keys[0].key: this is a number"), "{told}");
    assert!(!told.contains("271828182"), "{told}");
}

#[test]
fn mistakes_are_bounded() {
    let many: String = (0..30_000).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(parse(&many).unwrap_err().len(), MISTAKES_MAX);
}

#[test]
fn a_file_that_is_too_large_is_not_looked_at() {
    let told = lines(&parse(&" ".repeat(FILE_BYTES_MAX + 1)).unwrap_err());
    assert!(told.starts_with("1:1 document: the file has"), "{told}");
}

#[test]
fn bombs_do_not_go_off() {
    for bomb in ["[", "{", "- ", "? ", "a: ", "{a: ", "[[],", "[? ", "&a [*a, ", "---\n", "!", "\""]
    {
        let text = bomb.repeat(200_000 / bomb.len());
        assert!(!parse(&text).unwrap_err().is_empty(), "{bomb}");
    }
    let long = format!("{}: 1", "k".repeat(1_000_000));
    assert!(parse(&long).unwrap_err().iter().all(|mistake| mistake.to_string().len() < 1_000));
}

#[test]
fn choices_within_choices_are_bounded_by_depth() {
    let depth = 40;
    let open = "[ { name: x, if: { a: exists }, then: ".repeat(depth);
    let told = with_steps(&format!(" {open}[]{}", " } ]".repeat(depth))).unwrap_err();
    assert!(told[0].problem.contains("nested more than"), "{}", lines(&told));
}

#[test]
fn steps_are_bounded_branches_included() {
    let branch: String =
        (0..300).map(|n| format!("{{ name: n{n}, delay: {{ value: 1 }} }}, ")).collect();
    let steps =
        format!(" [ {{ name: c, if: {{ a: exists }}, then: [{branch}], else: [{branch}] }} ]");
    let told = lines(&with_steps(&steps).unwrap_err());
    assert!(told.contains("601 steps are too many, branches included"), "{told}");
}

/// Words of the format, so that arbitrary files get past the first check.
fn words() -> impl Strategy<Value = String> {
    let known: Vec<&str> = DEMO.split_inclusive(['\n', ' ', '{', '}', ',', ':']).collect();
    let word = prop_oneof![
        8 => proptest::sample::select(known).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
        1 => Just("\n".to_owned()),
        1 => Just("{{".to_owned()),
    ];
    proptest::collection::vec(word, 0..120).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn parsing_never_panics_on_arbitrary_text(text in "(?s).{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn parsing_never_panics_on_words_of_the_format(text in words()) {
        let _ = parse(&text);
    }

    #[test]
    fn a_line_left_out_or_said_twice_is_told_or_harmless(line in 0..DEMO.lines().count(), twice: bool) {
        let lines: Vec<&str> = DEMO.lines().collect();
        let mut changed = lines.clone();
        if twice {
            changed.insert(line, lines[line]);
        } else {
            changed.remove(line);
        }
        if let Err(mistakes) = parse(&changed.join("\n")) {
            prop_assert!(!mistakes.is_empty());
            prop_assert!(mistakes.iter().all(|m| m.line >= 1 && m.column >= 1));
            prop_assert!(mistakes.iter().all(|m| !m.mend.is_empty()));
        }
    }
}
