//! Paginated requests, as the Slack tutorial of the seeds has it (requests/request-pagination), and
//! as a step of the core library has it.

use crate::project::{id, on_request, project};
use crate::server::Server;
use crate::world::{World, text, until};
use serde_json::{Value, json};

/// As the tutorial says it: no cursor, no further page.
fn tutorial() -> Value {
    let mut listing = listing("tutorial", "/pages/4", &last());
    listing["steps"][0]["integration_request"]["pagination"]["stop_when"] =
        json!({ "{{self.response.body.response_metadata.next_cursor}}": "does_not_exist" });
    listing
}

/// The pagination example of `IntegrationRequestStep`.
fn opportunities() -> Value {
    let list = json!({ "name": "list", "integration_request": {
        "path": "/records/3",
        "params": { "pageToken": "{{self.pageToken}}" },
        "pagination": {
            "output": "{{self.response.body.data}}",
            "page_token": "{{self.response.body.nextPageToken}}",
            "stop_when": { "{{self.response.body.nextPageToken}}": "does_not_exist" },
        },
    } });
    on_request("opportunities", &json!([list, last()]))
}

fn listing(name: &str, path: &str, last: &Value) -> Value {
    on_request(
        name,
        &json!([
            { "name": "list", "integration_request": {
                "path": path,
                "params": { "limit": 3, "cursor": "{{self.pageToken}}" },
                "pagination": {
                    "output": "{{self.response.body.channels}}",
                    "page_token": "{{self.response.body.response_metadata.next_cursor}}",
                    "stop_when": { "{{self.response.body.response_metadata.next_cursor}}":
                        { "exactly_matches": "" } },
                },
            } },
            last.clone(),
        ]),
    )
}

/// What later steps see of it.
fn last() -> Value {
    json!({ "name": "last", "function": "function yourFunction({ list }) { return list; }",
        "parameters": { "list": "{{list.response}}" } })
}

fn file(server: &Server) -> Value {
    let failed = json!({ "name": "failed", "if": { "{{list.response.error.message}}": "exists" } });
    let endless = json!([
        { "name": "list", "request": { "url": server.url("/endless"),
            "params": { "cursor": "{{self.pageToken}}" },
            "pagination": { "output": "{{self.response.body.channels}}",
                "page_token": "{{self.response.body.next}}" } } },
        last(),
    ]);
    project(
        &server.url(""),
        &[
            listing("slack", "/pages/4", &last()),
            tutorial(),
            opportunities(),
            listing("long", "/pages/120", &last()),
            listing("limited", "/limited/3", &last()),
            listing("refused", "/refused/2", &last()),
            listing("refused and seen", "/refused/2", &failed),
            listing("refused at once", "/status/401", &last()),
            on_request("endless", &endless),
        ],
    )
}

fn ids(response: &Value) -> Vec<String> {
    response["results"].as_array().unwrap().iter().map(|channel| text(&channel["id"])).collect()
}

#[tokio::test]
async fn every_page_is_asked_for_and_the_results_are_one_array() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("slack"), &json!({})).await;
    // A task for each page, and one for the function.
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(5)), "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    let expected: Vec<String> =
        (0..4).flat_map(|page| (0..3).map(move |i| format!("C{page}{i}"))).collect();
    assert_eq!((ids(&response), &response["statusCode"]), (expected, &json!(200)));
    let asked: Vec<String> =
        server.seen("/pages/4").iter().map(|seen| text(&seen["query"])).collect();
    let queries =
        ["limit=3", "cursor=page-1&limit=3", "cursor=page-2&limit=3", "cursor=page-3&limit=3"];
    assert_eq!(asked, queries);
    // Each page is shown as what the step did then.
    assert_eq!(run["stepExecutions"][1]["attemptCount"], 4);
    let second = world.attempt(&run, 1, 2).await;
    assert_eq!(second["output"]["pageToken"], "page-2");
}

