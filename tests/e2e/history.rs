//! Task History: what it finds, what it shows, and what it must never show.

use crate::project::{DESK, id, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, assert_error, text};
use serde_json::{Value, json};
use std::path::Path;

const SECRET: &str = "s3cret-of-the-environment-0451";
/// What `Api::connect` gives as the account's token.
const ACCOUNT: &str = "token-of-anna";

fn file(server: &Server) -> Value {
    let push = json!([
        { "name": "shape", "function": "function yourFunction({ n }) { return { n, twice: n * 2 }; }",
          "parameters": { "n": "{{trigger.event.amount}}" } },
        { "name": "push", "request": { "method": "POST", "url": server.url("/push"),
            "params": { "key": "{{secrets.TOKEN}}" },
            "headers": { "X-Key": "Key {{secrets.TOKEN}}" },
            "authorization": { "bearer": "{{secrets.TOKEN}}" },
            "json": { "n": "{{shape.result.twice}}", "key": "{{secrets.TOKEN}}" } } },
        { "name": "note", "integration_request": { "method": "POST", "path": "/note", "json": {} } },
    ]);
    let fail = json!([{ "name": "ask", "request": { "url": server.url("/status/500"),
        "headers": { "X-Key": "{{secrets.TOKEN}}" } } }]);
    let pause = json!([{ "name": "pause", "delay": { "value": 1, "unit": "hours" } }]);
    let mut file = project(
        &server.url("/desk"),
        &[on_order("push", &push), on_request("fail", &fail), on_request("pause", &pause)],
    );
    file["secrets"] = json!({ "TOKEN": SECRET });
    file
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["workflowExecutions"].as_array().unwrap();
    rows.iter().map(|row| text(&row["id"])).collect()
}

#[tokio::test]
async fn executions_are_found_by_user_workflow_status_and_date() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    for n in 0..3 {
        world.order(&anna, &json!({ "amount": n })).await;
    }
    world.order(&bert, &json!({ "amount": 7 })).await;
    world.run_through(&bert, &id("fail"), &json!({})).await;
    let paused = world.api.request(&anna, &id("pause"), &json!({})).await.unwrap();
    let paused = text(&paused.json()["executionId"]);
    world.ended("", 5).await;
    crate::world::until("the pause", async || {
        (world.history("?status=DELAYED").await["total"] == 1).then_some(())
    })
    .await;
    let total = async |filter: String| world.history(&filter).await["total"].as_u64().unwrap();
    assert_eq!(total(String::new()).await, 6);
    assert_eq!(total("?userId=anna".into()).await, 4);
    assert_eq!(total("?userId=nobody".into()).await, 0);
    assert_eq!(total(format!("?workflowId={}", id("push"))).await, 4);
    assert_eq!(total(format!("?userId=bert&workflowId={}", id("push"))).await, 1);
    assert_eq!(total(format!("?integration={DESK}")).await, 6);
    assert_eq!(total("?integration=github".into()).await, 0);
    assert_eq!(total("?status=FAILED".into()).await, 1);
    assert_eq!(total("?status=SUCCEEDED&userId=anna".into()).await, 3);
    assert_eq!(ids(&world.history("?status=DELAYED").await), [paused]);
    let rows = world.history("?sortBy=ASC").await;
    let mut newest_first = ids(&world.history("").await);
    newest_first.reverse();
    assert_eq!(ids(&rows), newest_first);
    let rows = rows["workflowExecutions"].as_array().unwrap().clone();
    let dates: Vec<String> = rows.iter().map(|row| text(&row["dateStarted"])).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    let middle = &dates[3];
    let after = total(format!("?afterDate={middle}")).await;
    let before = total(format!("?beforeDate={middle}")).await;
    let same = dates.iter().filter(|date| *date == middle).count() as u64;
    assert_eq!(after + before + same, 6, "{dates:?} around {middle}");
    for row in &rows {
        assert!(row["taskCount"].is_u64() && row["runDuration"].is_u64(), "{row}");
        assert!(text(&row["dateStarted"]).ends_with('Z'), "{row}");
    }
    let path = "/task-history/workflow-executions";
    for slip in ["status=DONE", "workflowId=x", "beforeDate=soon", "offset=-1", "sortBy=UP"] {
        let answer = world.call("GET", &format!("{path}?{slip}"), crate::project::API_KEY).await;
        assert_error(&answer, 400, "QUERY_MALFORMED");
    }
    let unknown = format!("{path}/{}", crate::project::nobody());
    let answer = world.call("GET", &unknown, crate::project::API_KEY).await;
    assert_error(&answer, 404, "EXECUTION_UNKNOWN");
}

