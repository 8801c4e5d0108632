//! Executions are paused and go on, and are run again.

use crate::project::{API_KEY, id, on_order, on_request, project, workflow};
use crate::server::Server;
use crate::world::{World, assert_error, text, until};
use serde_json::{Value, json};

/// A first step that waits at the gate, and a second that tells.
fn gated(server: &Server) -> Value {
    json!([
        { "name": "wait", "request": { "url": server.url("/gate") } },
        { "name": "tell", "request": { "url": server.url("/told") } },
    ])
}

/// The id of an execution of a workflow that was just called.
async fn begun(world: &World, token: &str, name: &str, body: &Value) -> String {
    let answer = world.api.request(token, &id(name), body).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.shown());
    text(&answer.json()["executionId"])
}

async fn ask(world: &World, execution: &str, what: &str) {
    let answer = world.admin("POST", &format!("/executions/{execution}/{what}")).await;
    assert_eq!(answer.status, 200, "{what}: {}", answer.shown());
}

#[tokio::test]
async fn a_paused_execution_begins_nothing_until_it_is_resumed_also_by_another_process() {
    let server = Server::start().await;
    let world =
        World::start(&project(&server.url(""), &[on_request("gated", &gated(&server))])).await;
    let token = world.connected("anna").await;
    let execution = begun(&world, &token, "gated", &json!({})).await;
    until("the first step", async || (server.seen("/gate").len() == 1).then_some(())).await;
    ask(&world, &execution, "pause").await;
    ask(&world, &execution, "pause").await;
    server.open();
    let paused = until("the end of what was at work", async || {
        let run = world.peek(&execution).await?;
        let step = run["stepExecutions"][2].clone();
        (step["status"] == "DELAYED").then_some(run)
    })
    .await;
    assert_eq!((&paused["status"], &paused["isPaused"]), (&json!("DELAYED"), &json!(true)));
    let world = world.killed().await;
    let still = world.peek(&execution).await.unwrap();
    assert_eq!((&still["status"], server.seen("/told").len()), (&json!("DELAYED"), 0));
    ask(&world, &execution, "resume").await;
    let run = world.run(&execution).await;
    assert_eq!((&run["status"], &run["isPaused"]), (&json!("SUCCEEDED"), &json!(false)));
    assert_eq!(server.seen("/told").len(), 1);
    let late = world.admin("POST", &format!("/executions/{execution}/pause")).await;
    assert_error(&late, 409, "EXECUTION_FINISHED");
}

#[tokio::test]
async fn with_an_execution_the_items_of_its_fan_outs_wait() {
    let server = Server::start().await;
    let steps = json!([{ "name": "each", "fan_out": [1, 2, 3], "steps": gated(&server) }]);
    let world = World::start(&project(&server.url(""), &[on_request("each", &steps)])).await;
    let token = world.connected("anna").await;
    let execution = begun(&world, &token, "each", &json!({})).await;
    until("every item", async || (server.seen("/gate").len() == 3).then_some(())).await;
    ask(&world, &execution, "pause").await;
    server.open();
    until("paused items", async || {
        let run = world.peek(&execution).await?;
        let steps = run["stepExecutions"].as_array()?.clone();
        (steps.iter().filter(|step| step["status"] == "DELAYED").count() == 3).then_some(())
    })
    .await;
    assert_eq!(server.seen("/told").len(), 0);
    ask(&world, &execution, "resume").await;
    let run = world.run(&execution).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(6)), "{run}");
}

/// Asks what the server keeps about an order, and fails with it until that is good.
fn asking(server: &Server) -> Value {
    let ask = json!({ "name": "ask", "request": { "method": "POST", "url": server.url("/ask"),
        "json": { "amount": "{{1.event.amount}}" } } });
    let check = json!({ "name": "check", "request": { "url": server.url("/flaky/check") } });
    let tell = json!({ "name": "tell", "request": { "method": "POST", "url": server.url("/told"),
        "json": { "amount": "{{ask.response.body.body.amount}}" } } });
    json!([ask, check, tell])
}

