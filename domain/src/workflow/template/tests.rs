use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const MAX: usize = 10_000;

fn scope() -> Scope {
    let settings = json!({ "userId": "u-1", "channel": "C1", "oauthAccessToken": "xoxb" });
    Scope {
        trigger: json!({
            "event": { "userId": "a b", "age": 7, "ok": true, "first name": "Bo", "x-y": 1,
                "none": null, "tags": ["t0", { "id": 9 }], "0": "zero", "a\"]}}": "odd" },
        }),
        outputs: BTreeMap::from([
            (0, json!({ "result": { "text": "hi", "price": 2.0, "share": 0.5 } })),
            (2, json!({ "output": "own" })),
        ]),
        names: Arc::new([("pick".into(), 0), ("not taken".into(), 1), ("post".into(), 2)].into()),
        settings: settings.as_object().cloned().unwrap(),
        hidden: BTreeSet::new(),
        secrets: BTreeMap::from([
            ("API_KEY".into(), "k3y".into()),
            ("with.dot".into(), "d".into()),
        ]),
        own: Value::Null,
    }
}

fn value(template: &str) -> Value {
    resolve(&json!(template), &scope(), MAX).unwrap()
}

fn error(template: &str) -> Unresolved {
    resolve(&json!(template), &scope(), MAX).unwrap_err()
}

#[test]
fn every_root_is_found() {
    assert_eq!(value("/users/{{1.event.age}}"), json!("/users/7"));
    assert_eq!(value("{{trigger.event.age}}"), json!(7));
    assert_eq!(value("{{2.result.text}}"), json!("hi"));
    assert_eq!(value("{{pick.result.text}}"), json!("hi"));
    assert_eq!(value("{{settings.oauthAccessToken}}"), json!("xoxb"));
    assert_eq!(value("{{userSettings.userId}}"), json!("u-1"));
    assert_eq!(value("Bearer {{secrets.API_KEY}}"), json!("Bearer k3y"));
    assert_eq!(value("{{settings}}"), Value::Object(scope().settings));
    assert_eq!(value("{{1}}"), scope().trigger);
}

