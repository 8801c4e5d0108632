//! The command line: what it says, what it changes, how it ends.

use crate::project::{API_KEY, on_order, on_request, project};
use crate::world::{World, until};
use serde_json::{Value, json};
use std::path::Path;
use tests::harness::{Node, Said, backend, root};

async fn tell(data: &Path, arguments: &[&str]) -> Said {
    Node::tell(data, arguments).await.unwrap()
}

fn steps() -> Value {
    json!([{ "name": "double", "function": "function yourFunction({ n }) { return n * 2; }",
        "parameters": { "n": "{{trigger.event.amount}}" } }])
}

fn small() -> Value {
    project("http://127.0.0.1:9", &[on_order("double", &steps())])
}

async fn apply(world: &World, text: &str, more: &[&str]) -> Said {
    let file = world.data().join("file.yaml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_string_lossy().into_owned();
    tell(world.data(), &[&["apply", path.as_str()], more].concat()).await
}

#[tokio::test]
async fn every_command_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    let commands: [&[&str]; 14] = [
        &[],
        &["serve"],
        &["apply"],
        &["copy"],
        &["backup"],
        &["restore"],
        &["doctor"],
        &["token"],
        &["log"],
        &["log", "tail"],
        &["log", "grep"],
        &["rebuild"],
        &["verify"],
        &["schemas"],
    ];
    for command in commands {
        let said = tell(folder.path(), &[command, &["--help"]].concat()).await;
        assert_eq!(said.code, Some(0), "{command:?}: {}", said.err);
        assert!(said.out.contains("Usage: millrace"), "{command:?}: {}", said.out);
        let about = said.out.lines().next().unwrap_or_default();
        assert!(about.len() > 15 && !about.starts_with("Usage"), "{command:?}: {about:?}");
        assert!(said.err.is_empty(), "{command:?}: {}", said.err);
    }
    let all = tell(folder.path(), &["--help"]).await.out;
    let names = ["serve", "apply", "token", "log", "rebuild", "verify", "schemas"];
    for name in names.into_iter().chain(["copy", "backup", "restore", "doctor"]) {
        assert!(all.contains(&format!("  {name} ")), "{name} is not in {all}");
    }
    let version = tell(folder.path(), &["--version"]).await;
    assert_eq!((version.code, version.out.starts_with("millrace ")), (Some(0), true));
    let written = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let written: Vec<_> = written.filter(|name| name != "kafka-prefix").collect();
    assert!(written.is_empty(), "help wrote {written:?}");
}

#[tokio::test]
async fn a_slip_on_the_command_line_ends_with_two_and_says_what() {
    let folder = tempfile::tempdir().unwrap();
    let slips: [(&[&str], &str); 9] = [
        (&["serv"], "serve"),
        (&["apply"], "<FILE>"),
        (&["token"], "--user"),
        (&["log", "tail", "-n", "many"], "many"),
        (&["rebuild"], "--projection"),
        (&["copy", "--from", "embedded"], "--to"),
        (&["backup"], "--to"),
        (&["restore", "--from", "x", "--until", "noon"], "2026-01-31"),
        (&["rebuild", "--all", "--projection", "history"], "--all"),
    ];
    for (arguments, hint) in slips {
        let said = tell(folder.path(), arguments).await;
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(hint), "{arguments:?}: {}", said.err);
    }
    let failures: [(&[&str], &str); 8] = [
        (&["apply", "nowhere.yaml"], "nowhere.yaml"),
        (&["token", "--user", "anna"], "keys"),
        (&["log", "tail"], if backend::is_kafka() { "master.key" } else { "no log" }),
        (&["--config", "nowhere.toml", "serve"], "nowhere.toml"),
        (&["rebuild", "--projection", "histroy"], "histroy"),
        (&["copy", "--from", "kafka", "--to", "kafka"], "to kafka, or from kafka"),
        (&["restore", "--from", "nowhere"], "nowhere/manifest.json"),
        (&["backup", "--verify", "nowhere"], "nowhere/manifest.json"),
    ];
    for (arguments, hint) in failures {
        let said = tell(folder.path(), arguments).await;
        assert_eq!(said.code, Some(1), "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(hint), "{arguments:?}: {}", said.err);
    }
}

