//! The samples of the public pages: what a step says, and what then is sent or given; what an
//! application sends, and what then starts. The cases and their pages are in `cases/`.

use crate::project::{DESK, GITHUB_SECRET, id, on_order, on_request, project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text};
use bytes::Bytes;
use serde_json::{Value, json};
use tests::harness::{Answer, Delivery};

fn table(server: &Server) -> Value {
    let text = include_str!("cases/requests.json").replace("SERVER", &server.url(""));
    serde_json::from_str(&text).unwrap()
}

/// Asserts that everything that is expected is there.
fn assert_within(expected: &Value, seen: &Value, case: &str) {
    for (key, value) in expected.as_object().unwrap() {
        match (key.as_str(), value) {
            ("headers", _) => assert_within(value, &seen["headers"], case),
            _ => assert_eq!(&seen[key], value, "{case}, {key}: {seen}"),
        }
    }
}

#[tokio::test]
async fn every_sample_sends_what_its_page_says() {
    let server = Server::start().await;
    let table = table(&server);
    let cases = table["cases"].as_array().unwrap();
    let workflows = cases.iter().enumerate().map(|(number, case)| {
        let mut step = case["step"].clone();
        step["name"] = json!("ask");
        on_order(&format!("case {number}"), &json!([step]))
    });
    let mut file = project(&server.url("/desk"), &workflows.collect::<Vec<_>>());
    file["secrets"] = json!({ "API_SECRET": "s3cret" });
    let world = World::start(&file).await;
    let token = world.token("anna");
    let account = json!({ "integrationId": DESK, "providerId": "anna",
        "payload": { "accessToken": "token-of-anna", "channel": "C-1" } });
    let connected = world.api.call(hyper::Method::POST, "/sdk/credentials", &token, Some(&account));
    assert_eq!(connected.await.unwrap().status, 200);
    world.order(&token, &table["event"]).await;
    for run in world.ended("", cases.len()).await {
        assert_eq!(run["status"], "SUCCEEDED", "{}", world.peek(&text(&run["id"])).await.unwrap());
    }
    for case in cases {
        let sent = &case["sent"];
        let seen = server.seen(sent["path"].as_str().unwrap());
        assert_eq!(seen.len(), 1, "{case}");
        assert_within(sent, &seen[0], case["page"].as_str().unwrap());
        assert_eq!(seen[0]["headers"]["x-paragon-encoding"], Value::Null);
    }
}

/// Handling request failures: the workflow goes on, and a conditional looks at the status.
#[tokio::test]
async fn a_conditional_handles_a_failed_request() {
    let server = Server::start().await;
    let url = server.url("/status/{{trigger.request.body.status}}");
    let choose = json!({ "{{ask.response.statusCode}}": { "equals": 404 } });
    let answer = |name: &str, status: u16| json!([{ "name": name, "response": { "status": status, "body": "{{ask.response.body}}" } }]);
    let steps = json!([
        { "name": "ask", "request": { "url": url }, "continue_on_error": true },
        { "name": "choose", "if": choose, "then": answer("gone", 410), "else": answer("fine", 201) },
    ]);
    let world = World::start(&project(&server.url(""), &[on_request("ask", &steps)])).await;
    let token = world.connected("anna").await;
    for (status, answered) in [(404, 410), (200, 201)] {
        let body = json!({ "status": status });
        let answer = world.api.request(&token, &id("ask"), &body).await.unwrap();
        assert_eq!(answer.status, answered, "{}", answer.shown());
        assert_eq!(answer.json(), json!({ "status": status.to_string() }));
    }
}