#[test]
fn every_form_of_path_is_read() {
    assert_eq!(value("{{ 1.event.age }}"), json!(7));
    assert_eq!(value("{{1.event.tags[0]}}"), json!("t0"));
    assert_eq!(value("{{1.event.tags.0}}"), json!("t0"));
    assert_eq!(value("{{1.event.tags[ 1 ].id}}"), json!(9));
    assert_eq!(value("{{1[\"event\"]['tags'][1][\"id\"]}}"), json!(9));
    assert_eq!(value("{{1.event.first name}}"), json!("Bo"));
    assert_eq!(value("{{1.event[\"first name\"]}}"), json!("Bo"));
    assert_eq!(value("{{1.event.x-y}}"), json!(1));
    assert_eq!(value("{{1.event[0]}}"), json!("zero"));
    assert_eq!(value(r#"{{1.event["a\"]}}"]}}"#), json!("odd"));
    assert_eq!(value("{{secrets[\"with.dot\"]}}"), json!("d"));
}

#[test]
fn output_may_be_spelled_out() {
    assert_eq!(value("{{1.output.event.age}}"), json!(7));
    assert_eq!(value("{{pick.output.result.text}}"), json!("hi"));
    assert_eq!(value("{{4.output}}"), json!("own"));
}

#[test]
fn a_variable_alone_keeps_its_type_and_another_becomes_text() {
    assert_eq!(value("{{1.event.ok}}"), json!(true));
    assert_eq!(value("{{1.event.tags}}"), json!(["t0", { "id": 9 }]));
    assert_eq!(value(" {{1.event.ok}}"), json!(" true"));
    assert_eq!(value("{{1.event.age}}{{1.event.age}}"), json!("77"));
    assert_eq!(value("tags: {{1.event.tags}}"), json!(r#"tags: ["t0",{"id":9}]"#));
    let all = r#"all: {"channel":"C1","oauthAccessToken":"xoxb","userId":"u-1"}"#;
    assert_eq!(value("all: {{settings}}"), json!(all));
    assert_eq!(value("{{2.result.price}} {{2.result.share}}"), json!("2 0.5"));
    assert_eq!(value("[{{1.event.none}}|{{1.event.gone}}]"), json!("[|]"));
}

#[test]
fn what_is_not_there_below_a_known_root_is_null() {
    for missing in [
        "{{1.event.gone}}",
        "{{1.event.age.more}}",
        "{{1.event.tags[7]}}",
        "{{1.event.tags[99999999999999999999999]}}",
        "{{1.event.tags.id}}",
        "{{settings.gone}}",
        "{{not taken.response}}",
        "{{3.response.body}}",
        "{{secrets.API_KEY.more}}",
    ] {
        assert_eq!(value(missing), Value::Null, "{missing}");
    }
}

#[test]
fn an_unknown_step_or_secret_is_named() {
    assert_eq!(error("{{gone.result}}"), Unresolved::UnknownStep("gone".into()));
    assert_eq!(error("{{5.result}}"), Unresolved::UnknownStep("5".into()));
    assert_eq!(error("{{0.result}}"), Unresolved::UnknownStep("0".into()));
    assert_eq!(error("{{99999.result}}"), Unresolved::UnknownStep("99999".into()));
    assert_eq!(error("x {{secrets.OLD}}"), Unresolved::UnknownSecret("OLD".into()));
    assert!(error("{{secrets.OLD}}").to_string().contains("OLD"));
}

#[test]
fn balanced_braces_around_no_variable_are_an_error() {
    let slips = [
        "{{}}",
        "{{ }}",
        "{{1.}}",
        "{{1..a}}",
        "{{.a}}",
        "{{1.a]}}",
        "{{1[]}}",
        "{{1[a]}}",
        "{{1[0}}",
        "{{1.a}b}}",
        "{{1[0]a}}",
        "{{secrets}}",
        "{{self.pageToken}}",
    ];
    for slip in slips {
        assert_eq!(error(&format!("x{slip}")), Unresolved::Unreadable(slip.to_owned()));
        assert_eq!(error(slip), Unresolved::Unreadable(slip.to_owned()));
    }
}

#[test]
fn braces_without_a_partner_stay() {
    for text in ["{{", "}}", "{", "{{1.event", "a }} b {{ c", "{{{", "{{1.a}", "{{1[\"x"] {
        assert_eq!(value(text), json!(text));
    }
    let long = format!("{{{{1.{}}}}}", "a".repeat(VARIABLE_BYTES_MAX));
    assert_eq!(value(&long), json!(long));
    assert_eq!(value("{{ {{1.event.age}}"), json!("{{ 7"));
    assert_eq!(value("{\"a\":{{{1.event.age}}}}"), json!("{\"a\":{7}}"));
    assert_eq!(value("{{1.event.age}}}"), json!("7}"));
}

#[test]
fn a_backslash_makes_braces_text() {
    assert_eq!(value(r"\{{1.event.age}}"), json!("{{1.event.age}}"));
    assert_eq!(value(r"a\{{b}} {{1.event.age}}"), json!("a{{b}} 7"));
    assert_eq!(value(r"\\{{1.event.age}}"), json!(r"\7"));
    assert_eq!(value(r"a\b \{"), json!(r"a\b \{"));
}

#[test]
fn what_a_variable_brings_in_is_not_looked_at_again() {
    let mut scope = scope();
    scope.trigger = json!({ "event": "{{secrets.API_KEY}}" });
    assert_eq!(resolve(&json!("{{1.event}}"), &scope, MAX), Ok(json!("{{secrets.API_KEY}}")));
    assert_eq!(resolve(&json!("x {{1.event}}"), &scope, MAX), Ok(json!("x {{secrets.API_KEY}}")));
}

#[test]
fn arrays_objects_and_keys_are_walked() {
    let template = json!({
        "user": { "{{settings.channel}}": ["{{1.event.age}}", 1, null, true] },
        "plain": "text",
    });
    let expected = json!({ "user": { "C1": [7, 1, null, true] }, "plain": "text" });
    assert_eq!(resolve(&template, &scope(), MAX), Ok(expected));
}

#[test]
fn a_result_over_the_bound_is_an_error_however_it_grows() {
    let too_large = Err(Unresolved::TooLarge { bytes_max: 100 });
    let mut scope = scope();
    scope.trigger = json!({ "text": "x".repeat(60), "list": vec!["y"; 25] });
    assert!(resolve(&json!("{{1.text}}"), &scope, 100).is_ok());
    assert_eq!(resolve(&json!("{{1.text}}{{1.text}}"), &scope, 100), too_large);
    assert_eq!(resolve(&json!(["{{1.text}}", "{{1.text}}"]), &scope, 100), too_large);
    assert_eq!(resolve(&json!("{{1.list}}"), &scope, 100), too_large);
    assert_eq!(resolve(&json!("a {{1.list}}"), &scope, 100), too_large);
    assert_eq!(resolve(&json!("z".repeat(101)), &scope, 100), too_large);
    let text = "z".repeat(101);
    assert!(resolve_text(&text, &scope, 100).is_err());
}

#[test]
fn escapes_of_inserted_json_count() {
    let mut scope = scope();
    scope.trigger = json!(["\u{1}".repeat(60)]);
    let resolved = resolve(&json!("a {{1}}"), &scope, 100);
    assert_eq!(resolved, Err(Unresolved::TooLarge { bytes_max: 100 }));
}

#[test]
fn nesting_is_bounded_in_templates_and_in_values() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert!(resolve(&nested(DEPTH_MAX), &scope(), MAX).is_ok());
    assert_eq!(resolve(&nested(DEPTH_MAX + 1), &scope(), MAX), Err(Unresolved::TooDeep));
    let mut scope = scope();
    scope.trigger = nested(DEPTH_MAX);
    assert!(resolve(&json!("{{1}}"), &scope, MAX).is_ok());
    assert_eq!(resolve(&json!(["{{1}}"]), &scope, MAX), Err(Unresolved::TooDeep));
    scope.trigger = nested(5_000);
    assert_eq!(resolve(&json!("a {{1}}"), &scope, MAX), Err(Unresolved::TooDeep));
}

#[test]
fn a_text_without_braces_is_borrowed() {
    assert!(matches!(resolve_text("/path", &scope(), MAX), Ok(Cow::Borrowed("/path"))));
    let resolved = resolve_text("/path/{{1.event.age}}", &scope(), MAX);
    assert_eq!(resolved.as_deref(), Ok("/path/7"));
}

#[test]
fn hostile_text_takes_linear_work() {
    // Quadratic work would not come to an end here.
    for hostile in ["{{[\"", "{{1[\"a", "{{{{ ", "\\{{", "{{1.a.a.a"] {
        let text = hostile.repeat(1_000_000 / hostile.len());
        assert!(pieces(&text).count() > 0);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = "[{}\\[\\]\\.\"' \\\\a1]{0,12}|[^{]{0,8}|\\{\\{[a-z1-9.\\[\\]]{0,10}\\}\\}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn without_braces(value: &Value) -> Value {
    let json = value.to_string().replace("{{", "{ {");
    serde_json::from_str(&json.replace("{ {\"", "{\"")).unwrap_or(Value::Null)
}

proptest! {
    #[test]
    fn resolving_never_panics(template in any_value(), trigger in any_value(), max in 0..200usize) {
        let scope = Scope { trigger, ..scope() };
        if let Ok(resolved) = resolve(&template, &scope, max) {
            // Counting is by estimate: numbers may be longer than counted, never much.
            prop_assert!(resolved.to_string().len() <= 8 * max + 32);
        }
    }

    #[test]
    fn a_template_without_braces_is_itself(template in any_value()) {
        let plain = without_braces(&template);
        prop_assume!(!plain.to_string().contains("{{"));
        prop_assert_eq!(resolve(&plain, &scope(), MAX), Ok(plain.clone()));
        let Value::String(text) = &plain else { return Ok(()) };
let resolved = resolve_text(text, &scope(), MAX).map(Cow::into_owned);
        prop_assert_eq!(resolved.as_deref(), Ok(text.as_str()));
    }

    #[test]
    fn pieces_without_variables_are_the_text(text in "[^\\\\{]{0,6}\\{{0,3}[^\\\\}]{0,6}") {
        prop_assume!(!text.contains("}}"));
        let joined: String = pieces(&text)
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Unreadable(text) => text,
                Piece::Variable(variable) => variable.text,
            })
            .collect();
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn any_text_at_all_is_read(text in any::<String>()) {
        let _ = resolve_text(&text, &scope(), MAX);
        let _ = resolve_text(&format!("{{{{{text}}}}}"), &scope(), MAX);
    }

    #[test]
    fn any_key_in_quotes_is_found(key in any::<String>()) {
        prop_assume!(key.len() < 200);
        let scope = Scope { trigger: json!({ key.clone(): 7 }), ..scope() };
        let quoted = key.replace('\\', "\\\\").replace('"', "\\\"");
        let template = json!(format!("{{{{1[\"{quoted}\"]}}}}"));
        prop_assert_eq!(resolve(&template, &scope, MAX), Ok(json!(7)));
    }
}
