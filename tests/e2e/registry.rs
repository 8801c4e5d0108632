//! The schemas of a log on Kafka in a registry that others keep.

use crate::console;
use crate::project::{API_KEY, on_order, project};
use crate::world::until;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use std::path::Path;
use tests::harness::{Api, Node, Said, backend, root, tools};

/// How often a user orders.
const ORDERS: usize = 5;

async fn migrate(data: &Path, registry: &str) -> Said {
    Node::tell_with(data, &["migrate"], &[("KAFKA__REGISTRY", registry)]).await.unwrap()
}

/// What a stranger's deserializer reads with a registry: how many records of each type, or topic.
async fn read(data: &Path, registry: &str, by: &str) -> Value {
    let topics = backend::topics(data).unwrap().unwrap();
    let read = tokio::process::Command::new(tools().join("python/bin/python"))
        .args(["-W", "ignore"])
        .arg(root().join("tests/reader/read_topics.py"))
        .args(["--brokers", &topics.brokers, "--prefix", &topics.prefix, "--registry", registry])
        .args(["--by", by])
        .output()
        .await
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

/// What another deserializer decodes for Kafka's console is all there is, in clear.
async fn assert_console_prints(data: &Path, registry: &str) {
    let counted = read(data, registry, "topic").await;
    let topics = backend::topics(data).unwrap().unwrap();
    let printed = console::printed(&topics, registry, &counted).await;
    let received = |record: &&Value| record["name"] == "Order Placed" && record["executions"] == 1;
    assert_eq!(printed["events"].iter().filter(received).count(), ORDERS, "{printed:?}");
}

#[tokio::test]
async fn records_begin_with_the_ids_of_the_registry_that_the_log_is_for() {
    let registry = backend::registry().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    backend::name(data, &backend::fresh(data).unwrap()).unwrap();
    let away = migrate(data, "http://127.0.0.1:9").await;
    assert_eq!((away.code, away.err.contains("check kafka.registry")), (Some(2), true), "{away:?}");
    let leaky = migrate(data, "http://anna:secret@127.0.0.1:9").await;
    assert_eq!((leaky.code, leaky.err.contains("kafka.registry_user")), (Some(1), true));
    assert!(!leaky.err.contains("secret"), "{leaky:?}");
    let made = migrate(data, &registry).await;
    assert_eq!((made.code, made.out.contains("register ")), (Some(0), true), "{made:?}");
    let again = migrate(data, &registry).await;
    assert_eq!((again.code, again.out.trim()), (Some(0), "nothing to do"), "{again:?}");

    let settings = [("KAFKA__REGISTRY", registry.as_str())];
    let node = Node::start_with(data, &settings).await.unwrap();
    let steps = json!([{ "name": "double", "parameters": { "n": "{{trigger.event.amount}}" },
        "function": "function yourFunction({ n }) { return n * 2; }" }]);
    let file = project("http://127.0.0.1:9", &[on_order("double", &steps)]);
    let (api, signer) = Api::apply(&node, data, &file).await.unwrap();
    let token = signer.token("anna").unwrap();
    api.connect(&token, "custom.desk", "anna").await.unwrap();
    for n in 0..ORDERS {
        let order = json!({ "id": n.to_string(), "amount": n });
        let answer = api.event(&token, "Order Placed", &order).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.shown());
    }
    until("an end of every run", async || {
        let ended = api.executions(API_KEY, "SUCCEEDED").await.ok()?;
        (ended == ORDERS as u64).then_some(())
    })
    .await;
    let counted = read(data, &registry, "type").await;
    // By Millrace's own ids, which stand in the headers.
    assert_eq!(counted["225"].as_u64(), Some(ORDERS as u64), "{counted}");
    let schema = Request::get(format!("http://{}/registry/schemas/ids/225", node.address));
    let answer = api.client.send(schema.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("REGISTRY_ELSEWHERE")));
    assert_eq!(answer.json()["meta"]["registry"], registry.as_str());

    // Another node reads what this one wrote.
    node.stop().await.unwrap();
    let node = Node::start_with(data, &settings).await.unwrap();
    let api = api.moved(node.address);
    until("the same history", async || {
        (api.executions(API_KEY, "SUCCEEDED").await.ok()? == ORDERS as u64).then_some(())
    })
    .await;
    node.stop().await.unwrap();
    assert_console_prints(data, &registry).await;
    let verified = Node::tell(data, &["verify"]).await.unwrap();
    assert!(verified.out.contains(" 0 differ from a rebuild"), "{verified:?}");
}

#[tokio::test]
async fn a_log_with_ids_of_its_own_does_not_become_one_for_a_registry() {
    let folder = tempfile::tempdir().unwrap();
    backend::create(folder.path()).unwrap();
    let refused = migrate(folder.path(), &backend::registry().unwrap()).await;
    let is_told = refused.err.contains("records of the log begin with Millrace's own ids");
    assert_eq!((refused.code, is_told), (Some(2), true), "{refused:?}");
}
