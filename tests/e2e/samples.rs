//! The samples of the public pages about requests: what a step says, and what then is sent. The
//! cases and their pages are in `cases/requests.json`.

use crate::project::{DESK, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, text};
use serde_json::{Value, json};

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
        let answer = world.api.request(&token, &crate::project::id("ask"), &body).await.unwrap();
        assert_eq!(answer.status, answered, "{}", answer.shown());
        assert_eq!(answer.json(), json!({ "status": status.to_string() }));
    }
}
