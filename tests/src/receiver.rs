//! The world that workflows call: a local HTTP server with a journal.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Pages of everything that is asked for page by page.
pub const PAGES: usize = 3;
/// Items of a page.
pub const PAGE_ITEMS: usize = 3;
/// Where there are pages of items: `<this><id>`, page by page as `cursor` of the JSON body says.
const PAGED: &str = "/pages/";

/// How a receiver behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Temper {
    /// It takes everything at once.
    Steady,
    /// It answers after so many milliseconds.
    Slow {
        /// The wait.
        wait_ms: u64,
    },
    /// Every n-th new request is answered with 500 or 503, in turn, the first time it comes.
    Moody {
        /// Every n-th.
        every: usize,
        /// So many at most.
        failures_max: usize,
    },
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The path.
    pub path: String,
    /// `Idempotency-Key`; empty if there was none.
    pub key: String,
    /// `id` of the JSON body, or what names the page; empty if there was none.
    pub id: String,
    /// The body.
    pub body: Bytes,
    /// What was answered.
    pub status: u16,
    /// When it was there.
    pub at: Instant,
}

/// A server on a port of its own. Dropped, it stops.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    temper: Temper,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    journal: Vec<Arrival>,
    keys: HashSet<String>,
    failures: usize,
    is_calm: bool,
}

impl Receiver {
    /// Starts one.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(temper: Temper) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { temper, state: Mutex::default() });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Moods stop, or go on.
    pub fn calm(&self, is_calm: bool) {
        self.shared.lock().is_calm = is_calm;
    }

    /// Looks at everything that came so far, in order.
    pub fn journal<T>(&self, look: impl FnOnce(&[Arrival]) -> T) -> T {
        look(&self.shared.lock().journal)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, mut arrival: Arrival) -> u16 {
        let mut state = self.lock();
        let is_new = !arrival.key.is_empty() && state.keys.insert(arrival.key.clone());
        if let Temper::Moody { every, failures_max } = self.temper
            && is_new
            && !state.is_calm
            && state.failures < failures_max
            && state.keys.len().is_multiple_of(every.max(1))
        {
            arrival.status = if state.failures.is_multiple_of(2) { 503 } else { 500 };
            state.failures += 1;
        }
        let status = arrival.status;
        state.journal.push(arrival);
        status
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(serve(stream, shared));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    // A caller that is killed breaks its connections; that is its affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let at = Instant::now();
    let key = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok());
    let (key, path) = (key.unwrap_or_default().to_owned(), request.uri().path().to_owned());
    let Ok(body) = request.into_body().collect().await else {
        return Ok(response(400, &Value::Null));
    };
    let body = body.to_bytes();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let page = path.strip_prefix(PAGED).map(|of| (of.to_owned(), cursor(&json)));
    let id = match &page {
        Some((of, page)) => format!("{of}-page-{page}"),
        None => json["id"].as_str().unwrap_or_default().to_owned(),
    };
    if let Temper::Slow { wait_ms } = shared.temper {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    let status = shared.take(Arrival { path, key, id, body, status: 200, at });
    Ok(response(
        status,
        &match page {
            Some((of, page)) => items(&of, page),
            None => json!({ "taken": status == 200, "id": json["id"] }),
        },
    ))
}

/// The page that is asked for; without a cursor it is the first one.
fn cursor(json: &Value) -> usize {
    let cursor = json["cursor"].as_u64().and_then(|page| usize::try_from(page).ok());
    cursor.unwrap_or_default()
}

fn items(of: &str, page: usize) -> Value {
    let items = page * PAGE_ITEMS..(page + 1) * PAGE_ITEMS;
    let items: Vec<Value> = items.map(|n| json!({ "id": format!("{of}-{n}") })).collect();
    match page + 1 < PAGES {
        true => json!({ "items": items, "next": page + 1 }),
        false => json!({ "items": items }),
    }
}

fn response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
