//! The advanced techniques of the pages, as workflows: one starts another, one asks again and again
//! for what is new, one maps by what is known of its user.

use crate::project::{id, on_order, on_request, project, workflow};
use crate::server::Server;
use crate::world::{World, text};
use hyper::Method;
use serde_json::{Value, json};

/// The function of the page, word for word, and what it is given.
fn signing() -> Value {
    let case: Value = serde_json::from_str(include_str!("cases/starting.json")).unwrap();
    let lines: Vec<String> = case["code"].as_array().unwrap().iter().map(text).collect();
    json!({ "name": "token", "function": lines.join("\n"), "parameters": case["parameters"] })
}

/// Posts to the node's own address with the token that was signed.
fn post(name: &str, url: &str, body: &Value) -> Value {
    json!({ "name": name, "request": { "method": "POST", "url": url, "json": body,
        "authorization": { "bearer": "{{token.result}}" } } })
}

/// An order starts two further workflows, by a request and by an event.
fn starting(server: &Server, world: &World) -> Value {
    let note = |path: &str, n: &str| {
        json!({ "name": "note", "integration_request": { "method": "POST", "path": path,
            "json": { "user": "{{settings.userId}}", "n": n } } })
    };
    let request = world.api.url(&format!("/sdk/triggers/{}", id("second")));
    let event = json!({ "name": "Contact Created", "payload": { "n": "{{ask.response.body.n}}" } });
    let first = json!([
        signing(),
        post("ask", &request, &json!({ "n": "{{trigger.event.n}}" })),
        post("tell", &world.api.url("/sdk/events/trigger"), &event),
    ]);
    let second = json!([
        note("/second", "{{trigger.request.body.n}}"),
        { "name": "answer", "response": { "status": 200,
            "body": { "n": "{{trigger.request.body.n}} again" } } },
    ]);
    let third = json!([note("/third", "{{trigger.event.n}}")]);
    let mut file = project(
        &server.url(""),
        &[
            on_order("first", &first),
            on_request("second", &second),
            workflow("third", &json!({ "app_event": "Contact Created" }), &third),
        ],
    );
    file["app_events"]["Contact Created"] = json!({ "n": "1" });
    file
}

/// The project's signing key, as a secret of one line has it.
fn secrets(world: &World) -> Value {
    let key = world.data().join("keys").join(format!("{}.pem", world.api.project));
    let key = std::fs::read_to_string(key).unwrap();
    json!({ "PARAGON_SIGNING_KEY": key.trim_end().replace('\n', "\\n") })
}

#[tokio::test]
async fn a_workflow_starts_others_for_its_user_with_a_token_that_its_function_signs() {
    let server = Server::start().await;
    // But for the application, no private address is allowed: the node's own always is.
    let allowed = server.url("").replace("http://", "");
    let start = project(&server.url(""), &[]);
    let world = World::start_with(&start, &[("EGRESS__ALLOW", &allowed)]).await;
    let mut file = starting(&server, &world);
    file["secrets"] = secrets(&world);
    world.reapply(&file).await;
    for user in ["anna", "bert"] {
        let token = world.connected(user).await;
        world.order(&token, &json!({ "n": user.len() })).await;
        for run in world.ended(&format!("?userId={user}"), 3).await {
            let run = world.run(&text(&run["id"])).await;
            assert_eq!(run["status"], "SUCCEEDED", "{run}");
        }
        let first = world.ended(&format!("?userId={user}&workflowId={}", id("first")), 1).await;
        let first = world.run(&text(&first[0]["id"])).await;
        let asked = world.step(&first, 2).await["output"]["response"].clone();
        assert_eq!(
            (&asked["statusCode"], &asked["body"]),
            (&json!(200), &json!({ "n": "4 again" }))
        );
        let told = world.step(&first, 3).await;
        assert_eq!(told["output"]["response"]["statusCode"], 201, "{told}");
        let signed = world.step(&first, 1).await;
        assert!(!signed.to_string().contains("PRIVATE KEY"), "the key is shown");
    }
    for (path, n) in [("/second", json!(4)), ("/third", json!("4 again"))] {
        let noted: Vec<Value> = server.seen(path).iter().map(|seen| seen["body"].clone()).collect();
        assert_eq!(noted, ["anna", "bert"].map(|user| json!({ "user": user, "n": n })), "{path}");
    }
}

