//! Servers on ports of their own, and a resolver that says where they are.

use async_trait::async_trait;
use bytes::Bytes;
use connectors::guard::{Egress, Guard, Resolver};
use connectors::http::{Client, Options};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};

pub type Answer = Response<Full<Bytes>>;

/// What a server was asked.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A server that answers with a function and remembers what it was asked.
pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub async fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), 0, answer).await
    }

    pub async fn start_at(
        address: IpAddr,
        port: u16,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let port = listen(address, port, move |stream| {
            serve(TokioIo::new(stream), Arc::clone(&log), Arc::clone(&answer))
        })
        .await;
        Self { port, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers requests on a connection until it ends.
pub async fn serve<S, F>(stream: S, log: Arc<Mutex<Vec<Seen>>>, answer: Arc<F>)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    F: Fn(&Seen) -> Answer + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
        async move {
            let (head, body) = request.into_parts();
            let path = head.uri.path_and_query().unwrap().to_string();
            let body = body.collect().await.unwrap().to_bytes();
            let seen = Seen { method: head.method, path, headers: head.headers, body };
            log.lock().unwrap().push(seen.clone());
            Ok::<_, Infallible>(answer(&seen))
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
}

/// Hands each connection to the function; answers with the port.
pub async fn listen<F, W>(address: IpAddr, port: u16, handle: F) -> u16
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((address, port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    port
}

pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body.into())).unwrap()
}

/// Names with the answers that each lookup gets; the last one stays.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub lookups: Mutex<Vec<String>>,
}

impl Names {
    pub fn of(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let answers = names
            .iter()
            .map(|(name, answers)| {
                let parse = |answer: &&[&str]| answer.iter().map(|a| a.parse().unwrap()).collect();
                ((*name).to_owned(), answers.iter().map(parse).collect())
            })
            .collect();
        Arc::new(Self { answers: Mutex::new(answers), lookups: Mutex::default() })
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let left = answers.get_mut(host).ok_or(io::ErrorKind::NotFound)?;
        Ok(if left.len() > 1 { left.remove(0) } else { left[0].clone() })
    }
}

/// Rules that allow the ranges, addresses and hosts.
pub fn egress(allow: &[&str]) -> Egress {
    Egress { allow: allow.iter().map(|text| text.parse().unwrap()).collect(), ..Egress::default() }
}

/// A client that may call this machine.
pub fn local() -> Client {
    Client::new(Guard::new(egress(&["127.0.0.1"]), Names::of(&[])), &Options::default()).unwrap()
}

/// A client with the rules and names.
pub fn client(allow: &[&str], names: &Arc<Names>) -> Client {
    let names: Arc<dyn Resolver> = Arc::<Names>::clone(names);
    Client::new(Guard::new(egress(allow), names), &Options::default()).unwrap()
}
