//! What YAML says, and where.

use super::*;
use crate::definition::mistake::Mistakes;
use serde_json::json;

fn read(text: &str) -> Node {
    let mut mistakes = Mistakes::default();
    let node = load(text, &mut mistakes);
    assert!(mistakes.is_empty(), "{:?}", mistakes.sorted());
    node.unwrap()
}

#[test]
fn the_core_schema_of_yaml_1_2_holds() {
    let node = read(
        "null: ~\nempty:\ntruth: [true, False, yes, on]\n\
         numbers: [0, -7, +8, 0x1F, 0o17, 1.5, -.5, 2., 1e3, 18446744073709551615]\n\
         texts: [\"1\", '2', 1_000, 12:30, 2022-11-28, 1.2.3, 0x, e3]\n",
    );
    let expected = json!({
        "null": null,
        "empty": null,
        "truth": [true, false, "yes", "on"],
        "numbers": [0, -7, 8, 31, 15, 1.5, -0.5, 2.0, 1000.0, 18_446_744_073_709_551_615u64],
        "texts": ["1", "2", "1_000", "12:30", "2022-11-28", "1.2.3", "0x", "e3"],
    });
    assert_eq!(node.value(), expected);
}

#[test]
fn every_value_knows_its_line_and_column() {
    let node = read("\u{feff}a: ü\nb:\n  - x: 1\n    y: |\n      code\n      more\n");
    let at = |node: &Node| (node.at.line, node.at.column);
    assert_eq!(at(node.get("a").unwrap()), (1, 4));
    let item = &node.get("b").unwrap().items()[0];
    assert_eq!(at(item), (3, 5));
    assert_eq!(at(item.get("x").unwrap()), (3, 8));
    assert_eq!(item.text_of("y"), Some("code\nmore\n"));
    assert_eq!(item.entries()[1].at, Place { line: 4, column: 5 });
}

#[test]
fn a_whole_number_may_have_a_point_as_in_json_schema() {
    let whole = |text: &str| read(text).whole();
    assert_eq!(whole("5"), Some(5));
    assert_eq!(whole("5.0"), Some(5));
    assert_eq!(whole("5.5"), None);
    assert_eq!(whole("-5"), None);
    assert_eq!(whole("1e30"), None);
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    assert_eq!(
        read("{404: a, true: b, ~: c}").value(),
        json!({ "404": "a", "true": "b", "~": "c" })
    );
}