/// A workflow that calls the address that starts it, by a request or from within a function.
async fn starts_itself(again: impl FnOnce(&World) -> Value) {
    let world =
        World::start_with(&project("http://127.0.0.1:9", &[]), &[("EGRESS__ALLOW", "")]).await;
    let steps = json!([signing(), again(&world)]);
    let mut file = project("http://127.0.0.1:9", &[on_order("again", &steps)]);
    file["secrets"] = secrets(&world);
    world.reapply(&file).await;
    let token = world.connected("anna").await;
    world.order(&token, &json!({})).await;
    let failed = world.ended("?status=FAILED", 1).await;
    assert_eq!(failed.len(), 1);
    let run = world.run(&text(&failed[0]["id"])).await;
    let last = world.step(&run, 2).await;
    assert!(last["output"].to_string().contains("508"), "{last}");
    // A hundred runs after the first.
    let usage = world.admin("GET", "/usage").await.json();
    assert_eq!(usage["months"][0]["taskCount"], 101 + 100, "{usage}");
}

#[tokio::test]
async fn a_workflow_that_starts_itself_comes_to_an_end() {
    let again = json!({ "name": "Order Placed", "payload": {} });
    starts_itself(|world| post("again", &world.api.url("/sdk/events/trigger"), &again)).await;
    let code = "async function yourFunction({ url, token }, { fetch }) {\n  \
        const answer = await fetch(url, { method: 'POST', body: '{\"name\": \"Order Placed\"}', \
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, \
        'Millrace-Runs': '0' } });\n  \
        if (answer.status !== 201) throw new Error(`status ${answer.status}`);\n}";
    starts_itself(|world| {
        json!({ "name": "again", "function": code, "parameters": {
            "url": world.api.url("/sdk/events/trigger"), "token": "{{token.result}}" } })
    })
    .await;
}

#[tokio::test]
async fn what_needs_no_key_is_not_told_to_steps() {
    let ask = json!([{ "name": "ask", "request": { "url": "{{trigger.request.body.url}}" } }]);
    let file = project("http://127.0.0.1:9", &[on_request("ask", &ask)]);
    let world = World::start_with(&file, &[("EGRESS__ALLOW", "")]).await;
    let token = world.connected("anna").await;
    let url = format!("http://{}/metrics", world.node.address);
    let run = world.run_through(&token, &id("ask"), &json!({ "url": url })).await;
    assert_eq!(world.step(&run, 1).await["output"]["response"]["statusCode"], 404, "{run}");
    assert_eq!(world.open("GET", "/metrics").await.status, 200);
}

/// Every second, so that nobody waits for it: what has changed within ten minutes goes to the
/// application.
fn polling(server: &Server) -> Value {
    let since = "function yourFunction({ minutes }) {\n  \
        return new Date(Date.now() - minutes * 60 * 1000).toISOString();\n}";
    let push = json!({ "name": "push", "request": { "method": "POST", "url": server.url("/app"),
        "json": { "user": "{{settings.userId}}", "since": "{{since.result}}",
            "item": "{{each.instance}}" } } });
    let steps = json!([
        { "name": "since", "function": since, "parameters": { "minutes": 10 } },
        { "name": "list", "integration_request": { "path": "/changed",
            "params": { "since": "{{since.result}}" } } },
        { "name": "each", "fan_out": "{{list.response.body.items}}", "steps": [push] },
    ]);
    let trigger =
        json!({ "schedule": { "cron": "* * * * * *", "timezone": "UTC", "exact": true } });
    workflow("poll", &trigger, &steps)
}

