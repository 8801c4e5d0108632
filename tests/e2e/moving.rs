//! Logs that move: from the folder to Kafka and back, into a backup and out of it.

use crate::project::{API_KEY, id, on_order, on_request, project};
use crate::server::Server;
use crate::world::{World, text, until};
use bytes::Bytes;
use futures_util::future::join;
use millrace::config::Config;
use millrace::wire;
use ports::{Range, Table};
use projections::owner::table;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::harness::{Answer, Api, Node, Said, backend};

/// On a busy machine the door would take in less of so many at once.
const PATIENT: [(&str, &str); 1] = [("HTTP__TENANT_LAG_MS_MAX", "60000")];
const SECRET: &str = "s3cret-of-the-log-that-moves";
/// Enough that a copy takes a while.
const ORDERS: usize = 400;
/// More than stays in a record.
const LARGE_BYTES: usize = 100_000;
const ROWS_MAX: usize = 1_000_000;

fn file(server: &Server) -> Value {
    let push = json!([
        { "name": "double", "function": "function yourFunction({ n }) { return n * 2; }",
          "parameters": { "n": "{{trigger.event.amount}}" } },
        { "name": "push", "request": { "method": "POST", "url": server.url("/push"),
            "headers": { "X-Key": "{{secrets.TOKEN}}" }, "json": { "n": "{{double.result}}" } } },
    ]);
    let draw = json!([
        { "name": "draw", "function": "function yourFunction() { return Math.random(); }",
          "parameters": {} },
        { "name": "answer", "response": { "status": 200, "body": { "drawn": "{{draw.result}}" } } },
    ]);
    let wait = json!([{ "name": "wait", "delay": { "value": 20, "unit": "seconds" } }]);
    let workflows = [on_order("push", &push), on_request("draw", &draw), on_request("wait", &wait)];
    let mut file = project(&server.url("/desk"), &workflows);
    file["secrets"] = json!({ "TOKEN": SECRET });
    file
}

/// What a node did before its log moved, as its callers know it.
struct Past {
    api: Api,
    anna: String,
    first: Answer,
    waiting: String,
    /// Every execution with its steps, but for the one that waits.
    runs: Vec<Value>,
}

async fn call(api: &Api, path: &str) -> Value {
    let answer = api.call(hyper::Method::GET, path, API_KEY, None).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.shown());
    answer.json()
}

async fn runs(api: &Api) -> Vec<Value> {
    let page = call(api, "/task-history/workflow-executions?status=SUCCEEDED").await;
    let mut runs = Vec::new();
    for row in page["workflowExecutions"].as_array().unwrap().iter().take(20) {
        let path = format!("/task-history/workflow-executions/{}", text(&row["id"]));
        let mut run = call(api, &path).await;
        let step = text(&run["stepExecutions"][0]["id"]);
        run["trigger"] = call(api, &format!("{path}/step-executions/{step}")).await;
        runs.push(run);
    }
    runs
}

/// Traffic of every kind, up to an execution that waits.
async fn live(world: &World) -> Past {
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    let first = world.api.keyed("drawn").request(&anna, &id("draw"), &json!({})).await.unwrap();
    assert!(first.json()["drawn"].is_f64(), "{}", first.shown());
    for (token, orders) in [(&anna, ORDERS), (&bert, ORDERS)] {
        let events: Vec<Value> = (0..orders)
            .map(|n| json!({ "name": "Order Placed", "payload": { "amount": n, "id": n } }))
            .collect();
        for some in events.chunks(100) {
            let body = json!({ "events": some });
            let path = "/sdk/events/batch";
            let answer =
                world.api.call(hyper::Method::POST, path, token, Some(&body)).await.unwrap();
            let results = answer.json()["results"].as_array().cloned().unwrap_or_default();
            let taken = results.iter().filter(|result| result["status"] == 201).count();
            assert_eq!(taken, some.len(), "{}", answer.shown());
        }
    }
    world.order(&anna, &json!({ "amount": 1, "note": "x".repeat(LARGE_BYTES) })).await;
    let wanted = 2 * ORDERS as u64 + 2;
    until("an end of every run", async || {
        let ended = world.api.executions(API_KEY, "SUCCEEDED").await.unwrap();
        (ended >= wanted).then_some(())
    })
    .await;
    let waiting = world.api.request(&anna, &id("wait"), &json!({})).await.unwrap();
    let waiting = text(&waiting.json()["executionId"]);
    until("the wait", async || {
        (world.history("?status=DELAYED").await["total"] == 1).then_some(())
    })
    .await;
    let runs = runs(&world.api).await;
    Past { api: world.api.clone(), anna, first, waiting, runs }
}

