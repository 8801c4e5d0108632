//! A small HTTP client with connections that are kept.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Longer than a caller waits for a workflow's response.
const TIMEOUT: Duration = Duration::from_secs(70);

/// Sees every answer of a client, and to what it is one.
pub type Watch = Arc<dyn Fn(&Method, &Uri, &Answer) + Send + Sync>;

/// A client; clones share its connections.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<HttpConnector, Full<Bytes>>,
    watch: Option<Watch>,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header as text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and body, for people.
    pub fn shown(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .retry_canceled_requests(false)
            .build(connector);
        Self { inner, watch: None }
    }
}

impl Client {
    /// A client whose answers somebody watches.
    pub fn watched(watch: Watch) -> Self {
        Self { watch: Some(watch), ..Self::default() }
    }

    /// Sends a request once, and reads the whole answer.
    ///
    /// # Errors
    /// No whole answer came: nothing is known about the request.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let asked = self.watch.as_ref();
        let asked = asked.map(|watch| (watch, request.method().clone(), request.uri().clone()));
        let whole = async {
            let response = self.inner.request(request).await?;
            read(response).await
        };
        let answer = timeout(TIMEOUT, whole).await.context("no answer in time")??;
        if let Some((watch, method, uri)) = asked {
            watch(&method, &uri, &answer);
        }
        Ok(answer)
    }
}

async fn read(response: hyper::Response<Incoming>) -> Result<Answer> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}