#[tokio::test]
async fn a_workflow_asks_again_and_again_for_what_has_changed_and_passes_each_item_on() {
    let server = Server::start().await;
    let item = |id: &str, at: &str| json!({ "id": id, "at": at });
    server.keep(json!([
        item("old", "2001-01-01T00:00:00.000Z"),
        item("new", "2999-01-01T00:00:00.000Z"),
        item("newer", "2999-01-01T00:00:01.000Z"),
    ]));
    let world = World::start(&project(&server.url(""), &[polling(&server)])).await;
    for user in ["anna", "bert"] {
        world.connected(user).await;
    }
    for user in ["anna", "bert"] {
        let runs = world.ended(&format!("?userId={user}&status=SUCCEEDED"), 1).await;
        let run = world.run(&text(&runs.last().unwrap()["id"])).await;
        let since = text(&world.step(&run, 1).await["output"]["result"]);
        let asked = world.step(&run, 2).await;
        assert_eq!(asked["input"]["params"]["since"], json!(since), "{asked}");
        let of_run: Vec<Value> = server
            .seen("/app")
            .iter()
            .map(|seen| seen["body"].clone())
            .filter(|body| body["user"] == user && body["since"] == json!(since))
            .collect();
        let mut ids: Vec<String> = of_run.iter().map(|body| text(&body["item"]["id"])).collect();
        ids.sort();
        assert_eq!(ids, ["new", "newer"], "{run}");
        // Two requests and the function, and one request for each item.
        assert_eq!(run["taskCount"], 4, "{run}");
        let bearer = format!("Bearer token-of-{user}");
        let with_account = |seen: &Value| seen["headers"]["authorization"] == json!(bearer);
        assert!(server.seen("/changed").iter().any(with_account), "not with the user's account");
    }
}

/// A record is sent as the user has mapped it, as far as the provider knows the fields.
fn mapping() -> Value {
    let map = "function yourFunction({ record, mapping, fields }) {\n  \
        const known = new Set(fields.map((field) => field.name));\n  \
        const pairs = Object.entries(mapping ?? {});\n  \
        const kept = pairs.filter(([own, theirs]) => own in record && known.has(theirs));\n  \
        return Object.fromEntries(kept.map(([own, theirs]) => [theirs, record[own]]));\n}";
    json!([
        { "name": "schema", "integration_request": { "path": "/kept" } },
        { "name": "map", "function": map, "parameters": {
            "record": "{{trigger.event}}", "mapping": "{{settings.metadata.mapping}}",
            "fields": "{{schema.response.body.fields}}" } },
        { "name": "push", "integration_request": {
            "method": "POST", "path": "/records", "json": "{{map.result}}" } },
    ])
}

#[tokio::test]
async fn a_function_maps_a_record_by_the_metadata_of_its_user() {
    let server = Server::start().await;
    let fields = ["Subject", "Owner_Email__c", "Name"].map(|name| json!({ "name": name }));
    server.keep(json!({ "fields": fields }));
    let world = World::start(&project(&server.url(""), &[on_order("map", &mapping())])).await;
    let record = json!({ "title": "Call", "mail": "b@useparagon.com", "secret": 7 });
    let users = [
        (
            "anna",
            json!({ "title": "Subject", "mail": "Owner_Email__c" }),
            json!({ "Subject": "Call", "Owner_Email__c": "b@useparagon.com" }),
        ),
        // One field is not the provider's, one not the record's.
        (
            "bert",
            json!({ "title": "Name", "mail": "Gone", "phone": "Subject" }),
            json!({ "Name": "Call" }),
        ),
        ("carl", json!(null), json!({})),
    ];
    for (user, mapping, expected) in users {
        let token = world.connected(user).await;
        if !mapping.is_null() {
            let body = json!({ "meta": { "mapping": mapping } });
            let answer =
                world.api.call(Method::PATCH, "/sdk/me", &token, Some(&body)).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.shown());
        }
        world.order(&token, &record).await;
        let run = world.ended(&format!("?userId={user}"), 1).await.remove(0);
        assert_eq!(run["status"], "SUCCEEDED", "{run}");
        let sent = server.seen("/records");
        assert_eq!(sent.last().unwrap()["body"], expected, "{user}");
    }
}
