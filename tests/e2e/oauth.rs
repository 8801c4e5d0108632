//! Tokens of applications, from a certified OAuth server.

use crate::project::{id, on_request, project};
use crate::server::Server;
use crate::world::World;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use std::process::Stdio;
use tests::harness::{Client, root, tools};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const MISSING: &str = "the OAuth server is not installed: `cargo x test` does that";
const SECRET: &str = "a secret: of+40 characters, so that it is long";

/// The server; dropped, it stops.
struct Authority {
    port: u16,
    client: Client,
    _process: Child,
}

impl Authority {
    async fn start() -> Self {
        let tools = tools().join("oauth");
        assert!(tools.join("node_modules/oidc-provider").is_dir(), "{MISSING}");
        let mut process = Command::new("node")
            .arg(root().join("tests/e2e/oauth/server.mjs"))
            .arg(tools)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the OAuth server needs Node");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap().expect("a port").parse().unwrap();
        Self { port, client: Client::default(), _process: process }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn ask(&self, path: &str) -> Value {
        let request = Request::get(self.url(path)).body(Full::default()).unwrap();
        self.client.send(request).await.unwrap().json()
    }
}

/// A project with two ways to ask the API: each client by itself, one as an integration.
fn file(authority: &Authority, unused: &Server) -> Value {
    let credentials = |changes: Value| {
        let mut credentials =
            json!({ "token_url": authority.url("/token"), "client_secret": "{{secrets.APP}}" });
        credentials.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "oauth_client_credentials": credentials })
    };
    let own = credentials(json!({ "client_id": "app:one", "scope": "orders:read" }));
    let steps = json!([
        { "name": "own", "request": { "url": authority.url("/api"), "authorization": own } },
        { "name": "desk", "integration_request": { "path": "/api/orders" } },
    ]);
    let wrong = credentials(json!({ "client_id": "nobody" }));
    let refused = json!([
        { "name": "own", "request": { "url": authority.url("/api"), "authorization": wrong } },
    ]);
    let workflows = [on_request("order", &steps), on_request("refused", &refused)];
    let mut file = project(&unused.url(""), &workflows);
    file["secrets"] = json!({ "APP": SECRET });
    file["integrations"][0]["base_url"] = json!(authority.url(""));
    let desk = json!({
        "client_id": "app two", "scope": "orders:read orders:write", "client_auth": "body",
    });
    file["integrations"][0]["authorization"] = credentials(desk);
    file
}

async fn assert_fine(world: &World, token: &str) {
    let body = json!({});
    let order = id("order");
    let runs = (0..10).map(|_| world.run_through(token, &order, &body));
    for run in join_all(runs).await {
        assert_eq!(run["status"], "SUCCEEDED", "{run}");
        let own = world.step(&run, 1).await;
        let expected = json!({ "client": "app:one", "scope": "orders:read" });
        assert_eq!(own["output"]["response"]["body"], expected, "{own}");
        assert_eq!(own["input"]["headers"]["Authorization"], "Bearer [hidden]");
        let desk = world.step(&run, 2).await;
        let expected = json!({ "client": "app two", "scope": "orders:read orders:write" });
        assert_eq!(desk["output"]["response"]["body"], expected, "{desk}");
        assert_eq!(desk["input"]["headers"]["Authorization"], "[hidden]");
        assert!(!format!("{own}{desk}").contains(SECRET));
    }
}

#[tokio::test]
async fn a_certified_server_gives_one_token_for_many_requests() {
    let (authority, unused) = (Authority::start().await, Server::start().await);
    let world = World::start(&file(&authority, &unused)).await;
    let token = world.connected("anna").await;
    assert_fine(&world, &token).await;
    assert_eq!(authority.ask("/grants").await, 2, "one for each client");
    assert_eq!(authority.ask("/revoke").await, 2);
    assert_fine(&world, &token).await;
    assert_eq!(authority.ask("/grants").await, 4, "another one for each client");
    let run = world.run_through(&token, &id("refused"), &json!({})).await;
    let step = world.step(&run, 1).await;
    assert_eq!(step["output"]["error"]["code"], "TOKEN_REFUSED", "{step}");
    let message = step["output"]["error"]["message"].as_str().unwrap();
    assert!(message.contains("invalid_client"), "{message}");
}
