//! Every address, called with real data: the answers are what the description says, and nothing is
//! described that is never answered.

use crate::project::{API_KEY, DESK, GITHUB_SECRET, id, nobody, on_order, on_request, project};
use crate::world::{World, text, until};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use tests::harness::Delivery;

/// Operations that succeed only after the node died over something: `parked.rs` has that.
const AFTER_DEATHS: [&str; 2] = ["retryParked", "discardParked"];
/// Operations that cannot fail.
const WITHOUT_PROBLEMS: [&str; 2] = ["listSubjects", "readOpenApi"];

fn file() -> Value {
    let work = json!({ "name": "work",
        "function": "function yourFunction({ n }) { if (!n) throw new Error('no n'); return n; }",
        "parameters": { "n": "{{trigger.event.n}}" } });
    let nothing = json!({ "name": "f", "function": "function yourFunction() { return 1; }" });
    let wait = json!({ "name": "wait", "delay": { "value": 1, "unit": "hours" } });
    let answer = json!({ "name": "answer", "response": { "status": 200, "body": { "n": 1 } } });
    let mut file = project(
        "http://127.0.0.1:9",
        &[
            on_order("order", &json!([work])),
            on_request("accept", &json!([nothing])),
            on_request("answer", &json!([answer])),
            on_request("late", &json!([wait, answer])),
        ],
    );
    file["project"]["test_user"] = json!("anna");
    file["integrations"].as_array_mut().unwrap().push(json!({
        "type": "custom.drop", "name": "Drop", "base_url": "http://127.0.0.1:9",
        "webhook": { "scheme": "dropbox", "secret": "secret" },
    }));
    file
}

/// A node and somebody who calls every address of it.
struct Caller {
    world: World,
    token: String,
}

impl Caller {
    async fn start() -> Self {
        let settings = [("HTTP__RESPONSE_TIMEOUT_MS", "300")];
        let world = World::start_with(&file(), &settings).await;
        let token = world.token("anna");
        Self { world, token }
    }