/// A node on the moved log knows all of it, and goes on.
async fn assert_goes_on(node: &Node, past: &Past, server: &Server) {
    let api = past.api.moved(node.address);
    let total = 2 * ORDERS as u64 + 3;
    until("rows", async || (api.executions(API_KEY, "").await.unwrap() == total).then_some(()))
        .await;
    let path = format!("/task-history/workflow-executions/{}", past.waiting);
    until("an end of the wait", async || {
        let run = api.call(hyper::Method::GET, &path, API_KEY, None).await.unwrap().json();
        (run["status"] == "SUCCEEDED").then_some(())
    })
    .await;
    let known = runs(&api).await;
    let without = |runs: &[Value]| -> Vec<Value> {
        runs.iter().filter(|run| run["id"] != past.waiting.as_str()).cloned().collect()
    };
    let known = without(&known);
    assert!(known.len() > 10 && past.runs.starts_with(&known), "history is another one");
    let again = api.keyed("drawn").request(&past.anna, &id("draw"), &json!({})).await.unwrap();
    assert_eq!((again.status, again.json()), (200, past.first.json()), "{}", again.shown());
    let before = server.seen("/push").len();
    let answer = api.event(&past.anna, "Order Placed", &json!({ "amount": 21 })).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.shown());
    let pushed = until("an order", async || server.seen("/push").get(before).cloned()).await;
    assert_eq!((&pushed["body"]["n"], &pushed["headers"]["x-key"]), (&json!(42), &json!(SECRET)));
}

fn assert_said(said: &Said, code: i32, words: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{all}");
    for word in words {
        assert!(all.contains(word), "{word:?} is not in {all}");
    }
}

async fn tell(data: &Path, arguments: &[&str]) -> Said {
    Node::tell(data, arguments).await.unwrap()
}

/// Every row that a fold writes, from a folder whose rows were folded anew.
async fn rows(data: &Path) -> Vec<(Table, Bytes, Bytes)> {
    assert_said(&tell(data, &["rebuild", "--all"]).await, 0, &[]);
    let config = Config::load(None, std::iter::empty()).unwrap();
    let store = wire::open_store(&config, &data.join("rows")).unwrap();
    let mut tables = table::FOLDED.to_vec();
    tables.extend(millrace::node::projections().iter().flat_map(|one| one.tables()));
    let mut rows = Vec::new();
    for table in tables {
        let all =
            Range { from: Bytes::new(), until: Bytes::new(), limit: ROWS_MAX, backwards: false };
        let found = store.scan(table, all).await.unwrap();
        rows.extend(found.into_iter().map(|(key, value)| (table, key, value)));
    }
    rows
}

