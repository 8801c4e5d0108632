//! What the public pages say, case by case, through real workflows. The cases and their pages are
//! in `cases/`.

use crate::project::{DESK, id, on_order, on_request, project, workflow};
use crate::world::{World, assert_error, text};
use serde_json::{Value, json};

fn cases(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn conditionals() -> Value {
    cases(include_str!("cases/conditionals.json"))
}

/// One workflow for each operator: it compares what the request brings.
fn compare(operator: &str, one_sided: bool) -> Value {
    let left = "{{trigger.request.body.left}}";
    let right = json!({ operator: "{{trigger.request.body.right}}" });
    let rule = if one_sided { json!(operator) } else { right };
    let answer = |name: &str, holds: bool| json!([{ "name": name, "response": { "body": { "holds": holds } } }]);
    let steps = json!([{ "name": "compare", "if": { left: rule },
        "then": answer("yes", true), "else": answer("no", false) }]);
    on_request(operator, &steps)
}

#[tokio::test]
async fn every_operator_of_a_conditional_decides_as_its_page_says() {
    let table = conditionals();
    let cases = table["cases"].as_array().unwrap();
    let mut workflows: Vec<Value> = Vec::new();
    let mut names: Vec<String> = cases.iter().map(|case| text(&case[0])).collect();
    names.dedup();
    for name in &names {
        let one_sided = name.starts_with("is_") && !name.ends_with("_in") || name.contains("exist");
        workflows.push(compare(name, one_sided));
    }
    let known = domain::workflow::condition::Operator::ALL.len();
    assert_eq!(names.len(), known, "not every operator has a case: {names:?}");
    let world = World::start(&project("http://127.0.0.1:9", &workflows)).await;
    let token = world.connected("bowie").await;
    for case in cases {
        let body = json!({ "left": case[1], "right": case[2] });
        let answer = world.api.request(&token, &id(&text(&case[0])), &body).await.unwrap();
        let expected = json!({ "holds": case[3] });
        assert_eq!((answer.status, answer.json()), (200, expected), "{case}: {}", answer.shown());
    }
}

#[tokio::test]
async fn rules_are_combined_with_and_and_or() {
    let rule = |field: &str, value: &str| json!({ format!("{{{{1.request.body.{field}}}}}"): { "exactly_matches": value } });
    let when = json!({ "any": [
        { "all": [rule("a", "1"), rule("b", "1")] },
        { "all": [rule("c", "1"), { "any": [rule("d", "1"), rule("e", "1")] }] },
    ] });
    let answer = |name: &str, holds: bool| json!([{ "name": name, "response": { "body": holds } }]);
    let steps = json!([{ "name": "choose", "if": when,
        "then": answer("yes", true), "else": answer("no", false) }]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("x", &steps)])).await;
    let token = world.connected("bowie").await;
    for bits in 0..32_u32 {
        let bit = |n: u32| bits >> n & 1 == 1;
        let field = |n: u32| if bit(n) { "1" } else { "0" };
        let body =
            json!({ "a": field(0), "b": field(1), "c": field(2), "d": field(3), "e": field(4) });
        let expected = (bit(0) && bit(1)) || (bit(2) && (bit(3) || bit(4)));
        let answer = world.api.request(&token, &id("x"), &body).await.unwrap();
        assert_eq!(answer.json(), json!(expected), "{body}: {}", answer.shown());
    }
}

#[tokio::test]
async fn variables_become_what_their_pages_show() {
    let table = cases(include_str!("cases/variables.json"));
    let table = table.as_array().unwrap();
    let function = |name: &str, result: &str| json!({ "name": name, "function": format!("function yourFunction() {{ return {result}; }}") });
    let workflows: Vec<Value> = table
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let steps = json!([
                function("shape", "{ sum: 6, tags: ['a', 'b'] }"),
                { "name": "choose", "if": { "{{shape.result.sum}}": { "equals": 6 } },
                  "then": [function("taken", "'taken'")], "else": [function("passed", "'passed'")] },
                { "name": "answer", "response": { "body": case["body"] } },
            ]);
            on_request(&format!("case {number}"), &steps)
        })
        .collect();
    let mut file = project("http://127.0.0.1:9", &workflows);
    file["secrets"] = json!({ "REGION": "eu-central" });
    let world = World::start(&file).await;
    let token = world.token("bowie");
    let account = json!({ "integrationId": DESK, "payload": { "accessToken": "x" } });
    let path = "/sdk/credentials";
    let answer = world.api.call(hyper::Method::POST, path, &token, Some(&account)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.shown());
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("X-Source", "app"),
    ];
    let body = json!({
        "user": { "id": 7, "name": "Bowie" }, "first name": "Bowie", "last.name": "Foo",
        "yes": true, "null": null, "braces": "{{secrets.REGION}}",
        "big": 9_007_199_254_740_993_u64, "price": 12.5,
    });
    for (number, case) in table.iter().enumerate() {
        let path = format!("/sdk/triggers/{}?page=2", id(&format!("case {number}")));
        let answer = world.post(&path, &headers, body.to_string().into()).await;
        assert_eq!(answer.status, 200, "{case}: {}", answer.shown());
        assert_eq!(answer.json(), case["expected"], "{case}: {}", answer.shown());
    }
}