#[tokio::test]
async fn unknown_settings_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    for (text, hint) in [
        ("[http]\nlisten_at = \"x\"\n", "listen_at"),
        ("[http]\nbody_bytes_max = \"large\"\n", "body_bytes_max"),
        ("[colour]\nred = 1\n", "colour"),
        ("[http\n", "settings.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        let path = file.to_string_lossy().into_owned();
        let said = tell(&folder.path().join("data"), &["--config", &path, "serve"]).await;
        assert_eq!(said.code, Some(1), "{text}: {}", said.err);
        assert!(said.err.contains(hint), "{text}: {}", said.err);
    }
}

const MISTAKEN: &str = r#"project: { id: 7f9c24e8-3b12-4fef-91e0-56a2d5a5a5a5, name: Tests, concurrency: many }
signing_keys: { generate: true }
app_events:
  Order Placed: { id: order-1 }
integrations:
  - type: custom.desk
    name: Desk
    base_url: not a url
workflows:
  - workflow: first
    integration: custom.dask
    trigger: { app_event: Order Placed }
    steps:
      - name: pick
        functoin: function yourFunction() {}
      - name: ask
        request: { url: "{{later.result}}", verb: POST }
      - name: later
        function: function yourFunction() {}
      - name: later
        delay: { value: 1, unit: fortnights }
  - workflow: second
    integration: custom.desk
    trigger: { app_event: Order Placed }
    steps:
      - name: wait
        delay: { value: 1 }
        auto_retry: true
"#;

#[tokio::test]
async fn every_mistake_of_a_file_is_told_at_once_with_its_place_and_mend() {
    let world = World::start(&small()).await;
    let before = tell(world.data(), &["apply", "--dry-run", &path_of(&world)]).await;
    let said = apply(&world, MISTAKEN, &[]).await;
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    let lines: Vec<&str> = said.err.lines().collect();
    let last = lines.last().unwrap();
    assert!(last.ends_with("mistakes; nothing was changed"), "{}", said.err);
    // Line by line: what is wrong there, and a word of the mend.
    let expected = [
        (1, "number"),
        (8, "https://"),
        (11, "custom.desk"),
        (15, "function"),
        (17, "method"),
        (17, "later"),
        (20, "later"),
        (21, "fortnights"),
        (28, "auto_retry"),
    ];
    for (line, word) in expected {
        let place = format!("file.yaml:{line}:");
        let found = lines.iter().any(|told| told.contains(&place) && told.contains(word));
        assert!(found, "line {line} ({word}) is not told:\n{}", said.err);
    }
    for told in &lines[..lines.len() - 1] {
        let (place, rest) = told.split_once(' ').unwrap();
        let numbers: Vec<&str> = place.rsplitn(3, ':').collect();
        assert!(numbers[2].ends_with("file.yaml"), "{told}");
        assert!(numbers[..2].iter().all(|number| number.parse::<u32>().is_ok()), "{told}");
        assert!(rest.contains(": ") && rest.contains("; "), "no mend: {told}");
    }
    let after = tell(world.data(), &["apply", "--dry-run", &path_of(&world)]).await;
    assert_eq!(before.out, after.out);
    let token = world.connected("anna").await;
    world.order(&token, &json!({ "amount": 4 })).await;
    world.ended("", 1).await;
}

fn path_of(world: &World) -> String {
    world.data().join("project.json").to_string_lossy().into_owned()
}