/// A folder with the keys and the payloads of another, and with its topics if it has any.
fn beside(data: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["master.key", "admin.key"] {
        std::fs::copy(data.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

const TO_KAFKA: [&str; 5] = ["copy", "--from", "embedded", "--to", "kafka"];
const TO_FOLDER: [&str; 5] = ["copy", "--from", "kafka", "--to", "embedded"];

#[tokio::test]
async fn a_log_moves_to_kafka_and_back_and_everything_goes_on() {
    if backend::is_kafka() {
        return; // it begins in a folder
    }
    let server = Server::start().await;
    let world = World::start_with(&file(&server), &PATIENT).await;
    let past = live(&world).await;
    let topics = backend::fresh(world.data()).unwrap();
    let held = {
        backend::name(world.data(), &topics).unwrap();
        let held = tell(world.data(), &TO_KAFKA).await;
        backend::forget(world.data()).unwrap();
        held
    };
    assert_said(&held, 1, &["while no node runs", "in use by process"]);
    let folder = world.stop().await;
    let data = folder.path();
    let before = rows(data).await;

    // It is interrupted; what is there is no log, and nobody takes it for one.
    backend::name(data, &topics).unwrap();
    Node::cut_off(data, &TO_KAFKA, "commands/2").await.unwrap();
    let moved = tempfile::tempdir().unwrap();
    backend::join(moved.path(), data).unwrap();
    assert_said(&tell(moved.path(), &["serve"]).await, 1, &["run it again"]);
    assert_said(
        &tell(moved.path(), &["migrate"]).await,
        2,
        &["run it again", "nothing was changed"],
    );
    // It goes on, and what is there is what was there.
    assert_said(&tell(data, &TO_KAFKA).await, 0, &["copied", "read every one of them back"]);
    assert_said(&tell(data, &TO_KAFKA).await, 1, &["there is a log", "another kafka.prefix"]);
    let after = rows(moved.path()).await;
    assert!(before.len() > ORDERS && before == after, "{} and {}", before.len(), after.len());

    let node = Node::start(moved.path()).await.unwrap();
    assert_goes_on(&node, &past, &server).await;
    let back = beside(data);
    backend::name(back.path(), &topics).unwrap();
    let running = tell(back.path(), &TO_FOLDER).await;
    assert_said(&running, 1, &["runs at the log: stop it first"]);
    node.stop().await.unwrap();
    assert_said(&tell(moved.path(), &["verify"]).await, 0, &[" 0 differ from a rebuild"]);

    let before = rows(moved.path()).await;
    assert_said(&tell(back.path(), &TO_FOLDER).await, 0, &["copied"]);
    backend::forget(back.path()).unwrap();
    std::os::unix::fs::symlink(data.join("blobs"), back.path().join("blobs")).unwrap();
    assert!(before == rows(back.path()).await, "rows differ");
    let node = Node::start(back.path()).await.unwrap();
    let api = past.api.moved(node.address);
    let again = api.keyed("drawn").request(&past.anna, &id("draw"), &json!({})).await.unwrap();
    assert_eq!(again.json(), past.first.json());
    node.stop().await.unwrap();
    assert_said(&tell(back.path(), &["verify"]).await, 0, &[" 0 differ from a rebuild"]);
}

/// Changes a byte in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// A file of a folder, however deep.
fn some_file(folder: &Path) -> std::path::PathBuf {
    let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entry = entries.find(|path| path.is_dir() || path.metadata().unwrap().len() > 100).unwrap();
    if entry.is_dir() { some_file(&entry) } else { entry }
}

#[tokio::test]
async fn a_backup_of_a_running_node_is_restored_whole_and_goes_on() {
    let server = Server::start().await;
    let world = World::start_with(&file(&server), &PATIENT).await;
    let past = live(&world).await;
    let kept = tempfile::tempdir().unwrap();
    let to = kept.path().join("backup");
    let to = to.to_str().unwrap();
    // The node goes on while it is backed up; what is acknowledged before is in it.
    let bert = world.token("bert");
    let busy = async {
        for n in 0..50 {
            world.order(&bert, &json!({ "amount": n })).await;
        }
    };
    let (made, ()) = join(tell(world.data(), &["backup", "--to", to]), busy).await;
    assert_said(&made, 0, &["a whole backup", "The master key is not in it"]);
    let again = tell(world.data(), &["backup", "--to", to]).await;
    assert_said(&again, 1, &["already: choose an empty folder"]);
    let checked = tell(world.data(), &["backup", "--verify", to]).await;
    assert_said(&checked, 0, &["a whole backup", "1 large payloads"]);
    assert!(!search(Path::new(to), &std::fs::read(world.data().join("master.key")).unwrap()));

    let is_kafka = backend::is_kafka();
    let folder = world.stop().await;
    let back = tempfile::tempdir().unwrap();
    if is_kafka {
        backend::name(back.path(), &backend::fresh(back.path()).unwrap()).unwrap();
    }
    // The keys may be kept elsewhere, and without them it is nothing.
    let keys = kept.path().join("elsewhere.jsonl");
    std::fs::rename(Path::new(to).join("keys.jsonl"), &keys).unwrap();
    assert_said(&tell(back.path(), &["restore", "--from", to]).await, 1, &["keys.jsonl"]);
    let restore = ["restore", "--from", to, "--keys", keys.to_str().unwrap()];
    std::fs::write(back.path().join("master.key"), format!("{}\n", "0".repeat(64))).unwrap();
    assert_said(&tell(back.path(), &restore).await, 1, &["the master key is another log's"]);
    std::fs::remove_file(back.path().join("master.key")).unwrap();
    let dry = tell(back.path(), &[&restore[..], &["--dry-run"]].concat()).await;
    assert_said(&dry, 0, &["a whole backup"]);
    let restored = tell(back.path(), &restore).await;
    assert_said(&restored, 0, &["restored", "put the master key into"]);
    assert_said(&tell(back.path(), &restore).await, 1, &["there is a log in"]);
    for file in ["master.key", "admin.key"] {
        std::fs::copy(folder.path().join(file), back.path().join(file)).unwrap();
    }
    let node = Node::start(back.path()).await.unwrap();
    // Orders that were sent meanwhile may be in it or not.
    let api = past.api.moved(node.address);
    until("every run", async || {
        let total = api.executions(API_KEY, "").await.unwrap();
        let ended = api.executions(API_KEY, "SUCCEEDED").await.unwrap();
        (total >= 2 * ORDERS as u64 + 3 && ended == total).then_some(())
    })
    .await;
    for run in past.runs.iter().take(5) {
        let path = format!("/task-history/workflow-executions/{}", text(&run["id"]));
        let known = call(&api, &path).await;
        assert_eq!(known["stepExecutions"], run["stepExecutions"]);
    }
    let again = api.keyed("drawn").request(&past.anna, &id("draw"), &json!({})).await.unwrap();
    assert_eq!(again.json(), past.first.json());
    node.stop().await.unwrap();
    assert_said(&tell(back.path(), &["verify"]).await, 0, &[" 0 differ from a rebuild"]);
}

/// Whether a file below a folder holds these bytes.
fn search(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        match path.is_dir() {
            true => search(&path, needle),
            false => memchr::memmem::find(&std::fs::read(&path).unwrap(), needle).is_some(),
        }
    })
}

#[tokio::test]
async fn a_damaged_backup_is_refused_by_the_name_of_the_file() {
    let server = Server::start().await;
    let world = World::start_with(&file(&server), &PATIENT).await;
    let anna = world.connected("anna").await;
    world.order(&anna, &json!({ "amount": 1, "note": "x".repeat(LARGE_BYTES) })).await;
    world.ended("", 1).await;
    let kept = tempfile::tempdir().unwrap();
    let to = kept.path().to_str().unwrap();
    assert_said(&tell(world.data(), &["backup", "--to", to]).await, 0, &[]);
    let blob = some_file(&kept.path().join("blobs/scopes"));
    let files =
        ["log/000000000001.log", "log/FORMAT", "keys.jsonl"].map(|name| kept.path().join(name));
    for file in files.into_iter().chain([blob.clone()]) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let whole = std::fs::read(&file).unwrap();
        damage(&file);
        let said = tell(world.data(), &["backup", "--verify", to]).await;
        assert_said(&said, 1, &[&name]);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
        std::fs::write(&file, whole).unwrap();
    }
    std::fs::remove_file(&blob).unwrap();
    let said = tell(world.data(), &["backup", "--verify", to]).await;
    assert_said(&said, 1, &["0 large payloads", "the 1 of the manifest"]);
    std::fs::remove_file(kept.path().join("manifest.json")).unwrap();
    let said = tell(world.data(), &["backup", "--verify", to]).await;
    assert_said(&said, 1, &["there is no whole backup here", "manifest.json"]);
}

