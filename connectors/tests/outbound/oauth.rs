//! Tokens of applications: shared, renewed, replaced.

mod endpoint;

use super::job::{action, job, runner_at};
use super::server::{Names, Seen, Server, answer, client, local};
use connectors::Runner;
use domain::time::Timestamp;
use endpoint::{Issued, ask, form, give, grant, refuse};
use ports::outbound::{Job, Outcome};
use ports::{Clock, Outbound};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const ID: &str = "app:one/é";
const SECRET: &str = "s3cret:+ %&";

/// A clock that a test moves.
#[derive(Default)]
struct Hand(AtomicI64);

impl Hand {
    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct World {
    server: Server,
    issued: Arc<Mutex<Issued>>,
    clock: Arc<Hand>,
    runner: Runner,
}

impl World {
    async fn start() -> Self {
        let issued: Arc<Mutex<Issued>> = Arc::default();
        let shared = Arc::clone(&issued);
        let server = Server::start(move |seen| {
            let mut issued = shared.lock().unwrap();
            match seen.path.as_str() {
                "/token" => grant(seen, &mut issued),
                "/moved" => answer(307, &[("location", "/token")], ""),
                "/busy" => answer(503, &[("retry-after", "7")], ""),
                "/page" => answer(200, &[("content-type", "text/html")], "<html>"),
                "/mac" => give(&json!({ "access_token": "t", "token_type": "mac" })),
                "/lines" => give(&json!({ "access_token": "t\r\nX-Evil: 1" })),
                "/echo" => refuse(400, "invalid_client", &format!("I was told {SECRET}")),
                _ => ask(seen, &issued),
            }
        })
        .await;
        let clock = Arc::new(Hand::default());
        let runner = runner_at(local(), Arc::<Hand>::clone(&clock));
        Self { server, issued, clock, runner }
    }

    /// A step that asks the API with a token.
    fn step(&self, changes: &Value) -> Job {
        let mut credentials = json!({
            "token_url": self.server.url("/token"), "client_id": ID, "client_secret": "{{secrets.KEY}}",
        });
        let changes = changes.as_object().unwrap().clone();
        credentials.as_object_mut().unwrap().extend(changes);
        let mut job = job(action(json!({ "request": {
            "method": "POST", "url": self.server.url("/api"),
            "authorization": { "oauth_client_credentials": credentials },
        } })));
        job.scope.secrets.insert("KEY".to_owned(), SECRET.to_owned());
        job
    }

    async fn perform(&self, changes: &Value) -> Outcome {
        self.runner.perform(self.step(changes)).await
    }

    fn asked(&self, path: &str) -> Vec<Seen> {
        self.server.seen().into_iter().filter(|seen| seen.path == path).collect()
    }

    /// The tokens that the API was asked with.
    fn tokens(&self) -> Vec<String> {
        let header = |seen: &Seen| seen.header("authorization").unwrap_or_default().to_owned();
        self.asked("/api").iter().map(header).collect()
    }