#[tokio::test]
async fn an_execution_is_run_again_as_it_was_with_another_input_or_from_a_step() {
    let server = Server::start().await;
    let world = World::start(&project(&server.url(""), &[on_order("ask", &asking(&server))])).await;
    let token = world.connected("anna").await;
    world.order(&token, &json!({ "amount": 5 })).await;
    let failed = world.ended("", 1).await[0].clone();
    assert_eq!((&failed["status"], &failed["replayOf"]), (&json!("FAILED"), &Value::Null));
    let original = text(&failed["id"]);

    // From the step that failed: what the step before it gave is kept.
    let path = format!("/executions/{original}/replay");
    let body = json!({ "fromStep": "check" });
    let mut answers = Vec::new();
    for _ in 0..2 {
        // The second one is the first once more.
        let answer = world.admin_with("POST", &path, "once", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.shown());
        answers.push(text(&answer.json()["executionId"]));
    }
    assert_eq!(answers[0], answers[1]);
    let run = world.run(&answers[0]).await;
    assert_eq!((&run["status"], &run["taskCount"]), (&json!("SUCCEEDED"), &json!(2)), "{run}");
    let of = &run["replayOf"];
    assert_eq!((&of["executionId"], &of["isEdited"]), (&json!(original), &json!(false)));
    assert_eq!(of["fromStepId"], run["stepExecutions"][2]["stepId"]);
    let kept: Vec<&Value> =
        run["stepExecutions"].as_array().unwrap().iter().map(|step| &step["isKept"]).collect();
    assert_eq!(kept, [false, true, false, false]);
    let (kept, given) =
        (world.step(&run, 1).await, world.step(&world.run(&original).await, 1).await);
    assert_eq!((&kept["input"], &kept["output"]), (&given["input"], &given["output"]));
    assert_eq!(
        (server.seen("/ask").len(), server.seen("/told")[0]["body"]["amount"].clone()),
        (1, json!(5))
    );

    // As it was, by the public API.
    let path = format!("/task-history/workflow-executions/{original}/replay");
    let answer = world.call("POST", &path, API_KEY).await;
    assert_eq!((answer.status, &answer.body[..]), (201, &b""[..]), "{}", answer.shown());
    world.ended("", 3).await;
    assert_eq!(server.seen("/told")[1]["body"]["amount"], 5);

    // With another input, on the version that is deployed now.
    let mut steps = asking(&server);
    steps[2]["request"]["json"]["new"] = json!(true);
    world.reapply(&project(&server.url(""), &[on_order("ask", &steps)])).await;
    let body = json!({ "input": { "event": { "amount": 7 } }, "deployedVersion": true });
    let path = format!("/executions/{original}/replay");
    let answer = world.admin_with("POST", &path, "", &body).await;
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!((&run["workflowVersion"], &run["replayOf"]["isEdited"]), (&json!(2), &json!(true)));
    assert_eq!(server.seen("/told")[2]["body"], json!({ "amount": 7, "new": true }));

    for (body, status, code) in [
        (json!({ "fromStep": "no such step" }), 404, "REPLAY_STEP_UNKNOWN"),
        (json!({ "version": 9 }), 404, "VERSION_UNKNOWN"),
        (json!({ "version": 1, "deployedVersion": true }), 400, "BODY_MALFORMED"),
        (json!({ "step": "check" }), 400, "BODY_MALFORMED"),
    ] {
        let answer = world.admin_with("POST", &path, "", &body).await;
        assert_error(&answer, status, code);
    }
    let off = format!("/sdk/workflows/{}", id("ask"));
    assert_eq!(world.call("DELETE", &off, &token).await.status, 200);
    let answer = world.admin_with("POST", &path, "", &Value::Null).await;
    assert_error(&answer, 409, "WORKFLOW_DISABLED");
}

#[tokio::test]
async fn nothing_begins_within_or_behind_a_fan_out() {
    let steps = json!([
        { "name": "each", "fan_out": [1], "steps": [{ "name": "work", "delay": { "value": 0 } }] },
        { "name": "last", "delay": { "value": 0 } },
    ]);
    let world = World::start(&project("http://127.0.0.1:9", &[on_request("each", &steps)])).await;
    let token = world.connected("anna").await;
    let run = world.run_through(&token, &id("each"), &json!({})).await;
    let replay = async |execution: &str, body: Value| {
        world.admin_with("POST", &format!("/executions/{execution}/replay"), "", &body).await
    };
    let original = text(&run["id"]);
    for step in ["work", "last"] {
        let answer = replay(&original, json!({ "fromStep": step })).await;
        assert_error(&answer, 409, "REPLAY_STEP_UNFIT");
    }
    let steps = run["stepExecutions"].as_array().unwrap();
    let item = steps.iter().find(|step| step["type"] == "TRANSITION/MAP_ITEM").unwrap();
    let answer = replay(&text(&item["workflowExecutionId"]), json!({})).await;
    assert_error(&answer, 409, "REPLAY_STEP_UNFIT");
    let answer = replay(&original, json!({ "fromStep": "each" })).await;
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
}