fn lines(code: &Value) -> String {
    code.as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_function_gives_what_its_page_says() {
    let table: Value = serde_json::from_str(include_str!("cases/functions.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    let workflows = cases.iter().enumerate().map(|(number, case)| {
        let mut run = json!({ "name": "run", "function": lines(&case["code"]) });
        if !case["parameters"].is_null() {
            run["parameters"] = case["parameters"].clone();
        }
        let answer = json!({ "name": "answer", "response": { "body": "{{run.result}}" } });
        on_request(&format!("case {number}"), &json!([run, answer]))
    });
    let file = project("http://127.0.0.1:9", &workflows.collect::<Vec<_>>());
    let world = World::start(&file).await;
    let token = world.connected("bowie").await;
    for (number, case) in cases.iter().enumerate() {
        let ask = async || {
            let workflow = id(&format!("case {number}"));
            let answer = world.api.request(&token, &workflow, &case["body"]).await.unwrap();
            assert_eq!(answer.status, 200, "{case}: {}", answer.shown());
            answer.json()
        };
        let given = ask().await;
        if case["is"] == "uuid" {
            let made = uuid::Uuid::parse_str(given.as_str().unwrap()).unwrap();
            assert_eq!(made.get_version_num(), 4, "{case}: {given}");
            assert_ne!(ask().await, given, "{case}: it is not a new one");
        } else {
            assert_eq!(given, case["result"], "{case}");
        }
    }
}

/// The trigger that a case names; else one that takes anything.
fn trigger(case: &Value) -> Value {
    let text = json!({ "type": "string", "required": true });
    match case["trigger"].as_str() {
        // The page writes `application-json`, a slip: no such body would be read.
        Some("EndpointStep") => json!({ "request": {
            "arbitrary_payload": false,
            "params": { "key": { "required": true } },
            "headers": { "Content-Type": { "value": "application/json" } },
            "body": { "email": text, "first_name": text, "last_name": text },
        } }),
        Some(other) => panic!("no trigger {other}"),
        None => json!({ "request": {} }),
    }
}

#[tokio::test]
async fn every_request_of_a_page_starts_its_workflow_or_is_refused_by_name() {
    let table: Value = serde_json::from_str(include_str!("cases/triggers.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    let answer = json!([{ "name": "answer", "response": { "body": "{{trigger.request}}" } }]);
    let workflows = cases.iter().enumerate();
    let workflows = workflows
        .map(|(number, case)| workflow(&format!("case {number}"), &trigger(case), &answer));
    let file = project("http://127.0.0.1:9", &workflows.collect::<Vec<_>>());
    let world = World::start(&file).await;
    let bearer = format!("Bearer {}", world.connected("bowie").await);
    let mut started = 0;
    for (number, case) in cases.iter().enumerate() {
        let kind = case["type"].as_str().unwrap_or("application/json");
        let body = case["text"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let path =
            format!("/sdk/triggers/{}{}", id(&format!("case {number}")), text(&case["query"]));
        let answer = world.post(&path, &headers, body.into()).await;
        if let Some(word) = case["refused"].as_str() {
            assert_error(&answer, 400, "REQUEST_REFUSED");
            assert!(answer.shown().contains(word), "{case}: {}", answer.shown());
            continue;
        }
        started += 1;
        assert_eq!(answer.status, 200, "{case}: {}", answer.shown());
        assert_within(&case["gives"], &answer.json(), case["page"].as_str().unwrap());
    }
    assert_eq!(world.ended("", started).await.len(), started, "what is refused starts nothing");
}

/// The workflow of paragraph/defining-workflows, with its application at the server. The page's
/// `body[0].id` is of an answer without `data`; its condition looks at `body.data`, so both do here.
fn sync(server: &Server) -> Value {
    let send = |name: &str, method: &str, mut body: Value| {
        body["user_id"] = json!("{{settings.userId}}");
        body["contact"] = json!("{{trigger.body.contact}}");
        json!([{ "name": name, "request": {
            "method": method, "url": server.url("/api/contacts"), "json": body } }])
    };
    let update = json!({ "contact_id": "{{search.response.body.data[0].id}}" });
    let steps = json!([
        { "name": "search", "request": {
            "url": server.url("/kept?email={{trigger.body.contact.email}}") } },
        { "name": "exists", "if": { "{{search.response.body.data}}": "is_not_empty" },
            "then": send("update", "PATCH", update), "else": send("create", "POST", json!({})) },
    ]);
    workflow("sync", &json!({ "webhook": "issues.opened", "of": "github" }), &steps)
}

async fn tell_of(world: &World, id: &str, contact: &Value) -> Answer {
    let body = json!({ "action": "opened", "installation": { "id": 7 }, "contact": contact });
    let body = Bytes::from(body.to_string());
    let delivery = Delivery { kind: "issues", id, account: "7", secret: GITHUB_SECRET, body };
    world.api.webhook("github", delivery).await.unwrap()
}

#[tokio::test]
async fn a_contact_is_created_or_updated_by_what_the_application_has_of_it() {
    let server = Server::start().await;
    let world = World::start(&project(&server.url(""), &[sync(&server)])).await;
    let token = world.connected("anna").await;
    world.api.connect(&token, "github", "7").await.unwrap();
    let contact = json!({ "email": "bowie@useparagon.com", "name": "Bowie" });
    for (delivery, known) in [("d-1", json!([])), ("d-2", json!([{ "id": "c-7" }]))] {
        server.keep(json!({ "data": known }));
        assert_eq!(tell_of(&world, delivery, &contact).await.status, 200);
        world.ended("?status=SUCCEEDED", server.seen("/api/contacts").len() + 1).await;
    }
    for asked in server.seen("/kept") {
        assert_eq!(asked["query"], "email=bowie@useparagon.com", "{asked}");
    }
    let sent = server.seen("/api/contacts");
    let sent: Vec<(&Value, &Value)> =
        sent.iter().map(|one| (&one["method"], &one["body"])).collect();
    let created = json!({ "user_id": "anna", "contact": contact });
    let updated = json!({ "user_id": "anna", "contact": contact, "contact_id": "c-7" });
    assert_eq!(sent, [(&json!("POST"), &created), (&json!("PATCH"), &updated)]);
}