#[tokio::test]
async fn what_is_no_yaml_at_all_is_told_with_its_place() {
    let world = World::start(&small()).await;
    let cases =
        ["a: [1, 2\nb: 3\n", "\t- x: {\n", "project: *nowhere\n", "", "- 1\n", "\u{0}", "%%%\n"];
    for text in cases {
        let said = apply(&world, text, &[]).await;
        assert_eq!(said.code, Some(2), "{text:?}: {}{}", said.out, said.err);
        assert!(said.err.contains("file.yaml:"), "{text:?}: {}", said.err);
    }
    let bomb = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned()
        + &(0..12).fold(String::new(), |text, n| {
            let (new, old) = (char::from(b'b' + n), char::from(b'a' + n));
            let eight = vec![format!("*{old}"); 8].join(", ");
            format!("{text}{new}: &{new} [{eight}]\n")
        });
    let said = apply(&world, &bomb, &[]).await;
    assert_eq!(said.code, Some(2), "a bomb of aliases: {}", said.err);
}

#[tokio::test]
async fn a_dry_run_prints_the_difference_and_changes_nothing() {
    let world = World::start(&small()).await;
    let mut file = small();
    file["project"]["name"] = json!("Other");
    file["app_events"]["Order Paid"] = json!({ "id": 1 });
    file["workflows"].as_array_mut().unwrap().push(on_request("second", &steps_of_request()));
    let text = file.to_string();
    let dry = apply(&world, &text, &["--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{}", dry.err);
    for word in ["Order Paid", "second", "would change"] {
        assert!(dry.out.contains(word), "{word}: {}", dry.out);
    }
    let token = world.token("anna");
    let answer = world.api.event(&token, "Order Paid", &json!({})).await.unwrap();
    assert_eq!(answer.status, 404, "{}", answer.shown());
    assert_eq!(apply(&world, &text, &["--dry-run"]).await.out, dry.out);
    let real = apply(&world, &text, &[]).await;
    assert_eq!((real.code, real.out.contains("applied")), (Some(0), true), "{}", real.out);
    let answer = world.api.event(&token, "Order Paid", &json!({})).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.shown());
    let again = apply(&world, &text, &["--dry-run"]).await;
    assert!(again.out.contains(": 0 would change"), "{}", again.out);
}

fn steps_of_request() -> Value {
    json!([{ "name": "answer", "response": { "status": 200, "body": { "ok": true } } }])
}

#[tokio::test]
async fn a_second_node_on_a_folder_is_refused_by_name() {
    let mut world = World::start(&small()).await;
    let said = tell(world.data(), &["serve"]).await;
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    let pid = world.node.pid().unwrap().to_string();
    assert!(said.err.contains(&pid), "it does not name process {pid}: {}", said.err);
    assert!(!said.out.contains("listens"), "{}", said.out);
    for command in [&["verify"][..], &["rebuild", "--all"]] {
        let said = tell(world.data(), command).await;
        assert_eq!(said.code, Some(1), "{command:?}: {}{}", said.out, said.err);
    }
    assert_eq!(world.node.ended().unwrap(), None, "the first one fell over");
    let token = world.connected("anna").await;
    world.order(&token, &json!({ "amount": 4 })).await;
    world.ended("", 1).await;
}

