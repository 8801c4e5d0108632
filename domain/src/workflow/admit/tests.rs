use super::*;
use serde_json::json;

/// The example of the reference page, as a workflow stores it.
fn trigger() -> RequestTrigger {
    let field = |key: &str| json!({ "key": key, "dataType": "STRING", "required": true });
    let trigger = json!({
        "allow_arbitrary_payload": false,
        "param_validations": [{ "key": "key", "required": true }],
        "header_validations": [{ "key": "Content-Type", "value": "application/json" }],
        "body_validations": [field("email"), field("first_name"), field("last_name")],
    });
    serde_json::from_value(trigger).unwrap()
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn told(trigger: &RequestTrigger, headers: &Value, body: &Value, params: &Value) -> Vec<Breach> {
    admit(trigger, &map(headers), body, &map(params)).err().unwrap_or_default()
}

#[test]
fn a_request_with_everything_is_admitted() {
    let headers = json!({ "content-type": "application/json; charset=utf-8", "x-more": "1" });
    let body = json!({ "email": "a@b.example", "first_name": "A", "last_name": "B" });
    let params = json!({ "key": "1", "more": "2" });
    assert_eq!(told(&trigger(), &headers, &body, &params), []);
}

#[test]
fn every_breach_is_told_at_once() {
    let body = json!({ "email": 5, "first_name": null, "age": 7 });
    let expected = [
        Breach::HeaderMismatch("Content-Type".into()),
        Breach::ParamMissing("key".into()),
        Breach::FieldType { key: "email".into(), expected: "STRING" },
        Breach::FieldMissing("first_name".into()),
        Breach::FieldMissing("last_name".into()),
        Breach::FieldUnexpected("age".into()),
    ];
    assert_eq!(
        told(&trigger(), &json!({ "CONTENT-TYPE": "text/xml" }), &body, &json!({})),
        expected
    );
}

#[test]
fn an_expected_header_value_cannot_be_passed_by_leaving_the_header_out() {
    let validations = json!({
        "allow_arbitrary_payload": true,
        "header_validations": [{ "key": "X-Token", "value": "s3cret" }, { "key": "X-Optional" }],
    });
    let trigger: RequestTrigger = serde_json::from_value(validations).unwrap();
    let missing = [Breach::HeaderMissing("X-Token".into())];
    assert_eq!(told(&trigger, &json!({}), &json!(null), &json!({})), missing);
    let wrong = [Breach::HeaderMismatch("X-Token".into())];
    assert_eq!(told(&trigger, &json!({ "x-token": "s3cre" }), &json!(null), &json!({})), wrong);
    assert!(!wrong[0].to_string().contains("s3cret"));
    assert_eq!(told(&trigger, &json!({ "x-token": "s3cret" }), &json!(null), &json!({})), []);
}

#[test]
fn an_arbitrary_payload_may_be_anything_unless_a_validation_speaks_of_it() {
    let open = RequestTrigger { allow_arbitrary_payload: true, ..RequestTrigger::default() };
    for body in [json!("text"), json!([1]), json!({ "a": 1 }), json!(null), json!(7)] {
        assert_eq!(told(&open, &json!({}), &body, &json!({})), []);
    }
    let mut checked = trigger();
    checked.allow_arbitrary_payload = true;
    checked.header_validations.clear();
    checked.param_validations.clear();
    assert_eq!(told(&checked, &json!({}), &json!("text"), &json!({})), [Breach::BodyShape]);
    let body = json!({ "email": "e", "first_name": "f", "last_name": "l", "more": 1 });
    assert_eq!(told(&checked, &json!({}), &body, &json!({})), []);
}

#[test]
fn without_arbitrary_payload_and_validations_only_an_empty_body_passes() {
    let closed = RequestTrigger::default();
    assert_eq!(told(&closed, &json!({}), &json!(""), &json!({})), []);
    assert_eq!(told(&closed, &json!({}), &json!({}), &json!({})), []);
    assert_eq!(told(&closed, &json!({}), &json!([]), &json!({})), [Breach::BodyShape]);
    let unexpected = [Breach::FieldUnexpected("a".into())];
    assert_eq!(told(&closed, &json!({}), &json!({ "a": 1 }), &json!({})), unexpected);
}

#[test]
fn every_type_accepts_its_own_and_forms_send_numbers_as_text() {
    let types = json!({
        "body_validations": [
            { "key": "s", "dataType": "STRING" }, { "key": "n", "dataType": "NUMBER" },
            { "key": "b", "dataType": "BOOLEAN" }, { "key": "a", "dataType": "ARRAY" },
            { "key": "o", "dataType": "OBJECT" }, { "key": "x", "dataType": "ANY" },
            { "key": "e", "dataType": "EMAIL" }, { "key": "w", "dataType": "NON_DECIMAL" },
            { "key": "d", "dataType": "DATE" }, { "key": "f", "dataType": "FILE" },
        ],
    });
    let trigger: RequestTrigger = serde_json::from_value(types).unwrap();
    let right = json!({ "s": "", "n": 1.5, "b": false, "a": [], "o": {}, "x": null,
        "e": "a@b", "w": 2, "d": "2024-02-29", "f": { "dataType": "FILE", "data": "" } });
    assert_eq!(told(&trigger, &json!({}), &right, &json!({})), []);
    let wrong = json!({ "s": 1, "n": "1", "b": "true", "a": {}, "o": [], "x": 1,
        "e": "a", "w": 2.5, "d": "2023-02-29", "f": {} });
    assert_eq!(told(&trigger, &json!({}), &wrong, &json!({})).len(), 9);
    let form = json!({ "Content-Type": "application/x-www-form-urlencoded" });
    assert_eq!(told(&trigger, &form, &json!({ "n": "1", "b": "true", "w": "3" }), &json!({})), []);
}

#[test]
fn breaches_are_bounded() {
    let body: Map<String, Value> = (0..500).map(|n| (format!("k{n}"), json!(n))).collect();
    let breaches = told(&RequestTrigger::default(), &json!({}), &Value::Object(body), &json!({}));
    assert_eq!(breaches.len(), BREACHES_MAX);
}