#[tokio::test]
async fn a_log_is_restored_as_it_was_at_a_moment() {
    let server = Server::start().await;
    let world = World::start_with(&file(&server), &PATIENT).await;
    let anna = world.connected("anna").await;
    for n in 0..5 {
        world.order(&anna, &json!({ "amount": n })).await;
    }
    let ended = world.ended("", 5).await;
    let moment = ended.iter().map(|row| text(&row["dateEnded"])).max().unwrap();
    let seen = Instant::now();
    until("another millisecond", async || {
        (seen.elapsed() > Duration::from_millis(2)).then_some(())
    })
    .await;
    for n in 0..5 {
        world.order(&anna, &json!({ "amount": n })).await;
    }
    world.ended("", 10).await;
    let kept = tempfile::tempdir().unwrap();
    let (early, late) = (kept.path().join("early"), kept.path().join("late"));
    let (early, late) = (early.to_str().unwrap(), late.to_str().unwrap());
    let made = tell(world.data(), &["backup", "--to", early, "--until", &moment]).await;
    assert_said(&made, 0, &[&format!("up to {moment}")]);
    assert_said(&tell(world.data(), &["backup", "--to", late]).await, 0, &[]);
    let (api, folder) = (world.api.clone(), world.stop().await);
    for arguments in [
        vec!["restore", "--from", early],
        vec!["restore", "--from", late, "--until", &moment],
        vec!["restore", "--from", late],
    ] {
        let back = beside(folder.path());
        if backend::is_kafka() {
            backend::name(back.path(), &backend::fresh(back.path()).unwrap()).unwrap();
        }
        assert_said(&tell(back.path(), &arguments).await, 0, &["restored"]);
        let wanted = if arguments == ["restore", "--from", late] { 10 } else { 5 };
        let node = Node::start(back.path()).await.unwrap();
        let api = api.moved(node.address);
        until("every run", async || {
            let ended = api.executions(API_KEY, "SUCCEEDED").await.unwrap();
            (ended == wanted).then_some(())
        })
        .await;
        assert_eq!(api.executions(API_KEY, "").await.unwrap(), wanted, "{arguments:?}");
        node.stop().await.unwrap();
        assert_said(&tell(back.path(), &["verify"]).await, 0, &[" 0 differ from a rebuild"]);
    }
}