#[tokio::test]
async fn the_pages_of_the_tutorial_and_of_the_core_library_end_with_the_last_token() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("tutorial"), &json!({})).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(5)), "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    assert_eq!((ids(&response).len(), server.seen("/pages/4").len()), (12, 4), "{response}");
    let run = world.run_through(&token, &id("opportunities"), &json!({})).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(4)), "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    let expected: Vec<Value> = (0..6).map(|id| json!({ "id": id })).collect();
    assert_eq!(response["results"], json!(expected));
    let asked: Vec<String> =
        server.seen("/records/3").iter().map(|seen| text(&seen["query"])).collect();
    assert_eq!(asked, ["", "pageToken=1", "pageToken=2"]);
}

#[tokio::test]
async fn what_was_got_before_an_error_stands_beside_it() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("refused"), &json!({})).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(3)), "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    assert_eq!(ids(&response), ["C00", "C01", "C02", "C10", "C11", "C12"]);
    assert_eq!(response["error"], json!({ "message": "401 - Unauthorized" }));
    let run = world.run_through(&token, &id("refused and seen"), &json!({})).await;
    assert_eq!(world.step(&run, 2).await["output"], json!({ "selectedChoice": "Yes" }));
    let run = world.run_through(&token, &id("refused at once"), &json!({})).await;
    assert_eq!((&run["status"], &run["errorCode"]), (&json!("FAILED"), &json!("REQUEST_FAILED")));
}

/// The answer is the sample of workflows/handling-rate-limits.
#[tokio::test]
async fn a_page_over_the_limit_of_its_provider_is_asked_for_again_unasked() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("limited"), &json!({})).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(4)), "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    assert_eq!((ids(&response).len(), &response["error"]), (9, &Value::Null), "{response}");
    let refused = world.attempt(&run, 1, 2).await;
    let error = &refused["output"]["response"]["error"];
    assert_eq!(error["message"], "429 - Too Many Requests", "{refused}");
    assert_eq!(server.seen("/limited/3").len(), 4);
}

#[tokio::test]
async fn pages_that_do_not_end_are_given_up() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("endless"), &json!({})).await;
    assert_eq!(run["stepExecutions"][1]["errorCode"], "PAGINATION_ENDLESS", "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    assert_eq!(response["results"], json!([1, 1]));
    assert_eq!(response["error"]["code"], "PAGINATION_ENDLESS");
    assert_eq!(server.seen("/endless").len(), 2);
}

#[tokio::test]
async fn a_killed_node_goes_on_at_the_page_and_asks_for_no_other_again() {
    let server = Server::start().await;
    let world = World::start(&file(&server)).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("long"), &json!({})).await.unwrap();
    let execution = text(&answer.json()["executionId"]);
    until("some pages", async || (server.seen("/pages/120").len() > 20).then_some(())).await;
    let world = world.killed().await;
    let run = world.run(&execution).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(121)), "{run}");
    let response = world.step(&run, 2).await["output"]["result"].clone();
    assert_eq!(response["results"].as_array().unwrap().len(), 360);
    // The page under way when the node died may be asked for twice.
    assert!(server.seen("/pages/120").len() <= 122);
}

/// Pre-configured pagination: the step names no token.
#[tokio::test]
async fn an_integration_knows_how_it_parts_lists() {
    let server = Server::start().await;
    let list = json!({ "name": "list", "integration_request": { "path": "/pages/4",
        "pagination": { "output": "{{self.response.body.channels}}", "skip": 2,
            "limit": "{{trigger.request.body.limit}}" } } });
    let mut file = project(&server.url(""), &[on_request("known", &json!([list, last()]))]);
    file["integrations"][0]["pagination"] = json!("slack");
    let world = World::start(&file).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("known"), &json!({ "limit": 6 })).await;
    let response = world.step(&run, 2).await["output"]["result"].clone();
    assert_eq!(ids(&response), ["C02", "C10", "C11", "C12", "C20", "C21"]);
    let asked: Vec<String> =
        server.seen("/pages/4").iter().map(|seen| text(&seen["query"])).collect();
    // No more than is wanted is asked for, and no page behind the last that is.
    assert_eq!(asked, ["limit=8", "cursor=page-1&limit=8", "cursor=page-2&limit=8"]);
}
