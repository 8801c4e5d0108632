//! The world that workflows call: a local server that does what the path says.
//!
//! | path | answer |
//! |---|---|
//! | `/status/<n>` | that status |
//! | `/flaky/<name>` | 503 at first, then 200 |
//! | `/redirect/<hex>` | 302 to the address written in hex |
//! | `/gate` | 200 once the gate is opened |
//! | `/deep/<n>` | JSON that is so many arrays deep |
//! | `/garbage` | bytes that say they are JSON |
//! | `/kept` | what the test put there |
//! | `/changed` | the items of it whose `at` is not before the `since` of the query |
//! | `/records/<n>` | a page of two records, and `nextPageToken` unless it is the last |
//! | `/pages/<n>` | a page of three channels and the cursor of the next, as Slack's lists have it |
//! | `/limited/<n>` | the same; the second page is 429 when it is asked for first |
//! | `/refused/<n>` | the same; the page after the last is 401 |
//! | `/endless` | a page that gives the cursor it was asked for with, or its first one |
//! | any other | 200 with what was sent |

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One request as it came: `{method, path, query, headers, body}`; the body as JSON, else as text.
pub(crate) type Seen = Value;

/// A server on a port of its own. Dropped, it stops.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    seen: Mutex<Vec<Seen>>,
    kept: Mutex<Value>,
    gate: watch::Sender<bool>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            kept: Mutex::default(),
            gate: watch::channel(false).0,
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that came to a path so far, in order.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = self.shared.seen.lock().unwrap();
        seen.iter().filter(|seen| seen["path"] == path).cloned().collect()
    }

    /// How many requests came so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.seen.lock().unwrap().len()
    }

    /// Puts something at `/kept`.
    pub(crate) fn keep(&self, value: Value) {
        *self.shared.kept.lock().unwrap() = value;
    }

    /// Lets everything through that waits at `/gate`, now and later.
    pub(crate) fn open(&self) {
        self.shared.gate.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = || json!(String::from_utf8_lossy(&body));
    let headers: serde_json::Map<String, Value> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let path = parts.uri.path().to_owned();
    let seen = json!({
        "method": parts.method.as_str(),
        "path": path,
        "query": parts.uri.query().unwrap_or_default(),
        "headers": headers,
        "body": serde_json::from_slice(&body).unwrap_or_else(|_| text()),
    });
    let first = shared.take(&path, &seen);
    let mut way = path.trim_start_matches('/').split('/');
    let (kind, rest) = (way.next().unwrap_or_default(), way.next().unwrap_or_default());
    Ok(match kind {
        "status" => respond(rest.parse().unwrap_or(200), &json!({ "status": rest })),
        "flaky" => respond(if first { 503 } else { 200 }, &json!({ "first": first })),
        "redirect" => redirect(rest),
        "deep" => {
            let depth = rest.parse().unwrap_or(0);
            json_bytes(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes())
        }
        "garbage" => json_bytes(b"{\"a\":\xff\0".to_vec()),
        "kept" => respond(200, &shared.kept.lock().unwrap().clone()),
        "changed" => respond(200, &json!({ "items": shared.since(&seen) })),
        "records" => respond(200, &records(&parts, rest.parse().unwrap_or(1))),
        "pages" => respond(200, &slack_page(&parts, rest.parse().unwrap_or(1))),
        "limited" if cursor(&parts) == 1 && shared.count_of(&seen) == 1 => {
            let reached = "You have reached your daily limit.";
            respond(
                429,
                &json!({ "status": "error", "message": reached, "errorType": "RATE_LIMIT" }),
            )
        }
        "limited" => respond(200, &slack_page(&parts, rest.parse().unwrap_or(1))),
        "refused" => {
            let last = rest.parse().unwrap_or(1);
            let is_refused = cursor(&parts) >= last;
            respond(if is_refused { 401 } else { 200 }, &slack_page(&parts, usize::MAX))
        }
        "endless" => respond(200, &json!({ "channels": [1], "next": "again" })),
        "gate" => {
            let _ = shared.gate.subscribe().wait_for(|open| *open).await;
            respond(200, &json!({}))
        }
        _ => respond(200, &seen),
    })
}

/// The page that a request asks for, by its cursor.
fn cursor(parts: &Parts) -> usize {
    let mut pairs = parts.uri.query().unwrap_or_default().split('&');
    pairs.find_map(|pair| pair.strip_prefix("cursor=page-")?.parse().ok()).unwrap_or(0)
}

fn slack_page(parts: &Parts, pages: usize) -> Value {
    let page = cursor(parts);
    let channels: Vec<Value> = (0..3).map(|i| json!({ "id": format!("C{page}{i}") })).collect();
    let next = if page + 1 < pages { format!("page-{}", page + 1) } else { String::new() };
    json!({ "ok": true, "channels": channels, "response_metadata": { "next_cursor": next } })
}

/// A page as integrations with tokens in the query have it; the last one says nothing of a next.
fn records(parts: &Parts, pages: usize) -> Value {
    let mut pairs = parts.uri.query().unwrap_or_default().split('&');
    let page = pairs.find_map(|pair| pair.strip_prefix("pageToken=")?.parse().ok()).unwrap_or(0);
    let data = [json!({ "id": 2 * page }), json!({ "id": 2 * page + 1 })];
    match page + 1 < pages {
        true => json!({ "data": data, "nextPageToken": (page + 1).to_string() }),
        false => json!({ "data": data }),
    }
}

impl Shared {
    /// How often the same was asked for so far.
    fn count_of(&self, seen: &Seen) -> usize {
        let is_same = |one: &&Seen| one["path"] == seen["path"] && one["query"] == seen["query"];
        self.seen.lock().unwrap().iter().filter(is_same).count()
    }

    /// What is kept and has changed since the moment that the query names.
    fn since(&self, seen: &Seen) -> Vec<Value> {
        let query = seen["query"].as_str().unwrap_or_default().replace("%3A", ":");
        let since = query.split('&').find_map(|pair| pair.strip_prefix("since="));
        let kept = self.kept.lock().unwrap();
        let items = kept.as_array().cloned().unwrap_or_default();
        items.into_iter().filter(|item| item["at"].as_str() >= since).collect()
    }

    /// Whether the path was asked for the first time.
    fn take(&self, path: &str, seen: &Seen) -> bool {
        let mut all = self.seen.lock().unwrap();
        all.push(seen.clone());
        all.iter().filter(|seen| seen["path"] == path).count() == 1
    }
}

fn respond(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::new(Bytes::from(body.to_string()))).unwrap()
}

fn json_bytes(bytes: Vec<u8>) -> Response<Full<Bytes>> {
    let response = Response::builder().header("content-type", "application/json");
    response.body(Full::new(Bytes::from(bytes))).unwrap()
}

fn redirect(hex: &str) -> Response<Full<Bytes>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let target: Vec<u8> = hex.as_bytes().chunks(2).map(pair).collect();
    let response = Response::builder().status(302).header("location", target);
    response.body(Full::default()).unwrap()
}