#[tokio::test]
async fn events_are_taken_as_their_pages_say() {
    let pause = json!([{ "name": "none", "delay": { "value": 0 } }]);
    let on = |name: &str| workflow(name, &json!({ "app_event": "Contact Created" }), &pause);
    let mut file =
        project("http://127.0.0.1:9", &[on("first"), on("second"), on_order("x", &pause)]);
    file["app_events"]["Contact Created"] =
        json!({ "name": "Brandon", "email": "b@useparagon.com" });
    file["app_events"]["Nobody Listens"] = json!({});
    let world = World::start(&file).await;
    let token = world.connected("bowie").await;
    let mut expected = Vec::new();
    for case in cases(include_str!("cases/events.json")).as_array().unwrap() {
        for version in ["", "/v2"] {
            let url = format!(
                "http://{}{version}/projects/{}/sdk/events/trigger",
                world.node.address, world.api.project
            );
            let body = json!({ "name": case["name"], "payload": case["payload"] }).to_string();
            let request = hyper::Request::post(url)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(http_body_util::Full::from(body));
            let answer = world.api.client.send(request.unwrap()).await.unwrap();
            assert_eq!(json!(answer.status), case["status"], "{case}: {}", answer.shown());
            if let Some(name) = case["error"].as_str() {
                assert_error(&answer, answer.status, name);
            }
            let runs = usize::try_from(case["runs"].as_u64().unwrap_or(0)).unwrap();
            expected.extend(std::iter::repeat_n(case["payload"].to_string(), runs));
        }
    }
    let mut came = Vec::new();
    for row in world.ended("", expected.len()).await {
        let trigger = world.step(&world.run(&text(&row["id"])).await, 0).await;
        came.push(trigger["output"]["event"].to_string());
    }
    // Runs that start in one millisecond stand in no order.
    expected.sort_unstable();
    came.sort_unstable();
    assert_eq!(came, expected);
}

#[tokio::test]
async fn definitions_that_cannot_work_are_refused_with_their_place() {
    let world = World::start(&project("http://127.0.0.1:9", &[])).await;
    let cases = [
        (
            "an unknown step",
            json!([{ "name": "a", "delay": { "value": "{{nowhere.result}}" } }]),
            "nowhere",
        ),
        ("itself", json!([{ "name": "a", "delay": { "value": "{{a.result}}" } }]), "a.result"),
        (
            "a later step",
            json!([{ "name": "a", "delay": { "value": "{{3.result}}" } },
            { "name": "b", "delay": { "value": 1 } }]),
            "3.result",
        ),
        (
            "an unknown secret",
            json!([{ "name": "a", "delay": { "value": "{{secrets.NONE}}" } }]),
            "NONE",
        ),
        ("no variable", json!([{ "name": "a", "delay": { "value": "{{1..a}}" } }]), "1..a"),
        (
            "two actions",
            json!([{ "name": "a", "delay": { "value": 1 }, "response": {} }]),
            "response",
        ),
        ("no action", json!([{ "name": "a" }]), "steps[0]"),
        (
            "an unknown operator",
            json!([{ "name": "a", "if": { "{{1.event.id}}": { "resembles": 1 } } }]),
            "resembles",
        ),
        (
            "retries of a delay",
            json!([{ "name": "a", "delay": { "value": 1 }, "auto_retry": true }]),
            "auto_retry",
        ),
        ("a status of 99", json!([{ "name": "a", "response": { "status": 99 } }]), "status"),
    ];
    for (what, steps, word) in cases {
        let file = project("http://127.0.0.1:9", &[on_order("broken", &steps)]);
        let path = world.data().join("broken.json");
        std::fs::write(&path, serde_json::to_string_pretty(&file).unwrap()).unwrap();
        let path = path.to_string_lossy().into_owned();
        let said = tests::harness::Node::tell(world.data(), &["apply", &path]).await.unwrap();
        assert_eq!(said.code, Some(2), "{what}: {}{}", said.out, said.err);
        assert!(said.err.contains(word), "{what}: {}", said.err);
        assert!(said.err.contains("workflows[0].steps"), "{what}: {}", said.err);
    }
}