    fn revoke(&self) {
        self.issued.lock().unwrap().valid.clear();
    }
}

fn assert_fine(outcome: &Outcome) {
    assert_eq!(outcome.failure, None, "{}", outcome.output);
    let shown = outcome.input.to_string();
    assert_eq!(outcome.input["headers"]["Authorization"], "Bearer [hidden]");
    assert!(!shown.contains("token-") && !shown.contains(SECRET), "{shown}");
}

/// Performs many at a time.
async fn all(world: &World, jobs: Vec<Job>) -> Vec<Outcome> {
    let performing = jobs.into_iter().map(|job| {
        let runner = world.runner.clone();
        async move { runner.perform(job).await }
    });
    futures_util::future::join_all(performing).await
}

#[tokio::test]
async fn many_requests_at_once_cause_one_grant() {
    let world = World::start().await;
    let jobs = (0..50).map(|_| world.step(&json!({}))).collect();
    all(&world, jobs).await.iter().for_each(assert_fine);
    assert_eq!(world.asked("/token").len(), 1);
    assert_eq!(world.tokens(), vec!["Bearer token-1"; 50]);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let world = World::start().await;
    for (seconds, token) in [(0, 1), (539, 1), (1, 2), (539, 2), (61, 3)] {
        world.clock.forward(seconds);
        assert_fine(&world.perform(&json!({})).await);
        assert_eq!(world.tokens().pop().unwrap(), format!("Bearer token-{token}"));
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_once() {
    let world = World::start().await;
    assert_fine(&world.perform(&json!({})).await);
    world.revoke();
    let jobs = (0..20).map(|_| world.step(&json!({}))).collect();
    all(&world, jobs).await.iter().for_each(assert_fine);
    assert_eq!(world.asked("/token").len(), 2);
    // The answer to a token that was given just now is the answer.
    let count = world.asked("/api").len();
    let forbidden = Job { ..world.step(&json!({ "scope": "read write" })) };
    let shared = Arc::clone(&world.issued);
    let server = Server::start(move |_| {
        shared.lock().unwrap().valid.clear();
        answer(401, &[], "")
    })
    .await;
    let mut job = forbidden;
    let mut workflow = (*job.workflow).clone();
    let mut step = serde_json::to_value(&workflow.steps[0].action).unwrap();
    step["request"]["url"] = json!(server.url("/"));
    workflow.steps[0].action = serde_json::from_value(step).unwrap();
    job.workflow = Arc::new(workflow);
    for asked in [1, 3] {
        let outcome = world.runner.perform(job.clone()).await;
        assert_eq!(outcome.status, Some(401));
        assert_eq!(server.seen().len(), asked, "a kept token is replaced once, a new one never");
    }
    assert_eq!(world.asked("/api").len(), count);
}

#[tokio::test]
async fn who_asks_with_something_else_gets_a_token_of_his_own() {
    let world = World::start().await;
    let mut jobs: Vec<Job> = [
        json!({}),
        json!({ "scope": "read write" }),
        json!({ "audience": "a" }),
        json!({ "params": [["resource", "b"]] }),
        json!({ "client_auth": "body" }),
    ]
    .iter()
    .map(|changes| world.step(changes))
    .collect();
    let mut elsewhere = world.step(&json!({}));
    elsewhere.call.project = domain::id::ProjectId(Uuid::from_u128(99));
    jobs.push(elsewhere);
    let count = jobs.len();
    all(&world, jobs.clone()).await.iter().for_each(assert_fine);
    all(&world, jobs).await.iter().for_each(assert_fine);
    assert_eq!(world.asked("/token").len(), count);
    // Above all who does not know the secret.
    let outcome = world.perform(&json!({ "client_secret": "guessed" })).await;
    assert_eq!(outcome.failure.unwrap().code, "TOKEN_REFUSED");
}

#[tokio::test]
async fn what_the_endpoint_wants_is_sent() {
    let world = World::start().await;
    let wants = json!({
        "scope": "read write", "audience": "https://api.example/", "client_auth": "body",
        "params": [["resource", "{{1.event.id}}"]],
    });
    assert_fine(&world.perform(&wants).await);
    let asked = world.asked("/token").pop().unwrap();
    let fields = form(&asked.body).unwrap();
    assert_eq!(
        json!(fields),
        json!({
            "grant_type": "client_credentials", "scope": "read write", "resource": "7",
            "audience": "https://api.example/", "client_id": ID, "client_secret": SECRET,
        })
    );
    assert_eq!(asked.header("accept"), Some("application/json"));
}

#[tokio::test]
async fn a_refusal_is_told_without_secrets_and_shared_by_those_who_waited() {
    let world = World::start().await;
    for (path, code, retryable, wait, words) in [
        ("/echo", "TOKEN_REFUSED", false, None, "status 400: invalid_client: I was told [hidden]"),
        ("/moved", "TOKEN_REFUSED", false, None, "status 307"),
        ("/page", "TOKEN_REFUSED", false, None, "no bearer token"),
        ("/mac", "TOKEN_REFUSED", false, None, "no bearer token"),
        ("/lines", "TOKEN_REFUSED", false, None, "no bearer token"),
        ("/busy", "TOKEN_REFUSED", true, Some(7000), "status 503"),
    ] {
        let url = json!({ "token_url": world.server.url(path) });
        let jobs = (0..10).map(|_| world.step(&url)).collect();
        for outcome in all(&world, jobs).await {
            let failure = outcome.failure.unwrap();
            assert_eq!((failure.code, failure.retryable), (code, retryable), "{path}");
            assert_eq!(failure.retry_after_ms, wait, "{path}");
            let message = outcome.output["error"]["message"].as_str().unwrap();
            assert!(message.contains(words) && !message.contains(SECRET), "{path}: {message}");
        }
        assert_eq!(world.asked(path).len(), 1, "{path}");
        // Whoever comes later tries again.
        world.perform(&url).await;
        assert_eq!(world.asked(path).len(), 2, "{path}");
    }
    assert!(world.asked("/token").is_empty(), "a redirect was followed");
    assert!(world.asked("/api").is_empty());
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_yet_serves_to_its_end() {
    let world = World::start().await;
    let shared = Arc::clone(&world.issued);
    let server = Server::start(move |seen| {
        let mut issued = shared.lock().unwrap();
        match issued.count {
            0 => grant(seen, &mut issued),
            _ => answer(502, &[], ""),
        }
    })
    .await;
    let url = json!({ "token_url": server.url("/token") });
    assert_fine(&world.perform(&url).await);
    world.clock.forward(590);
    assert_fine(&world.perform(&url).await);
    assert_eq!(server.seen().len(), 2);
    world.clock.forward(10);
    assert_eq!(world.perform(&url).await.failure.unwrap().code, "TOKEN_REFUSED");
}

#[tokio::test]
async fn the_endpoint_is_behind_the_guard_and_within_the_step_s_time() {
    let world = World::start().await;
    let runner = runner_at(client(&[], &Names::of(&[])), Arc::<Hand>::clone(&world.clock));
    let outcome = runner.perform(world.step(&json!({}))).await;
    assert_eq!(outcome.failure.unwrap().code, "EGRESS_REFUSED");
    assert!(world.server.seen().is_empty());
    let silent = super::client::raw("", |stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let mut job = world.step(&json!({ "token_url": silent }));
    Arc::make_mut(&mut job.settings).request_timeout_ms = 50;
    let failure = world.runner.perform(job).await.failure.unwrap();
    assert_eq!((failure.code, failure.retryable), ("REQUEST_TIMEOUT", true));
    let outcome = world.perform(&json!({ "token_url": "nonsense" })).await;
    assert_eq!(outcome.failure.unwrap().code, "URL_INVALID");
}

#[tokio::test]
async fn an_integration_gets_its_token_with_what_the_user_gave() {
    let world = World::start().await;
    let mut job = job(action(json!({ "integration_request": { "method": "GET", "url": "/api" } })));
    let settings = json!({ "clientId": ID, "clientSecret": SECRET });
    job.scope.settings = settings.as_object().unwrap().clone();
    let integration = Arc::make_mut(&mut job.integration);
    integration.base_url = world.server.url("");
    integration.authorization = serde_json::from_value(json!({ "oauth_client_credentials": {
        "token_url": world.server.url("/token"),
        "client_id": "{{settings.clientId}}", "client_secret": "{{settings.clientSecret}}",
    } }))
    .unwrap();
    let outcome = world.runner.perform(job).await;
    assert_eq!(outcome.failure, None, "{}", outcome.output);
    assert_eq!(outcome.input["headers"]["Authorization"], "[hidden]");
    assert_eq!(world.tokens(), ["Bearer token-1"]);
}
