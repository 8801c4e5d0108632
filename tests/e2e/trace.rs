//! One id through everything that a node prints.

use crate::project::{id, on_request, project};
use crate::world::{World, text, until};
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_trace_is_followed_from_the_request_to_the_step() {
    let steps = json!([{ "name": "f", "function": "function yourFunction() { return 1; }" }]);
    let settings = [
        ("TELEMETRY__LEVEL", "info,ingest=debug,projections=debug"),
        ("TELEMETRY__FORMAT", "json"),
    ];
    let file = project("http://127.0.0.1:9", &[on_request("f", &steps)]);
    let world = World::start_with(&file, &settings).await;
    let token = world.connected("anna").await;
    let path = format!("/sdk/triggers/{}", id("f"));
    let bearer = format!("Bearer {token}");
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("traceparent", traceparent.as_str()),
    ];
    let answer = world.post(&format!("{path}?token=of-a-query"), &headers, "{}".into()).await;
    assert_eq!(answer.status, 202, "{}", answer.shown());
    world.run(&text(&answer.json()["executionId"])).await;
    let (request, step) = until("both lines", async || {
        let printed = std::fs::read_to_string(world.data().join("serve.log")).unwrap();
        let lines: Vec<Value> = printed
            .lines()
            .filter(|line| line.contains(TRACE))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let said =
            |what: &str| lines.iter().find(|line| line["fields"]["message"] == what).cloned();
        said("request ended").zip(said("step performed"))
    })
    .await;
    assert_eq!((&request["level"], &request["span"]["trace_id"]), (&json!("DEBUG"), &json!(TRACE)));
    assert_eq!(
        (&request["span"]["method"], &request["fields"]["status"]),
        (&json!("POST"), &json!(202))
    );
    assert!(text(&request["span"]["path"]).ends_with(&path), "{request}");
    assert!(request["fields"]["duration_us"].is_u64(), "{request}");
    assert_eq!(
        (&step["fields"]["trace_id"], &step["fields"]["attempt"]),
        (&json!(TRACE), &json!(1))
    );
    assert_eq!(step["fields"]["execution"], answer.json()["executionId"]);
    let printed = std::fs::read_to_string(world.data().join("serve.log")).unwrap();
    assert!(!printed.contains("of-a-query") && !printed.contains(&token), "a secret is printed");
}
