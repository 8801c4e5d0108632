//! A disk without room: writes are refused, reads go on, and it heals by itself.

use crate::project::{API_KEY, on_order, project};
use crate::world::{assert_error, until};
use bytes::Bytes;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::harness::{Answer, Api, Node};

/// A disk of its own for the node, in a namespace of its own: nothing else sees it or fills it.
const DISK: [&str; 7] = [
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs -o size=96m disk \"$2\" && exec \"$0\" \"$@\"",
];
const BALLAST_BYTES: usize = 40 << 20;

/// The node's folder, as seen from outside of its namespace.
fn inside(node: &Node, data: &Path) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", node.pid().unwrap()));
    root.join(data.strip_prefix("/").unwrap())
}

async fn batch(api: &Api, token: &str, payload: &str) -> Answer {
    let event = json!({ "name": "Order Placed", "payload": { "id": payload } });
    let body = json!({ "events": vec![event; 20] });
    api.call(hyper::Method::POST, "/sdk/events/batch", token, Some(&body)).await.unwrap()
}

async fn get(api: &Api, path: &str, token: &str) -> Answer {
    api.call(hyper::Method::GET, path, token, None).await.unwrap()
}

#[tokio::test]
async fn a_full_disk_refuses_writes_serves_reads_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let settings = [("LOG__SEGMENT_BYTES", "4194304"), ("STORE__CACHE_BYTES", "1048576")];
    let mut node = Node::start_under(&DISK, data, &settings).await.unwrap();
    let disk = inside(&node, data);
    let steps = json!([{ "name": "f", "function": "function yourFunction() { return 1; }" }]);
    let mut workflow = on_order("f", &steps);
    workflow["default_enabled"] = json!(false);
    let file = project("http://127.0.0.1:9", &[workflow]);
    let (api, signer) = Api::apply(&node, &disk, &file).await.unwrap();
    let token = signer.token("anna").unwrap();
    api.connect(&token, "custom.desk", "anna").await.unwrap();
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![0u8; BALLAST_BYTES]).unwrap();
    // Under 32 KiB, so that it stays in the log.
    let payload = "x".repeat(30_000);
    let mut taken = 0;
    let refused = until("a full disk", async || {
        let answer = batch(&api, &token, &payload).await;
        taken += usize::from(answer.status == 201);
        (answer.status != 201).then_some(answer)
    })
    .await;
    assert_error(&refused, 503, "LOG_UNAVAILABLE");
    assert!(!refused.header("retry-after").is_empty());
    assert!(taken > 0, "the disk was full from the start");
    for _ in 0..3 {
        assert_error(&batch(&api, &token, &payload).await, 503, "LOG_UNAVAILABLE");
        let ready = open(&api, "/health/ready").await;
        assert_eq!(ready.status, 503, "{}", ready.shown());
        assert_eq!(open(&api, "/health/live").await.status, 200);
        let me = get(&api, "/sdk/me", &token).await;
        assert_eq!((me.status, &me.json()["userId"]), (200, &json!("anna")), "{}", me.shown());
        let history = get(&api, "/task-history/workflow-executions", API_KEY).await;
        assert_eq!(history.status, 200, "{}", history.shown());
    }
    assert_eq!(node.ended().unwrap(), None, "the node fell over");
    std::fs::remove_file(&ballast).unwrap();
    until("room again", async || (batch(&api, &token, "small").await.status == 201).then_some(()))
        .await;
    assert_eq!(node.ended().unwrap(), None, "the node fell over");
    until("readiness", async || (open(&api, "/health/ready").await.status == 200).then_some(()))
        .await;
    let metrics = read(&api, "/metrics").await;
    assert!(
        metrics.contains("millrace_http_refusals_total{code=\"LOG_UNAVAILABLE\"}"),
        "{metrics}"
    );
    // Everything that was taken is decided, and nothing else.
    let counted = until("every event", async || {
        let metrics = read(&api, "/metrics").await;
        let lag: u64 = values(&metrics, "millrace_projection_lag").iter().sum();
        (lag == 0).then_some(metrics)
    })
    .await;
    assert!(values(&counted, "millrace_log_end").iter().sum::<u64>() > taken as u64 * 20);
    api.connect(&token, "github", "7").await.unwrap();
    let me: Value = get(&api, "/sdk/me", &token).await.json();
    assert_eq!(me["integrations"]["github"]["enabled"], true);
}

async fn open(api: &Api, path: &str) -> Answer {
    let url = format!("http://{}{path}", api.at);
    let request = hyper::Request::get(url).body(http_body_util::Full::<Bytes>::default());
    api.client.send(request.unwrap()).await.unwrap()
}

async fn read(api: &Api, path: &str) -> String {
    String::from_utf8_lossy(&open(api, path).await.body).into_owned()
}

fn values(metrics: &str, name: &str) -> Vec<u64> {
    let lines = metrics.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
}
