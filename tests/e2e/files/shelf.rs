//! A server that keeps what it is sent as bytes, and offers a file.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use multer::Multipart;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where the file is that is offered. Its name is in the head of the answer only.
pub(super) const DOWNLOAD: &str = "/download/7";

/// What arrived.
#[derive(Clone)]
pub(super) struct Arrived {
    path: String,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Arrived {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A part of a form that arrived.
pub(super) struct Part {
    pub(super) file_name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) bytes: Bytes,
}

/// The server. Dropped, it stops.
pub(super) struct Shelf {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    offered: Arc<Mutex<Bytes>>,
    task: JoinHandle<()>,
}

impl Shelf {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrived: Arc<Mutex<Vec<Arrived>>> = Arc::default();
        let offered: Arc<Mutex<Bytes>> = Arc::default();
        let shared = (Arc::clone(&arrived), Arc::clone(&offered));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (arrived, offered) = (Arc::clone(&shared.0), Arc::clone(&shared.1));
                let service = service_fn(move |request| {
                    answer(request, Arc::clone(&arrived), Arc::clone(&offered))
                });
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        Self { address, arrived, offered, task }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts the file at [`DOWNLOAD`].
    pub(super) fn offer(&self, file: Bytes) {
        *self.offered.lock().unwrap() = file;
    }

    pub(super) fn last(&self, path: &str) -> Option<Arrived> {
        let arrived = self.arrived.lock().unwrap();
        arrived.iter().rfind(|arrived| arrived.path == path).cloned()
    }

    pub(super) fn clear(&self) {
        self.arrived.lock().unwrap().clear();
    }

    /// A part of the form that arrived last at a path.
    pub(super) async fn part(&self, path: &str, name: &str) -> Option<Part> {
        let form = self.last(path)?;
        let boundary = multer::parse_boundary(form.header("content-type")).unwrap();
        let body = futures_util::stream::iter([Ok::<_, Infallible>(form.body)]);
        let mut form = Multipart::new(body, boundary);
        while let Some(part) = form.next_field().await.unwrap() {
            if part.name() == Some(name) {
                let file_name = part.file_name().map(str::to_owned);
                let kind = part.content_type().map(ToString::to_string);
                return Some(Part { file_name, kind, bytes: part.bytes().await.unwrap() });
            }
        }
        None
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    offered: Arc<Mutex<Bytes>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let response = Response::builder();
    if head.method == Method::GET && path == DOWNLOAD {
        let name =
            "attachment; filename=\"report.pdf\"; filename*=UTF-8''Jahresbericht%20%C3%BC.pdf";
        let file = Full::new(offered.lock().unwrap().clone());
        let response =
            response.header("content-type", "application/pdf").header("content-disposition", name);
        return Ok(response.body(file).unwrap());
    }
    arrived.lock().unwrap().push(Arrived { path, headers: head.headers, body });
    Ok(response.body(Full::default()).unwrap())
}
