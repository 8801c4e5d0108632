//! The HTTP client: everything through the guard, everything bounded.

mod charset;
mod content;
mod decode;
mod error;
mod redirect;
mod retry;
mod tls;

pub use content::value;
pub use error::Error;
pub use retry::retry_after_ms;
pub use tls::TlsError;

use crate::guard::Guard;
use bytes::Bytes;
use decode::Decoder;
use domain::effect::RUNS_HEADER;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_ENCODING;
use hyper::{HeaderMap, Method, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use url::Url;

/// What the client may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Certificate authorities that are trusted beside Mozilla's, as PEM.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Requests under way at a time; more wait, within their own time-out.
    pub requests_max: usize,
    /// Idle connections kept for one host and port.
    pub idle_per_host_max: usize,
    /// When an idle connection is closed, in milliseconds.
    pub idle_timeout_ms: u64,
    /// Redirects followed for one request.
    pub redirects_max: u8,
    /// Largest head of an answer, in bytes.
    pub head_bytes_max: usize,
    /// Hosts and ports of this installation: what runs send there says how many have led to it.
    pub own: Vec<(String, u16)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            extra_ca_pem: None,
            requests_max: 4096,
            idle_per_host_max: 256,
            idle_timeout_ms: 30_000,
            redirects_max: 10,
            head_bytes_max: 128 * 1024,
            own: Vec::new(),
        }
    }
}

/// A request that is ready to be sent. Values of headers that hold credentials are marked
/// sensitive.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// An `http` or `https` URL.
    pub url: Url,
    /// The headers, without those that the connection needs.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Time for the whole attempt with all redirects, in milliseconds.
    pub timeout_ms: u32,
    /// Largest body of the answer, in bytes, after decompression.
    pub body_bytes_max: u64,
    /// Whether redirects are followed; else they are answers like any other.
    pub follows_redirects: bool,
    /// How many runs, each started by the one before it, have led to it; 0: it is of none.
    pub runs: u8,
}

impl Call {
    /// A GET without headers.
    ///
    /// # Errors
    /// The text is no URL.
    pub fn get(url: &str, timeout_ms: u32, body_bytes_max: u64) -> Result<Self, url::ParseError> {
        Ok(Self {
            method: Method::GET,
            url: Url::parse(url)?,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout_ms,
            body_bytes_max,
            follows_redirects: true,
            runs: 0,
        })
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// The URL that answered, after redirects.
    pub url: Url,
}

/// Sends requests. A clone shares connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<HttpsConnector<Guard>, Full<Bytes>>,
    slots: Arc<Semaphore>,
    redirects_max: u8,
    own: Arc<[(String, u16)]>,
}

impl Client {
    /// A client whose sockets the guard opens.
    ///
    /// # Errors
    /// The extra certificate authorities cannot be read.
    pub fn new(guard: Guard, options: &Options) -> Result<Self, TlsError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config(options.extra_ca_pem.as_deref())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(guard);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_millis(options.idle_timeout_ms))
            .pool_max_idle_per_host(options.idle_per_host_max)
            .http1_max_buf_size(options.head_bytes_max.max(8192))
            .build(connector);
        let slots = Arc::new(Semaphore::new(options.requests_max.max(1)));
        let own = options.own.clone().into();
        Ok(Self { pool, slots, redirects_max: options.redirects_max, own })
    }

    /// Sends the request and reads the answer, whatever its status.
    ///
    /// # Errors
    /// There is no complete answer, or it breaks a bound.
    pub async fn send(&self, call: Call) -> Result<Answer, Error> {
        let timeout_ms = call.timeout_ms;
        let time = Duration::from_millis(u64::from(timeout_ms));
        // Boxed: the future holds the connection's state and is large.
        match tokio::time::timeout(time, Box::pin(self.follow(call))).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout { timeout_ms }),
        }
    }

    async fn follow(&self, mut call: Call) -> Result<Answer, Error> {
        let _slot = self.slots.acquire().await;
        let mut followed = 0;
        loop {
            let response = self.once(&call).await?;
            if !call.follows_redirects {
                return read(call, response).await;
            }
            let status = response.status().as_u16();
            match redirect::location(&call.url, status, response.headers())? {
                None => return read(call, response).await,
                Some(_) if followed == self.redirects_max => {
                    return Err(Error::Redirect { reason: "there are too many of them" });
                }
                Some(next) => redirect::follow(&mut call, status, next)?,
            }
            followed += 1;
        }
    }

    async fn once(&self, call: &Call) -> Result<hyper::Response<Incoming>, Error> {
        let mut target = call.url.clone();
        target.set_fragment(None);
        let uri = Uri::try_from(target.as_str()).map_err(|_| Error::Url)?;
        let mut request = hyper::Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers.clone();
        let host = call.url.host_str().unwrap_or_default();
        // Nobody else says it, and nobody else is told.
        request.headers_mut().remove(RUNS_HEADER);
        let port = call.url.port_or_known_default();
        if self.own.iter().any(|own| own.0.eq_ignore_ascii_case(host) && Some(own.1) == port) {
            request.headers_mut().insert(RUNS_HEADER, u16::from(call.runs).into());
        }
        self.pool.request(request).await.map_err(|error| Error::of(host, &error))
    }
}

async fn read(call: Call, response: hyper::Response<Incoming>) -> Result<Answer, Error> {
    let (head, mut body) = response.into_parts();
    let host = call.url.host_str().unwrap_or_default();
    let encoding = head.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if body.size_hint().lower() > call.body_bytes_max {
        return Err(Error::TooLarge { bytes_max: call.body_bytes_max });
    }
    let mut decoder = Decoder::new(encoding, call.body_bytes_max);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::of(host, &error))?;
        if let Some(piece) = frame.data_ref() {
            decoder = decoder.push(piece)?;
        }
    }
    let body = Bytes::from(decoder.finish()?);
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, url: call.url })
}