#[tokio::test]
async fn pages_of_a_hundred_follow_each_other_until_there_is_no_link() {
    let server = Server::start().await;
    // On a busy machine the door would take in less of so many at once.
    let patient = [("HTTP__TENANT_LAG_MS_MAX", "60000")];
    let world = World::start_with(&file(&server), &patient).await;
    let anna = world.connected("anna").await;
    let events = vec![json!({ "name": "Order Placed", "payload": { "amount": 1 } }); 250];
    let path = "/sdk/events/batch";
    let body = json!({ "events": events });
    let answer = world.api.call(hyper::Method::POST, path, &anna, Some(&body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.shown());
    crate::world::until("250 executions", async || {
        (world.history("?status=SUCCEEDED").await["total"] == 250).then_some(())
    })
    .await;
    let mut page = world.history("?status=SUCCEEDED&userId=anna").await;
    let mut seen = ids(&page);
    let mut lens = vec![seen.len()];
    while let Some(link) = page["nextLink"].as_str() {
        let here = format!("http://{}/projects/", world.node.address);
        assert!(link.starts_with(&here) && link.contains("status=SUCCEEDED"), "{link}");
        let answer = world.open_with_key(link).await;
        page = answer.json();
        lens.push(ids(&page).len());
        seen.extend(ids(&page));
    }
    assert_eq!(lens, [100, 100, 50]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 250, "an execution is on two pages");
}

#[tokio::test]
async fn a_run_shows_each_step_with_input_output_and_times() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let anna = world.connected("anna").await;
    world.order(&anna, &json!({ "amount": 21, "note": "ä\u{1f600}" })).await;
    let row = world.ended("", 1).await.remove(0);
    let run = world.run(&text(&row["id"])).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(3)));
    let steps = run["stepExecutions"].as_array().unwrap();
    let types: Vec<String> = steps.iter().map(|step| text(&step["type"])).collect();
    let expected =
        ["TRIGGER/EVENT", "ACTION/FUNCTION", "ACTION/REQUEST", "ACTION/CUSTOM_INTEGRATION_REQUEST"];
    assert_eq!(types, expected);
    for (index, step) in steps.iter().enumerate() {
        assert_eq!(step["workflowExecutionId"], row["id"]);
        assert_eq!(step["status"], "SUCCEEDED");
        assert!(step["start"].as_str() <= step["end"].as_str(), "{step}");
        assert!(step["inputSize"].is_string() && step["outputSize"].is_string(), "{step}");
        let before = if index == 0 { Value::Null } else { steps[index - 1]["id"].clone() };
        assert_eq!(step["prev"], before, "{step}");
    }
    let trigger = world.step(&run, 0).await;
    assert_eq!(trigger["output"]["event"], json!({ "amount": 21, "note": "ä\u{1f600}" }));
    let shape = world.step(&run, 1).await;
    assert_eq!(shape["input"]["parameters"], json!({ "n": 21 }));
    assert_eq!(shape["output"]["result"], json!({ "n": 21, "twice": 42 }));
    assert_eq!((&shape["isLargeInput"], &shape["isLargeOutput"]), (&json!(false), &json!(false)));
    let push = world.step(&run, 2).await;
    assert_eq!(push["output"]["response"]["statusCode"], 200);
    assert_eq!(server.seen("/push")[0]["body"]["n"], 42);
    let answer = world.call("GET", "/task-history/workflow-executions", &anna).await;
    assert_error(&answer, 401, "API_KEY_INVALID");
}

#[tokio::test]
async fn secrets_reach_whom_they_are_for_and_nothing_else() {
    let server = Server::start().await;
    let world = World::start_with(&file(&server), &[("TELEMETRY__LEVEL", "trace")]).await;
    let anna = world.connected("anna").await;
    world.order(&anna, &json!({ "amount": 1, "card": "card-of-anna-4242" })).await;
    world.run_through(&anna, &id("fail"), &json!({})).await;
    let rows = world.ended("", 2).await;
    // They were sent ...
    let pushed = &server.seen("/push")[0];
    assert_eq!(pushed["headers"]["authorization"], format!("Bearer {SECRET}"));
    assert_eq!(pushed["headers"]["x-key"], format!("Key {SECRET}"));
    assert_eq!(pushed["body"]["key"], SECRET);
    assert!(text(&pushed["query"]).contains(SECRET));
    let noted = &server.seen("/desk/note")[0];
    assert_eq!(noted["headers"]["authorization"], format!("Bearer {ACCOUNT}"));
    // ... and what Task History shows as input hides them.
    for row in &rows {
        let run = world.run(&text(&row["id"])).await;
        for index in 0..run["stepExecutions"].as_array().unwrap().len() {
            let step = world.step(&run, index).await;
            for hidden in [SECRET, ACCOUNT] {
                assert!(!step["input"].to_string().contains(hidden), "{step}");
            }
        }
    }
    for path in ["/sdk/me", "/sdk/credentials", "/sdk/integrations"] {
        let shown = world.call("GET", path, &anna).await.shown();
        assert!(!shown.contains(SECRET) && !shown.contains(ACCOUNT), "{path}: {shown}");
    }
    let metrics = world.open("GET", "/metrics").await.shown();
    assert!(!metrics.contains(SECRET) && !metrics.contains("anna"));
    let folder = world.stop().await;
    // The project file is the test's own.
    std::fs::remove_file(folder.path().join("project.json")).unwrap();
    let mut files = 0;
    for needle in [SECRET, ACCOUNT, "card-of-anna-4242", crate::project::GITHUB_SECRET, &anna] {
        files += search(folder.path(), needle.as_bytes());
    }
    assert!(files > 10, "only {files} files were looked through");
}

/// Looks through every file below a folder; gives how many.
fn search(folder: &Path, needle: &[u8]) -> usize {
    let mut files = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search(&path, needle);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        let needle = String::from_utf8_lossy(needle);
        assert!(!found, "{needle:?} stands in clear in {}", path.display());
        files += 1;
    }
    files
}