#[tokio::test]
async fn the_log_is_read_as_json_lines_by_user_execution_type_and_time() {
    let world = World::start(&small()).await;
    let (anna, bert) = (world.connected("anna").await, world.connected("bert").await);
    for amount in [1, 2] {
        world.order(&anna, &json!({ "amount": amount, "note": "a sealed word" })).await;
    }
    world.order(&bert, &json!({ "amount": 3 })).await;
    let rows = world.ended("?userId=anna", 2).await;
    world.ended("", 3).await;
    let execution = rows[0]["id"].as_str().unwrap().to_owned();
    // Beside the running node.
    let live = ["log", "grep", "--user", "anna", "--type", "ExecutionStarted"];
    let live = tell(world.data(), &live).await;
    assert_eq!((live.code, live.out.lines().count()), (Some(0), 2), "{}", live.err);
    let folder = world.stop().await;
    let data = folder.path();
    let lines = async |arguments: &[&str]| -> Vec<Value> {
        let said = tell(data, &[&["log"], arguments].concat()).await;
        assert!(matches!(said.code, Some(0 | 1)), "{arguments:?}: {}", said.err);
        assert!(!said.out.contains('\x1b'), "colours in a pipe");
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = lines(&["grep"]).await;
    assert!(all.len() > 20);
    for line in &all {
        for field in ["stream", "partition", "offset", "type", "id", "at", "key", "command"] {
            assert!(!line[field].is_null(), "{field} of {line}");
        }
    }
    assert!(all.windows(2).all(|two| two[0]["at"].as_i64() <= two[1]["at"].as_i64()));
    assert_eq!(lines(&["tail", "-n", "3"]).await, all[all.len() - 3..]);
    let of_anna = lines(&["grep", "--user", "anna", "--type", "ExecutionStarted"]).await;
    assert_eq!(of_anna.len(), 2);
    let shown = lines(&["show", &execution]).await;
    assert!(shown.iter().all(|line| line["execution"] == json!(execution)));
    let types: Vec<&str> = shown.iter().filter_map(|line| line["type"].as_str()).collect();
    for kind in ["ExecutionStarted", "StepReady", "StepSucceeded", "ExecutionFinished"] {
        assert!(types.contains(&kind), "{kind} is not in {types:?}");
    }
    assert_eq!(lines(&["grep", "--execution", &execution]).await, shown);
    let middle = all[all.len() / 2]["at"].as_i64().unwrap();
    let early = lines(&["grep", "--until", &(middle - 1).to_string()]).await;
    let late = lines(&["grep", "--since", &middle.to_string()]).await;
    assert_eq!(early.len() + late.len(), all.len());
    let nothing = tell(data, &["log", "grep", "--user", "nobody"]).await;
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(1), ""));
    // Sealed, unless asked for; and asking is recorded.
    let plain = tell(data, &["log", "grep", "--user", "anna"]).await;
    assert!(!plain.out.contains("a sealed word"), "{}", plain.out);
    assert!(lines(&["grep", "--type", "RecordUnsealing"]).await.is_empty());
    let unsealed = tell(data, &["log", "grep", "--user", "anna", "--unseal"]).await;
    assert!(unsealed.out.contains("a sealed word"), "{}", unsealed.out);
    // No node runs: the next one decides it.
    let recorded = lines(&["grep", "--type", "RecordUnsealing"]).await;
    assert_eq!(recorded.len(), 1);
    assert!(recorded[0]["body"]["filter"].as_str().unwrap().contains("anna"), "{recorded:?}");
    assert_eq!(recorded[0]["body"]["command"], "log grep");
}

