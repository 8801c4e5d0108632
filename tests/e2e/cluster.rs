//! Several nodes at one log on Kafka: whatever becomes of one of them, callers are served, and
//! everything happens once.

use crate::project::{API_KEY, id, on_order, on_request, project};
use crate::world::until;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::harness::{Answer, Api, Node, Signer, backend, root, tools};

/// Enough that every node holds some of them.
pub(crate) const USERS: usize = 12;
const ORDERS: usize = 20;
/// Times that a client sends what has no good answer yet.
const SENDS_MAX: usize = 100;
const PAUSE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(60);

/// Says how many events stand of each kind, and of how many runs.
const COUNT_RUNS: &str = r"
import duckdb, json, pathlib, sys
db = duckdb.connect()
db.execute(pathlib.Path(sys.argv[1]).read_text())
rows = db.execute('''select name, count(*), count(distinct execution) from standing
    where name in ('ExecutionStarted', 'ExecutionFinished') group by all''').fetchall()
print(json.dumps({name: [events, runs] for name, events, runs in rows}))
";

pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// The project by each node.
    pub(crate) doors: Vec<Api>,
    signer: Signer,
    folder: TempDir,
}

impl Cluster {
    async fn start(count: usize) -> Self {
        Self::start_of(count, None).await
    }

    /// Nodes of another build, if one is given.
    pub(crate) async fn start_of(count: usize, build: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = |n: usize| folder.path().join(n.to_string());
        let give = |n: usize| build.map(|build| Node::give(&data(n), Some(build)).unwrap());
        give(0);
        backend::create(&data(0)).unwrap();
        let mut nodes = vec![Node::start(&data(0)).await.unwrap()];
        for n in 1..count {
            backend::join(&data(n), &data(0)).unwrap();
            give(n);
            nodes.push(Node::start(&data(n)).await.unwrap());
        }
        let answer = json!([{ "name": "answer",
            "response": { "status": 200, "body": { "n": "{{trigger.request.body.n}}" } } }]);
        let double = json!([{ "name": "double", "parameters": { "n": "{{trigger.event.amount}}" },
            "function": "function yourFunction({ n }) { return n * 2; }" }]);
        let workflows = [on_request("answer", &answer), on_order("double", &double)];
        let file = project("http://127.0.0.1:9", &workflows);
        let (api, signer) = Api::apply(&nodes[0], &data(0), &file).await.unwrap();
        let doors = nodes.iter().map(|node| api.moved(node.address)).collect();
        Self { nodes, doors, signer, folder }
    }

    pub(crate) fn data(&self, n: usize) -> PathBuf {
        self.folder.path().join(n.to_string())
    }

    /// Users with an account, each connected through another node, and known to all nodes.
    pub(crate) async fn users(&self) -> Vec<String> {
        let users = join_all((0..USERS).map(|n| async move {
            let token = self.signer.token(&format!("user-{n}")).unwrap();
            let door = &self.doors[n % self.doors.len()];
            until("a project that the node knows", async || {
                door.connect(&token, "custom.desk", &format!("user-{n}")).await.ok()
            })
            .await;
            for door in &self.doors {
                until("the account at every node", async || {
                    let me = door.call(hyper::Method::GET, "/sdk/me", &token, None).await.unwrap();
                    let desk = &me.json()["integrations"]["custom.desk"];
                    (desk["enabled"] == true).then_some(())
                })
                .await;
            }
            token
        }));
        users.await
    }
}