#[tokio::test]
async fn many_are_run_again_at_their_pace_once_each_though_the_node_is_killed() {
    const USERS: usize = 12;
    const EACH: usize = 3;
    const COUNT: usize = USERS * EACH;
    let server = Server::start().await;
    let steps = json!([{ "name": "ask", "request": { "url": server.url("/kept") } }]);
    let fails = json!([{ "name": "ask", "request": { "url": server.url("/status/503") } }]);
    let world = World::start(&project(
        &server.url(""),
        &[on_order("good", &steps), on_request("bad", &fails)],
    ))
    .await;
    for n in 0..USERS {
        let token = world.connected(&format!("user-{n}")).await;
        world.order(&token, &json!({})).await;
        for _ in 0..EACH {
            begun(&world, &token, "bad", &json!({})).await;
        }
    }
    world.ended("", COUNT + USERS).await;
    let wanted = json!({ "ending": "FAILED", "fromFailedStep": true, "perSecond": 30 });
    let begun = world.admin_with("POST", "/executions/replays", "all", &wanted).await;
    assert_eq!(begun.status, 202, "{}", begun.shown());
    let again = world.admin_with("POST", "/executions/replays", "all", &wanted).await;
    assert_eq!(again.json(), begun.json());
    let progress = async |world: &World| {
        let all = world.admin("GET", "/executions/replays").await.json();
        assert!(all["replays"].as_array().unwrap().len() <= 1, "{all}");
        all["replays"][0].clone()
    };
    until("the first piece", async || {
        (progress(&world).await["replayed"].as_u64().unwrap_or(0) > 0).then_some(())
    })
    .await;
    let world = world.killed().await;
    let done = until("the end of the replay", async || {
        let replay = progress(&world).await;
        (replay["isDone"] == true).then_some(replay)
    })
    .await;
    assert_eq!((&done["replayed"], &done["skipped"]), (&json!(COUNT), &json!(0)), "{done}");
    assert_eq!(done["id"], begun.json()["id"]);
    let rows = world.ended(&format!("?workflowId={}", id("bad")), 2 * COUNT).await;
    let mut originals: Vec<String> = rows
        .iter()
        .filter(|row| row["replayOf"]["replayId"] == begun.json()["id"])
        .map(|row| text(&row["replayOf"]["executionId"]))
        .collect();
    originals.sort();
    originals.dedup();
    assert_eq!((originals.len(), rows.len()), (COUNT, 2 * COUNT), "once each");
    let open = world.admin_with("POST", "/executions/replays", "", &json!({})).await;
    assert_error(&open, 400, "BODY_MALFORMED");
}

#[tokio::test]
async fn what_runs_for_a_disabled_user_waits_and_for_a_deleted_one_ends() {
    let server = Server::start().await;
    let world =
        World::start(&project(&server.url(""), &[on_request("gated", &gated(&server))])).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    let of_anna = begun(&world, &anna, "gated", &json!({})).await;
    let of_bert = begun(&world, &bert, "gated", &json!({})).await;
    until("both first steps", async || (server.seen("/gate").len() == 2).then_some(())).await;
    assert_eq!(world.admin("POST", "/users/anna/disable").await.status, 200);
    assert_eq!(world.admin("DELETE", "/users/bert").await.status, 200);
    assert_error(&world.admin("DELETE", "/users/bert").await, 404, "USER_UNKNOWN");
    server.open();
    let ended = world.run(&of_bert).await;
    assert_eq!(
        (&ended["status"], &ended["errorCode"]),
        (&json!("FAILED"), &json!("CREDENTIAL_REMOVED"))
    );
    until("the end of what was at work", async || {
        let run = world.peek(&of_anna).await?;
        (run["stepExecutions"][2]["status"] == "DELAYED").then_some(())
    })
    .await;
    assert_eq!(server.seen("/told").len(), 0);
    assert_eq!(world.admin("POST", "/users/anna/enable").await.status, 200);
    assert_eq!(world.run(&of_anna).await["status"], "SUCCEEDED");
    assert_eq!(server.seen("/told").len(), 1);
    let me = world.call("GET", "/sdk/me", &bert).await.json();
    assert_eq!(me["integrations"]["custom.desk"]["enabled"], json!(false), "{me}");
    let again = world.connected("bert").await;
    begun(&world, &again, "gated", &json!({})).await;
}