#[tokio::test]
async fn who_looks_into_sealed_payloads_beside_a_node_is_in_the_log_first() {
    let world = World::start(&small()).await;
    let token = world.connected("anna").await;
    world.order(&token, &json!({ "note": "a sealed word" })).await;
    world.ended("", 1).await;
    let unsealed = tell(world.data(), &["log", "tail", "-n", "500", "--unseal"]).await;
    assert!(unsealed.out.contains("a sealed word"), "{}{}", unsealed.out, unsealed.err);
    let recorded = tell(world.data(), &["log", "grep", "--type", "PayloadsUnsealed"]).await;
    let line: Value = serde_json::from_str(recorded.out.trim()).unwrap();
    assert_eq!((&line["stream"], &line["body"]["command"]), (&json!("config"), &json!("log tail")));
    assert!(!line["body"]["who"].as_str().unwrap().is_empty());
    if backend::is_kafka() {
        // Whoever may write to the topics records it by themselves.
        let again = tell(world.data(), &["log", "tail", "--unseal"]).await;
        let recorded = again.out.matches("\"type\":\"RecordUnsealing\"").count();
        assert_eq!(recorded, 2, "{}", again.out);
        return;
    }
    // Without the admin key nothing can be recorded, so nothing is shown.
    std::fs::remove_file(world.data().join("admin.key")).unwrap();
    let refused = tell(world.data(), &["log", "tail", "--unseal"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(refused.err.contains("nothing is shown"), "{}", refused.err);
}

#[tokio::test]
async fn a_command_and_its_decision_need_not_share_a_commit() {
    let world = World::start_with(&small(), &[("LOG__TOGETHER", "false")]).await;
    let token = world.connected("anna").await;
    for amount in 0..5 {
        world.order(&token, &json!({ "amount": amount })).await;
    }
    world.ended("", 5).await;
    let folder = world.stop().await;
    let verified = tell(folder.path(), &["verify"]).await;
    assert!(verified.out.contains(" 0 differ from a rebuild"), "{}{}", verified.out, verified.err);
}

#[tokio::test]
async fn rows_are_verified_and_rebuilt_from_the_log() {
    let world = World::start(&small()).await;
    for user in ["anna", "bert", "cleo"] {
        let token = world.connected(user).await;
        for amount in 0..5 {
            world.order(&token, &json!({ "amount": amount })).await;
        }
    }
    world.ended("", 15).await;
    let before = world.history("").await;
    let port = world.node.address.port();
    let folder = world.stop().await;
    let data = folder.path();
    let verified = tell(data, &["verify"]).await;
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    let counted = verified.out.lines().last().unwrap().to_owned();
    assert!(counted.ends_with(" rows compared, 0 differ from a rebuild"), "{counted}");
    assert!(counted.split(' ').next().unwrap().parse::<u32>().unwrap() > 15, "{counted}");
    for arguments in [&["rebuild", "--projection", "history"][..], &["rebuild", "--all"]] {
        let said = tell(data, arguments).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {}{}", said.out, said.err);
    }
    // Lost altogether, they are made again at the start.
    std::fs::remove_dir_all(data.join("rows")).unwrap();
    let node = Node::start(data).await.unwrap();
    assert_ne!(port, 0);
    let api = tests::harness::Api {
        client: tests::harness::Client::default(),
        at: node.address,
        project: before_project(),
        idempotency_key: None,
    };
    let path = "/task-history/workflow-executions";
    let after = until("the same history", async || {
        let answer = api.call(hyper::Method::GET, path, API_KEY, None).await.unwrap();
        (answer.json()["total"] == 15).then(|| answer.json())
    })
    .await;
    assert_eq!(after["workflowExecutions"], before["workflowExecutions"]);
    node.stop().await.unwrap();
    let again = tell(data, &["verify"]).await;
    assert!(again.out.contains(" 0 differ from a rebuild"), "{}{}", again.out, again.err);
}

fn before_project() -> String {
    crate::project::id("project")
}

#[tokio::test]
async fn schemas_are_printed_with_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let said = tell(folder.path(), &["schemas"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let schemas: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ids: Vec<i64> = schemas.iter().map(|s| s["id"].as_i64().unwrap()).collect();
    assert!(ids.len() > 20, "{}", ids.len());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), schemas.len(), "an id comes twice");
    assert!(schemas.iter().all(|s| s["schema"]["type"] == "record"));
    let files = walk(&root().join("schemas"));
    assert!(files >= schemas.len(), "{files} files for {} schemas", schemas.len());
}

fn walk(folder: &Path) -> usize {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true => walk(&path),
            false => usize::from(path.extension().is_some_and(|e| e == "avsc")),
        })
        .sum()
}

#[tokio::test]
async fn a_token_of_the_command_line_is_good() {
    let world = World::start(&small()).await;
    let said = tell(world.data(), &["token", "--user", "anna"]).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let me = world.call("GET", "/sdk/me", said.out.trim()).await;
    assert_eq!((me.status, &me.json()["userId"]), (200, &json!("anna")));
    let old = tell(world.data(), &["token", "--user", "anna", "--life-s", "-60"]).await;
    let old = if old.code == Some(2) {
        tell(world.data(), &["token", "--user", "anna", "--life-s=-60"]).await
    } else {
        old
    };
    assert_eq!(world.call("GET", "/sdk/me", old.out.trim()).await.status, 401);
}