/// Sends through one of the doors, and, as a client is told to, again or through another one, until
/// it is taken.
pub(crate) async fn taken(
    doors: &[Api],
    n: usize,
    send: impl AsyncFn(Api) -> anyhow::Result<Answer>,
) {
    let key = format!("key-{n}");
    let mut last = String::new();
    for attempt in 0..SENDS_MAX {
        let door = doors[(n + attempt) % doors.len()].keyed(&key);
        match send(door).await {
            Ok(answer) if (200..300).contains(&answer.status) => return,
            Ok(answer) if [429, 503].contains(&answer.status) => last = answer.shown(),
            Ok(answer) => panic!("{}", answer.shown()),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{SENDS_MAX} times: {last}");
}

/// Every user orders and asks, through every door, while something happens.
async fn storm<T>(doors: &[Api], tokens: &[String], incident: impl Future<Output = T>) -> T {
    let clients = tokens.iter().enumerate().map(|(user, token)| async move {
        for order in 0..ORDERS {
            let n = user * ORDERS + order;
            let payload = json!({ "id": n.to_string(), "amount": n });
            let event = async |door: Api| door.event(token, "Order Placed", &payload).await;
            taken(doors, n, event).await;
            let asked = json!({ "n": n });
            taken(doors, 10_000 + n, async |door| {
                let answer = door.request(token, &id("answer"), &asked).await?;
                assert!(answer.status != 200 || answer.json()["n"] == n, "{}", answer.shown());
                Ok(answer)
            })
            .await;
        }
    });
    let (happened, _) = join(incident, join_all(clients)).await;
    happened
}

/// Every order and every question led to one run, as each of these nodes tells.
async fn assert_once(doors: &[Api]) {
    assert_runs(doors, (2 * USERS * ORDERS) as u64).await;
}

/// So many runs came to a good end, and there are no others, as each of these nodes tells.
pub(crate) async fn assert_runs(doors: &[Api], wanted: u64) {
    for door in doors {
        let begun = Instant::now();
        while door.executions(API_KEY, "SUCCEEDED").await.ok() != Some(wanted) {
            if begun.elapsed() > PATIENCE {
                let mut counts = Vec::new();
                for status in ["", "SUCCEEDED", "EXECUTING", "DELAYED", "FAILED"] {
                    counts.push((status, door.executions(API_KEY, status).await));
                }
                panic!("not {wanted} runs that succeeded: {counts:?}");
            }
            tokio::time::sleep(PAUSE).await;
        }
        assert_eq!(door.executions(API_KEY, "").await.unwrap(), wanted);
    }
}

/// The rows of a stopped node are what the log says.
pub(crate) async fn assert_rows(data: &Path) {
    let verified = Node::tell(data, &["verify"]).await.unwrap();
    let is_right = verified.out.contains(" 0 differ from a rebuild");
    assert!(is_right, "{}{}", verified.out, verified.err);
}

/// The query for analysts finds each of these runs begun and ended once.
async fn assert_countable(cluster: &Cluster, wanted: u64) {
    let topics = backend::topics(&cluster.data(0)).unwrap().unwrap();
    let registry = format!("http://{}/registry", cluster.nodes[0].address);
    let python = tools().join("python/bin/python");
    let exported = tokio::process::Command::new(&python)
        .args(["-W", "ignore"])
        .arg(root().join("ops/analytics/export_events.py"))
        .args(["--brokers", &topics.brokers, "--prefix", &topics.prefix, "--registry", &registry])
        .output()
        .await
        .unwrap();
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    std::fs::write(cluster.folder.path().join("events.jsonl"), exported.stdout).unwrap();
    let counted = tokio::process::Command::new(&python)
        .arg("-c")
        .arg(COUNT_RUNS)
        .arg(root().join("ops/analytics/standing.sql"))
        .current_dir(cluster.folder.path())
        .output()
        .await
        .unwrap();
    assert!(counted.status.success(), "{}", String::from_utf8_lossy(&counted.stderr));
    let counted: Value = serde_json::from_slice(&counted.stdout).unwrap();
    let expected =
        json!({ "ExecutionStarted": [wanted, wanted], "ExecutionFinished": [wanted, wanted] });
    assert_eq!(counted, expected);
}

/// A stranger's client, with the registry that a node answers, decodes every record.
async fn assert_readable(cluster: &Cluster) {
    let topics = backend::topics(&cluster.data(0)).unwrap().unwrap();
    let registry = format!("http://{}/registry", cluster.nodes[0].address);
    let read = tokio::process::Command::new(tools().join("python/bin/python"))
        .args(["-W", "ignore"])
        .arg(root().join("tests/reader/read_topics.py"))
        .args(["--brokers", &topics.brokers, "--prefix", &topics.prefix, "--registry", &registry])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
    let counted: Value = serde_json::from_slice(&read.stdout).unwrap();
    // Executions, and what nodes say about themselves.
    let runs = (2 * USERS * ORDERS) as u64;
    assert!(counted["225"].as_u64().is_some_and(|ended| ended >= runs), "{counted}");
    assert!(counted["301"].as_u64().is_some_and(|beats| beats > 3), "{counted}");
}

#[tokio::test]
async fn any_node_takes_and_answers_anything() {
    let mut cluster = Cluster::start(3).await;
    let tokens = cluster.users().await;
    storm(&cluster.doors, &tokens, async {}).await;
    assert_once(&cluster.doors).await;
    assert_readable(&cluster).await;
    for node in cluster.nodes.drain(..) {
        node.stop().await.unwrap();
    }
    for n in 0..3 {
        assert_rows(&cluster.data(n)).await;
    }
}

#[tokio::test]
async fn a_node_with_another_master_key_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let (first, other) = (folder.path().join("first"), folder.path().join("other"));
    let topics = backend::create(&first).unwrap();
    let node = Node::start(&first).await.unwrap();
    std::fs::create_dir(&other).unwrap();
    backend::name(&other, &topics).unwrap();
    let refused = Node::start(&other).await.err().unwrap().to_string();
    assert!(refused.contains("master.key is not the log's master key"), "{refused}");
    std::fs::copy(first.join("master.key"), other.join("master.key")).unwrap();
    let second = Node::start(&other).await.unwrap();
    second.stop().await.unwrap();
    node.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_node_held_goes_on_elsewhere() {
    let mut cluster = Cluster::start(3).await;
    let tokens = cluster.users().await;
    let killed = cluster.nodes.pop().unwrap();
    storm(&cluster.doors, &tokens, async { killed.kill().await.unwrap() }).await;
    assert_once(&cluster.doors[..2]).await;
    cluster.nodes.remove(0).stop().await.unwrap();
    assert_rows(&cluster.data(0)).await;
}

#[tokio::test]
async fn nodes_are_restarted_one_after_the_other_and_clients_see_no_error() {
    let mut cluster = Cluster::start(2).await;
    let tokens = cluster.users().await;
    let (doors, folder) = (cluster.doors.clone(), cluster.data(0));
    let joined: Vec<PathBuf> = (2..4).map(|n| cluster.data(n)).collect();
    let leaving = std::mem::take(&mut cluster.nodes);
    let rolled = storm(&doors[..1], &tokens, async {
        // A new one comes before an old one leaves; clients keep to the first door until the end.
        let mut nodes: Vec<Node> = leaving.into_iter().collect();
        for data in &joined {
            backend::join(data, &folder).unwrap();
            nodes.push(Node::start(data).await.unwrap());
        }
        nodes.remove(1).stop().await.unwrap();
        nodes
    });
    let nodes = rolled.await;
    let doors: Vec<Api> = nodes.iter().map(|node| doors[0].moved(node.address)).collect();
    assert_once(&doors).await;
}

#[tokio::test]
async fn a_node_that_sleeps_and_wakes_late_does_no_harm() {
    let cluster = Cluster::start(3).await;
    let tokens = cluster.users().await;
    let (sleeper, awake) = (&cluster.nodes[2], &cluster.doors[..2]);
    sleeper.freeze().unwrap();
    storm(awake, &tokens, async {
        // Every user is served: others hold what it held.
        for (n, token) in tokens.iter().enumerate() {
            let asked = json!({ "n": n });
            let answer = awake[0].request(token, &id("answer"), &asked).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.shown());
        }
        sleeper.thaw().unwrap();
    })
    .await;
    let wanted = (2 * USERS * ORDERS + tokens.len()) as u64;
    assert_runs(&cluster.doors, wanted).await;
    assert_countable(&cluster, wanted).await;
}