#[tokio::test]
async fn a_workflow_or_a_step_of_it_is_tried_out_as_the_test_user() {
    let server = Server::start().await;
    let fails = json!({ "name": "flaky", "auto_retry": true, "continue_on_error": true,
        "request": { "url": server.url("/flaky/once") } });
    let many = json!({ "name": "many", "function":
        "function yourFunction({ n }) { return Array.from({ length: n }, (_, i) => [i]); }",
        "parameters": { "n": "{{1.event.n}}" } });
    let pages = json!({ "name": "pages", "request": {
        "url": server.url("/pages/9"), "params": { "cursor": "{{self.pageToken}}" },
        "pagination": { "output": "{{self.response.body.channels}}",
            "page_token": "{{self.response.body.response_metadata.next_cursor}}" } } });
    let tell = json!({ "name": "tell", "request": { "method": "POST", "url": server.url("/told"),
        "json": { "last": "{{many.result[1][0]}}" } } });
    let mut flow = on_order("flow", &json!([many, fails, pages, tell]));
    flow["deployed"] = json!(false);
    flow["default_enabled"] = json!(false);
    let mut file = project(&server.url(""), &[flow]);
    let world = World::start(&file).await;
    let path = format!("/workflows/{}/test", id("flow"));
    let test = async |body: Value| world.admin_with("POST", &path, "", &body).await;
    assert_error(&test(json!({})).await, 409, "TEST_USER_UNSET");
    file["project"]["test_user"] = json!("preview");
    world.reapply(&file).await;
    assert_error(&test(json!({})).await, 404, "CREDENTIAL_UNKNOWN");
    world.connected("preview").await;

    let answer = test(json!({ "input": { "event": { "n": 30 } } })).await;
    assert_eq!(answer.status, 201, "{}", answer.shown());
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!((&run["status"], &run["isTest"]), (&json!("SUCCEEDED"), &json!(true)), "{run}");
    let shown = world.step(&run, 1).await;
    assert_eq!(shown["output"]["result"].as_array().unwrap().len(), 20);
    assert_eq!(run["stepExecutions"][2]["attemptCount"], 1, "nothing is tried again");
    assert_eq!(server.seen("/pages/9").len(), 3, "three pages of a test of the whole");
    assert_eq!(server.seen("/told")[0]["body"]["last"], 1, "what is cut is only what is shown");

    let answer = test(json!({ "step": "pages" })).await;
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!(run["stepExecutions"].as_array().unwrap().len(), 2, "{run}");
    assert_eq!(server.seen("/pages/9").len(), 5, "two pages of a test of one step");
    let outputs = json!({ "many": { "result": [[], [9]] } });
    let answer = test(json!({ "step": "tell", "outputs": outputs })).await;
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!(
        (&run["status"], &server.seen("/told")[1]["body"]["last"]),
        (&json!("SUCCEEDED"), &json!(9))
    );
    assert_eq!(world.history("").await["total"], 0, "tests are in no list");
    assert_error(&test(json!({ "version": 7 })).await, 404, "VERSION_UNKNOWN");
    assert_error(&test(json!({ "outputs": { "nothing": {} } })).await, 404, "REPLAY_STEP_UNKNOWN");
}

#[tokio::test]
async fn what_comes_to_a_test_address_starts_nothing_and_can_be_tried_out() {
    let server = Server::start().await;
    let trigger = json!({ "webhook": "push", "of": "github" });
    let note = json!([{ "name": "note", "request": { "method": "POST", "url": server.url("/told"),
        "json": { "n": "{{1.body.n}}" } } }]);
    let mut file = project(&server.url(""), &[workflow("hook", &trigger, &note)]);
    file["project"]["test_user"] = json!("preview");
    let world = World::start(&file).await;
    let token = world.connected("preview").await;
    let github = json!({ "integrationId": "github", "payload": {}, "providerId": "7" });
    let answer = world
        .api
        .call(hyper::Method::POST, "/sdk/credentials", &token, Some(&github))
        .await
        .unwrap();
    assert!(answer.status < 300, "{}", answer.shown());
    let body = bytes::Bytes::from_static(b"{\"installation\":{\"id\":7},\"n\":5}");
    let secret = crate::project::GITHUB_SECRET;
    let delivery = tests::harness::Delivery { kind: "push", id: "d", account: "7", secret, body };
    let answer = world.api.webhook("github/test", delivery).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.shown());
    let kept = until("the webhook", async || {
        world.inbox("?name=push").await["webhooks"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!((&kept["verdict"], &kept["recipientCount"]), (&json!("VERIFIED"), &json!(0)));
    let path = format!("/workflows/{}/test", id("hook"));
    let body = json!({ "webhookId": kept["id"] });
    let answer = world.admin_with("POST", &path, "", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.shown());
    let run = world.run(&text(&answer.json()["executionId"])).await;
    assert_eq!((&run["status"], server.seen("/told").len()), (&json!("SUCCEEDED"), 1), "{run}");
    assert_eq!(server.seen("/told")[0]["body"]["n"], 5);
}
