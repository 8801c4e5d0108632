//! A running node with a project, as its callers see it.

use crate::description::Seen;
use crate::project::{API_KEY, DESK};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tests::harness::{Answer, Api, Client, Node, Signer};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// A node on a folder of its own, with a project.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) api: Api,
    /// What was answered so far. Every answer is held against the description.
    pub(crate) seen: Seen,
    signer: Signer,
    // The last to be dropped: the node writes to it as long as it runs.
    folder: TempDir,
}

impl World {
    pub(crate) async fn start(project: &Value) -> Self {
        Self::start_with(project, &[]).await
    }

    /// With further settings of the node.
    pub(crate) async fn start_with(project: &Value, settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), project, settings).await
    }

    /// In a folder that holds something already.
    pub(crate) async fn start_in(
        folder: TempDir,
        project: &Value,
        settings: &[(&str, &str)],
    ) -> Self {
        let node = Node::start_with(folder.path(), settings).await.unwrap();
        let (mut api, signer) = Api::apply(&node, folder.path(), project).await.unwrap();
        let seen = Seen::default();
        api.client = Client::watched(seen.watch());
        Self { node, api, seen, signer, folder }
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Stops the node and keeps its folder.
    pub(crate) async fn stop(self) -> TempDir {
        self.node.stop().await.unwrap();
        self.folder
    }

    /// Stops the node, and starts another one in its folder.
    pub(crate) async fn restarted(self) -> Self {
        let Self { node, api, seen, signer, folder } = self;
        node.stop().await.unwrap();
        Self::again(folder, (api, seen, signer)).await
    }

    /// Kills the node, and starts another one in its folder.
    pub(crate) async fn killed(self) -> Self {
        let Self { node, api, seen, signer, folder } = self;
        node.kill().await.unwrap();
        Self::again(folder, (api, seen, signer)).await
    }

    async fn again(folder: TempDir, (api, seen, signer): (Api, Seen, Signer)) -> Self {
        let node = Node::start(folder.path()).await.unwrap();
        let api = api.moved(node.address);
        Self { node, api, seen, signer, folder }
    }

    pub(crate) fn token(&self, user: &str) -> String {
        self.signer.token(user).unwrap()
    }

    /// The token of a user who has an account at [`DESK`]; its provider id is the user's name.
    pub(crate) async fn connected(&self, user: &str) -> String {
        let token = self.token(user);
        self.api.connect(&token, DESK, user).await.unwrap();
        token
    }

    /// Sends a request below the project's address.
    pub(crate) async fn call(&self, method: &str, path: &str, token: &str) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.api.call(method, path, token, None).await.unwrap()
    }

    /// Posts bytes with headers below the project's address.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let mut request = Request::post(self.api.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.api.client.send(request.body(Full::new(body)).unwrap()).await.unwrap()
    }

    /// Sends a request to any address of the node, without a token.
    pub(crate) async fn open(&self, method: &str, path: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.node.address))
            .body(Full::default());
        self.api.client.send(request.unwrap()).await.unwrap()
    }

    /// Follows a link with the key of the Task History API.
    pub(crate) async fn open_with_key(&self, url: &str) -> Answer {
        let key = format!("Bearer {API_KEY}");
        let request = Request::get(url).header("authorization", key).body(Full::default());
        self.api.client.send(request.unwrap()).await.unwrap()
    }

    /// Sends a request to the admin API, below `/admin/v1/projects/<id>`.
    pub(crate) async fn admin(&self, method: &str, path: &str) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.api.admin(method, path, &self.admin_key()).await.unwrap()
    }

    /// The same with an `Idempotency-Key`, unless it is empty, and a body, unless it is null.
    pub(crate) async fn admin_with(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Answer {
        let (address, project) = (self.node.address, &self.api.project);
        let url = format!("http://{address}/admin/v1/projects/{project}{path}");
        let mut request = Request::builder().method(method).uri(url);
        request = request.header("authorization", format!("Bearer {}", self.admin_key()));
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.api.client.send(request.body(Full::from(body)).unwrap()).await.unwrap()
    }

    pub(crate) fn admin_key(&self) -> String {
        let key = std::fs::read_to_string(self.data().join("admin.key")).unwrap();
        key.trim().to_owned()
    }

    /// Sends an app event that must be taken.
    pub(crate) async fn order(&self, token: &str, payload: &Value) {
        let answer = self.api.event(token, "Order Placed", payload).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.shown());
    }

    /// A page of Task History: `?…` or nothing.
    pub(crate) async fn history(&self, filter: &str) -> Value {
        let path = format!("/task-history/workflow-executions{filter}");
        let answer = self.call("GET", &path, API_KEY).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        answer.json()
    }

    /// Waits until so many executions that a filter lets pass have ended; gives them.
    pub(crate) async fn ended(&self, filter: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} ended executions of {filter}"), async || {
            let page = self.history(filter).await;
            let rows = page["workflowExecutions"].as_array().cloned().unwrap_or_default();
            let ended = rows.iter().filter(|row| !row["dateEnded"].is_null()).count();
            (ended >= count).then_some(rows)
        })
        .await
    }

    /// Waits until an execution has ended; gives it with its steps.
    pub(crate) async fn run(&self, execution: &str) -> Value {
        until(&format!("the end of {execution}"), async || {
            let run = self.peek(execution).await?;
            (!run["dateEnded"].is_null()).then_some(run)
        })
        .await
    }

    /// An execution with its steps, if it is there yet.
    pub(crate) async fn peek(&self, execution: &str) -> Option<Value> {
        let path = format!("/task-history/workflow-executions/{execution}");
        let answer = self.call("GET", &path, API_KEY).await;
        (answer.status == 200).then(|| answer.json())
    }

    /// What a step of a run took in and gave; 0 is the trigger.
    pub(crate) async fn step(&self, run: &Value, index: usize) -> Value {
        let (run_id, step) = (text(&run["id"]), text(&run["stepExecutions"][index]["id"]));
        let path = format!("/task-history/workflow-executions/{run_id}/step-executions/{step}");
        let answer = self.call("GET", &path, API_KEY).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        answer.json()
    }

    /// What one attempt of a step took in and gave, counted from 1.
    pub(crate) async fn attempt(&self, run: &Value, index: usize, number: usize) -> Value {
        let (run_id, step) = (text(&run["id"]), text(&run["stepExecutions"][index]["id"]));
        let path = format!(
            "/task-history/workflow-executions/{run_id}/step-executions/{step}?attempt={number}"
        );
        let answer = self.call("GET", &path, API_KEY).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        answer.json()
    }

    /// Runs a workflow that a request triggers and that does not respond; waits for its end.
    pub(crate) async fn run_through(&self, token: &str, workflow: &str, body: &Value) -> Value {
        let answer = self.api.request(token, workflow, body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.shown());
        self.run(&text(&answer.json()["executionId"])).await
    }

    /// Applies another project file of the same project.
    pub(crate) async fn reapply(&self, project: &Value) {
        Api::apply(&self.node, self.data(), project).await.unwrap();
    }

    /// A page of webhooks: `?…` or nothing.
    pub(crate) async fn inbox(&self, filter: &str) -> Value {
        let answer = self.admin("GET", &format!("/webhooks{filter}")).await;
        assert_eq!(answer.status, 200, "{}", answer.shown());
        answer.json()
    }

    /// The resident memory of the node, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let pid = self.node.pid().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
    }
}

/// Looks again and again until there is something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// A JSON string as text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Asserts that an answer is an error as clients parse it, and gives its name.
pub(crate) fn error_of(answer: &Answer) -> String {
    let body = answer.json();
    let context = answer.shown();
    assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{context}");
    assert!(body["code"].is_string(), "{context}");
    assert_eq!(body["status"], json!(answer.status), "{context}");
    assert!(body["meta"].is_object(), "{context}");
    assert_eq!(answer.header("content-type"), "application/json", "{context}");
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{context}");
    text(&body["meta"]["error"])
}

/// Asserts that an answer is this error.
pub(crate) fn assert_error(answer: &Answer, status: u16, name: &str) {
    assert_eq!((answer.status, error_of(answer).as_str()), (status, name), "{}", answer.shown());
}
