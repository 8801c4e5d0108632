//! Folders of earlier builds, which every later one must open.
//!
//! `GOLDEN=write cargo test -p tests --test e2e golden` makes `tests/golden/1` where it is
//! missing; it never changes one that exists. A folder holds what a node left (log, blobs, keys;
//! rows are made anew), and beside it what was in it: `records.tsv` and `executions.tsv`.

use crate::project::{DESK, GITHUB_SECRET, id, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, text, until};
use aws_lc_rs::digest;
use hyper::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::harness::{Api, Client, Delivery, Node, Signer, root};

/// The key of the golden folders: it protects nothing.
const MASTER_KEY: &str = "4d494c4c524143452d474f4c44454e2d4d41535445522d4b45592d4e4f545f21";
const SECRET: &str = "a secret of the golden folder";
/// More than stays in a record.
const LARGE_BYTES: usize = 33 * 1024;
const FOLDER_BYTES_MAX: u64 = 300 * 1024;
/// How the line of an execution that waits ends.
const WAITED: &str = "DELAYED\t0";
/// Segments are full of zeros at their end.
const SEGMENT_BYTES: (&str, &str) = ("LOG__SEGMENT_BYTES", "16384");

fn golden() -> PathBuf {
    root().join("tests/golden")
}

/// Every file below a folder, from there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in at.read_dir().unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// Copies files, with no folder that has none: so they come out of version control.
fn copy(from: &Path, to: &Path, wanted: impl Fn(&Path) -> bool) {
    for file in files(from).iter().filter(|file| wanted(file)) {
        std::fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

/// What is worth keeping of a folder.
fn is_kept(file: &Path) -> bool {
    let first = file.iter().next().unwrap().to_str().unwrap();
    let is_kept = ["log", "blobs", "keys", "master.key", "admin.key"].contains(&first);
    is_kept && file.file_name().is_some_and(|name| name != "LOCK")
}

async fn lines(data: &Path, more: &[&str]) -> Vec<Value> {
    let said = Node::tell(data, &[&["log", "grep", "--json"], more].concat()).await.unwrap();
    assert_eq!(said.code, Some(0), "{}", said.err);
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A line for every record: where it is, what it is, and what is sealed in it.
async fn records(data: &Path) -> String {
    let (closed, mut open) = (lines(data, &[]).await, lines(data, &["--unseal"]).await);
    // Looking into them is a record too, of each time that somebody did.
    open.retain(|line| line["type"] != "RecordUnsealing" && line["type"] != "PayloadsUnsealed");
    assert_eq!(closed.len(), open.len());
    let mut records: Vec<String> = closed
        .iter()
        .zip(&open)
        .map(|(closed, open)| {
            let fact = |name: &str| closed[name].to_string().replace('"', "");
            assert_eq!(closed["id"], open["id"]);
            let clear = open["body"].get("unsealed").map(ToString::to_string);
            let sealed = clear.map_or_else(String::new, |clear| {
                let hash = digest::digest(&digest::SHA256, clear.as_bytes());
                let hash: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
                format!("\t{} bytes\t{hash}", clear.len())
            });
            let facts = ["stream", "partition", "offset", "type", "id"].map(fact).join("\t");
            format!("{facts}{sealed}\n")
        })
        .collect();
    records.sort();
    records.concat()
}

/// A line for every execution that Task History has.
async fn executions(api: &Api) -> String {
    let path = "/task-history/workflow-executions";
    let answer = api.call(Method::GET, path, crate::project::API_KEY, None).await.unwrap();
    let page = answer.json();
    let rows = page["workflowExecutions"].as_array().unwrap();
    assert_eq!(page["total"], rows.len(), "more than a page");
    let line = |row: &Value| format!("{}\t{}\t{}\n", row["id"], row["status"], row["taskCount"]);
    let mut lines: Vec<String> = rows.iter().map(|row| line(row).replace('"', "")).collect();
    lines.sort();
    lines.concat()
}

fn file(server: &Server, answer: u16) -> Value {
    let call = |name: &str, path: &str| {
        json!({ "name": name, "request": {
            "method": "POST", "url": server.url(path),
            "headers": { "X-Key": "{{secrets.KEY}}" }, "json": { "n": 1 } } })
    };
    let mut tolerated = call("tolerated", "/status/400");
    tolerated["continue_on_error"] = json!(true);
    let mut retried = call("retried", "/status/503");
    retried["auto_retry"] = json!(true);
    let order = json!([
        { "name": "shape", "function": "function yourFunction({ order }) { return order; }",
          "parameters": { "order": "{{trigger.event}}" } },
        { "name": "large", "if": { "{{shape.result.amount}}": { "at_least": 500 } },
          "then": [call("tell", "/told")] },
        tolerated,
    ]);
    let reply = json!([
        { "name": "measure", "parameters": { "text": "{{trigger.request.body.text}}" },
          "function": "function yourFunction({ text }) { return { length: text.length }; }" },
        { "name": "answer", "response": { "status": answer, "body": {
            "length": "{{measure.result.length}}", "key": "{{secrets.KEY}}",
            "plan": "{{settings.metadata.plan}}" } } },
    ]);
    let pause = json!([{ "name": "pause", "delay": { "value": 365, "unit": "days" } }]);
    let mut hook = on_order("hook", &json!([call("note", "/noted")]));
    hook["trigger"] = json!({ "webhook": "issues.opened", "of": "github" });
    let workflows = [
        on_order("order", &order),
        on_request("reply", &reply),
        on_request("pause", &pause),
        on_request("stop", &pause),
        on_request("retry", &json!([retried])),
        hook,
    ];
    let mut file = project(&server.url(""), &workflows);
    file["secrets"] = json!({ "KEY": SECRET });
    file
}

/// A little of everything, in a folder with a key that is known.
async fn make(to: &Path) {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("master.key"), MASTER_KEY).unwrap();
    let world = World::start_in(folder, &file(&server, 200), &[SEGMENT_BYTES]).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    world.api.connect(&anna, "github", "7").await.unwrap();
    let send = async |method, path: &str, token: &str, body: Value| {
        world.api.call(method, path, token, Some(&body)).await.unwrap().status
    };
    let plan = json!({ "meta": { "plan": "gold" } });
    assert_eq!(send(Method::PATCH, "/sdk/me", &anna, plan).await, 200);
    for amount in [100, 900] {
        world.order(&anna, &json!({ "amount": amount })).await;
    }
    let ask = async |token: &str, name: &str, body: Value| {
        world.api.request(token, &id(name), &body).await.unwrap()
    };
    for size in [10, LARGE_BYTES] {
        let answer = ask(&anna, "reply", json!({ "text": "x".repeat(size) })).await;
        assert_eq!(answer.json()["length"], size, "{}", answer.shown());
    }
    for name in ["pause", "stop", "retry"] {
        let execution = text(&ask(&anna, name, json!({})).await.json()["executionId"]);
        let kind = if name == "retry" { "StepFailed" } else { "StepReady" };
        until("it waits", async || {
            let wanted = ["log", "grep", "--execution", &execution, "--type", kind];
            (Node::tell(world.data(), &wanted).await.unwrap().code == Some(0)).then_some(())
        })
        .await;
        until("its row", async || world.peek(&execution).await).await;
        if name != "pause" {
            let path = format!("/executions/{execution}/cancel");
            assert_eq!(world.admin("POST", &path).await.status, 200);
        }
    }
    for (delivery, account, secret) in [
        ("d-1", "7", GITHUB_SECRET),
        ("d-1", "7", GITHUB_SECRET),
        ("d-2", "8", GITHUB_SECRET),
        ("d-3", "7", "?"),
    ] {
        let body = json!({ "action": "opened", "installation": { "id": account } }).to_string();
        let hook = Delivery { kind: "issues", id: delivery, account, secret, body: body.into() };
        world.api.webhook("github", hook).await.unwrap();
    }
    for action in ["disable", "enable"] {
        let path = format!("/users/bert/{action}");
        assert_eq!(world.admin("POST", &path).await.status, 200);
        assert_ne!(ask(&bert, "reply", json!({ "text": "" })).await.status, 202);
    }
    assert_eq!(world.call("DELETE", &format!("/sdk/integrations/{DESK}"), &bert).await.status, 200);
    // The first version stays in the log beside the second.
    Api::apply(&world.node, world.data(), &file(&server, 201)).await.unwrap();
    until("the ends of all but one", async || {
        let running = world.history("?status=EXECUTING").await["total"].as_u64();
        let waiting = world.history("?status=DELAYED").await["total"].as_u64();
        let noted = !server.seen("/noted").is_empty();
        (noted && (running, waiting) == (Some(0), Some(1))).then_some(())
    })
    .await;
    let history = executions(&world.api).await;
    let folder = world.stop().await;
    copy(folder.path(), to, is_kept);
    std::fs::write(to.join("executions.tsv"), history).unwrap();
    std::fs::write(to.join("records.tsv"), records(folder.path()).await).unwrap();
}

async fn verify(data: &Path) {
    let said = Node::tell(data, &["verify"]).await.unwrap();
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.trim_end().ends_with(", 0 differ from a rebuild"), "{}", said.out);
}

/// Everything in it is there, and a node goes on with it.
async fn assert_opens(golden: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    copy(golden, data, is_kept);
    let kept = |name: &str| std::fs::read_to_string(golden.join(name)).unwrap();
    assert_eq!(records(data).await, kept("records.tsv"));
    let said = Node::tell(data, &["rebuild", "--all"]).await.unwrap();
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    verify(data).await;
    let node = Node::start_with(data, &[SEGMENT_BYTES]).await.unwrap();
    let (client, at, project) = (Client::default(), node.address, id("project"));
    let api = Api { client, at, project, idempotency_key: None };
    let (now, then) = (executions(&api).await, kept("executions.tsv"));
    assert_eq!(now.lines().count(), then.lines().count());
    for (now, then) in now.lines().zip(then.lines()) {
        // What waited then goes on when its time has come, a year later.
        let waited = then.strip_suffix(WAITED);
        assert!(now == then || waited.is_some_and(|id| now.starts_with(id)), "{now}, not {then}");
    }
    let token = Signer::load(data, &api.project).unwrap().token("anna").unwrap();
    let answer = api.request(&token, &id("reply"), &json!({ "text": "four" })).await.unwrap();
    let expected = json!({ "length": 4, "key": SECRET, "plan": "gold" });
    assert_eq!((answer.status, answer.json()), (201, expected));
    node.stop().await.unwrap();
    verify(data).await;
}

#[tokio::test]
async fn every_golden_folder_opens() {
    let first = golden().join("1");
    if !first.exists() && std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        make(&first).await;
    }
    let folders: Vec<PathBuf> =
        golden().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(folders.contains(&first), "{} is missing", first.display());
    for folder in folders {
        let sizes = files(&folder).into_iter().map(|file| folder.join(file).metadata().unwrap());
        let bytes: u64 = sizes.map(|file| file.len()).sum();
        assert!(bytes <= FOLDER_BYTES_MAX, "{}: {bytes} bytes", folder.display());
        assert_opens(&folder).await;
    }
}