    /// Sends a request that must be answered well; `{}` in the path is the project.
    async fn send(&self, call: &str, key: &str, body: impl Into<Bytes>) -> Value {
        let (method, path) = call.split_once(' ').unwrap();
        let path = path.replace("{}", &self.world.api.project);
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.world.node.address))
            .header("authorization", format!("Bearer {key}"))
            .body(Full::new(body.into()));
        let answer = self.world.api.client.send(request.unwrap()).await.unwrap();
        assert!(answer.status < 300, "{call}: {}", answer.shown());
        answer.json()
    }

    async fn user(&self, call: &str, body: impl Into<Bytes>) -> Value {
        self.send(call, &self.token, body).await
    }

    async fn team(&self, path: &str) -> Value {
        let call = format!("GET /projects/{{}}/task-history/workflow-executions{path}");
        self.send(&call, API_KEY, "").await
    }

    async fn admin(&self, call: &str, body: impl Into<Bytes>) -> Value {
        self.send(call, &self.world.admin_key(), body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.send(&format!("GET {path}"), "", "").await
    }

    /// Accounts and what is known of the user.
    async fn read_accounts(&self) {
        let connect = "POST /projects/{}/sdk/credentials";
        self.user("GET /projects/{}/sdk/me", "").await;
        let body = json!({ "integrationId": DESK, "payload": { "accessToken": "t" },
            "installOptions": { "externalId": "work" } });
        let account = self.user(connect, body.to_string()).await;
        let body = json!({ "integrationId": "github", "payload": {}, "providerId": 7 });
        self.user(connect, body.to_string()).await;
        let body = json!({ "meta": { "plan": "gold" } });
        self.user("PATCH /projects/{}/sdk/me", body.to_string()).await;
        self.user("GET /projects/{}/sdk/integrations", "").await;
        self.user("GET /projects/{}/sdk/metadata", "").await;
        self.user("GET /projects/{}/sdk/credentials", "").await;
        self.user(&format!("GET /projects/{{}}/sdk/credentials?integration={DESK}"), "").await;
        let read = format!("GET /projects/{{}}/sdk/credentials/{}", text(&account["id"]));
        self.user(&read, "").await;
        self.user("GET /sdk/projects/{}", "").await;
        let save = format!("PATCH /projects/{{}}/sdk/credentials/{}", text(&account["id"]));
        let settings = json!({ "config": { "sharedSettings": { "channel": "C1" } } });
        self.user(&save, settings.to_string()).await;
        let switch = format!("/projects/{{}}/sdk/workflows/{}", id("accept"));
        self.user(&format!("DELETE {switch}"), "").await;
        self.user(&format!("POST {switch}"), "").await;
    }

    /// Everything that starts a run, and one of each ending.
    async fn start_runs(&self) -> Value {
        let event = |n: u8| json!({ "name": "Order Placed", "payload": { "n": n } });
        self.user("POST /projects/{}/sdk/events/trigger", event(1).to_string()).await;
        self.user("POST /v2/projects/{}/sdk/events/trigger", event(0).to_string()).await;
        let batch = json!({ "events": [event(2), { "name": "Unheard Of" }] });
        let told = self.user("POST /projects/{}/sdk/events/batch", batch.to_string()).await;
        assert_eq!(
            (&told["results"][0]["status"], &told["results"][1]["code"]),
            (&json!(201), &json!("EVENT_UNKNOWN"))
        );
        let call = async |name: &str| {
            self.world.api.request(&self.token, &id(name), &json!({})).await.unwrap()
        };
        assert_eq!(call("accept").await.status, 202);
        assert_eq!(call("late").await.status, 542);
        until("an answer in time", async || (call("answer").await.status == 200).then_some(()))
            .await;
        call("late").await.json()["executionId"].clone()
    }

    /// Task History; `running` is a run that has not ended.
    async fn read_history(&self, running: &Value) {
        self.world.ended("", 4).await;
        let page = self.team("?sortBy=ASC").await;
        for run in page["workflowExecutions"].as_array().unwrap() {
            let run = self.team(&format!("/{}", text(&run["id"]))).await;
            for step in run["stepExecutions"].as_array().unwrap() {
                let (run, step) = (text(&run["id"]), text(&step["id"]));
                self.team(&format!("/{run}/step-executions/{step}")).await;
            }
        }
        let executions = "/admin/v1/projects/{}/executions";
        for what in ["pause", "resume", "cancel", "replay"] {
            let call = format!("POST {executions}/{}/{what}", text(running));
            self.admin(&call, "").await;
        }
        let test = format!("POST /admin/v1/projects/{{}}/workflows/{}/test", id("accept"));
        self.admin(&test, "").await;
        let versions = format!("/admin/v1/projects/{{}}/workflows/{}/versions", id("accept"));
        self.admin(&format!("GET {versions}?kind=deployed"), "").await;
        self.admin(&format!("PUT {versions}/1/name"), r#"{"name":"first"}"#).await;
        self.admin(&format!("POST {versions}/1/restore"), r#"{"deploy":true}"#).await;
        let many = json!({ "userId": "nobody", "ending": "FAILED" });
        self.admin(&format!("POST {executions}/replays"), many.to_string()).await;
        until("the end of a replay", async || {
            let all = self.admin(&format!("GET {executions}/replays"), "").await;
            (all["replays"][0]["isDone"] == true).then_some(())
        })
        .await;
        let replay = format!("/task-history/workflow-executions/{}/replay", text(running));
        assert_eq!(self.world.call("POST", &replay, API_KEY).await.status, 201);
        self.world.run(&text(running)).await;
    }

    /// Webhooks by each of their addresses, one of them forged.
    async fn send_webhooks(&self) {
        let sent = [
            ("github", GITHUB_SECRET, 200),
            ("github/", GITHUB_SECRET, 200),
            ("github/a/b", GITHUB_SECRET, 200),
            ("github", "another secret", 401),
        ];
        for (index, (at, secret, status)) in sent.into_iter().enumerate() {
            let id = index.to_string();
            let body = Bytes::from_static(b"{\"installation\":{\"id\":7}}");
            let delivery = Delivery { kind: "push", id: &id, account: "7", secret, body };
            let answer = self.world.api.webhook(at, delivery).await.unwrap();
            assert_eq!(answer.status, status, "{at}: {}", answer.shown());
        }
        for at in ["drop", "drop/", "drop/a/b"] {
            let at = format!("/triggers/connect/{{}}/custom.{at}?challenge=1");
            assert_eq!(self.send(&format!("GET {at}"), "", "").await, json!(1));
        }
        let list = "GET /admin/v1/projects/{}/webhooks";
        let page = until("four webhooks", async || {
            let page = self.admin(list, "").await;
            (page["total"] == 4).then_some(page)
        });
        let page = page.await;
        let many = json!({ "integration": "github", "name": "push" });
        let replays = "/admin/v1/projects/{}/webhooks/replays";
        self.admin(&format!("POST {replays}"), many.to_string()).await;
        until("the end of a replay", async || {
            let all = self.admin(&format!("GET {replays}"), "").await;
            (all["replays"][0]["isDone"] == true).then_some(())
        })
        .await;
        for webhook in page["webhooks"].as_array().unwrap() {
            let read = format!("{list}/{}", text(&webhook["id"]));
            let whole = self.admin(&read, "").await;
            assert!(whole["content"]["headers"].is_object(), "{whole}");
            let replay =
                format!("POST /admin/v1/projects/{{}}/webhooks/{}/replay", text(&webhook["id"]));
            self.admin(&format!("{replay}?despiteRefusal=true"), "").await;
        }
    }

    async fn administer(&self) {
        for switch in ["disable", "enable"] {
            let call = format!("POST /admin/v1/projects/{{}}/users/bert/{switch}");
            self.admin(&call, "").await;
        }
        self.admin("DELETE /admin/v1/projects/{}/users/bert", "").await;
        let mut other = file();
        other["project"]["id"] = json!(id("another project"));
        other["workflows"] = json!([]);
        other["api_keys"] = json!([{ "name": "made", "generate": true }]);
        let body = json!({ "document": other.to_string() }).to_string();
        self.admin("PUT /admin/v1/projects?dry_run=true", body.clone()).await;
        let applied = self.admin("PUT /admin/v1/projects", body).await;
        assert!(applied["apiKeys"]["made"].is_string() && applied["signingKey"].is_string());
        self.admin("GET /admin/v1/projects/{}/parked", "").await;
        let usage = self.admin("GET /admin/v1/projects/{}/usage", "").await;
        let month = text(&usage["months"][0]["month"]);
        self.admin(&format!("GET /admin/v1/projects/{{}}/usage/{month}"), "").await;
        self.admin("POST /admin/v1/api-keys", "").await;
        let looked = json!({ "who": "a test", "command": "export", "filter": "" });
        self.admin("POST /admin/v1/unsealings", looked.to_string()).await;
    }

    async fn read_registry(&self) {
        let subjects = self.get("/registry/subjects").await;
        let versions = format!("/registry/subjects/{}/versions", text(&subjects[0]));
        self.get(&versions).await;
        let schema = self.get(&format!("{versions}/latest")).await;
        self.get(&format!("/registry/schemas/ids/{}", schema["id"])).await;
        self.get("/openapi.json").await;
    }

    /// Every address, with nothing that it needs.
    async fn ask_in_vain(&self) {
        let description = self.get("/openapi.json").await;
        for (path, methods) in description["paths"].as_object().unwrap() {
            let part = |part: &str| if part.starts_with('{') { nobody() } else { part.to_owned() };
            let path = path.split('/').map(part).collect::<Vec<_>>().join("/");
            for (method, operation) in methods.as_object().unwrap() {
                let answer = self.world.open(&method.to_uppercase(), &path).await;
                let fails = !WITHOUT_PROBLEMS.contains(&text(&operation["operationId"]).as_str());
                assert_eq!(answer.status >= 400, fails, "{method} {path}: {}", answer.shown());
            }
        }
    }
}

#[tokio::test]
async fn every_address_answers_as_it_is_described() {
    let caller = Caller::start().await;
    caller.read_accounts().await;
    let running = caller.start_runs().await;
    caller.read_history(&running).await;
    caller.send_webhooks().await;
    caller.administer().await;
    caller.read_registry().await;
    caller.ask_in_vain().await;
    let remove = format!("DELETE /projects/{{}}/sdk/integrations/{DESK}");
    caller.user(&remove, "").await;
    let mut missing = caller.world.seen.missing();
    missing.retain(|(operation, status)| match status.as_str() {
        "default" => !WITHOUT_PROBLEMS.contains(&operation.as_str()),
        _ => !AFTER_DEATHS.contains(&operation.as_str()),
    });
    assert!(missing.is_empty(), "described, and never answered: {missing:?}");
}
