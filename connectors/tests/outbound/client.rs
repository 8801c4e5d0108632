//! The client: redirects, bounds, TLS.

use super::server::{Names, Seen, Server, answer, client, egress, listen, local, serve};
use bytes::Bytes;
use connectors::guard::Guard;
use connectors::http::{Answer, Call, Client, Error, Options};
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use hyper_util::rt::TokioIo;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub fn call(method: Method, url: &str) -> Call {
    Call {
        method,
        url: url.parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout_ms: 20_000,
        body_bytes_max: 1000,
        follows_redirects: true,
        runs: 0,
    }
}

pub fn with_credentials(method: Method, url: &str) -> Call {
    let mut call = call(method, url);
    let mut key = HeaderValue::from_static("k3y");
    key.set_sensitive(true);
    call.headers.insert(HeaderName::from_static("x-api-key"), key);
    for (name, value) in [
        ("authorization", "Bearer t0ken"),
        ("cookie", "a=1"),
        ("x-mine", "1"),
        ("accept", "text/plain"),
        ("content-type", "text/plain"),
    ] {
        call.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    call.body = Bytes::from_static(b"body");
    call
}

async fn get(url: &str) -> Result<Answer, Error> {
    local().send(call(Method::GET, url)).await
}

#[tokio::test]
async fn redirects_change_the_method_as_browsers_do() {
    let server = Server::start(|seen| match seen.path.strip_prefix("/from/") {
        Some(status) => answer(status.parse().unwrap(), &[("location", "/to?x=1")], "moved"),
        None => answer(200, &[], "here"),
    })
    .await;
    for (status, method, expected, body) in [
        (301, Method::POST, Method::GET, ""),
        (302, Method::POST, Method::GET, ""),
        (303, Method::POST, Method::GET, ""),
        (303, Method::DELETE, Method::GET, ""),
        (302, Method::PUT, Method::PUT, "body"),
        (307, Method::POST, Method::POST, "body"),
        (308, Method::PATCH, Method::PATCH, "body"),
    ] {
        let url = server.url(&format!("/from/{status}"));
        let answer = local().send(with_credentials(method, &url)).await.unwrap();
        assert_eq!(answer.body, "here");
        assert_eq!(answer.url.path(), "/to");
        let last = server.seen().pop().unwrap();
        assert_eq!((last.method, last.body.as_ref()), (expected, body.as_bytes()), "{status}");
        assert_eq!(last.headers.contains_key("content-type"), !body.is_empty());
        assert_eq!(last.headers["authorization"], "Bearer t0ken");
        assert_eq!(last.headers["x-api-key"], "k3y");
    }
}

#[tokio::test]
async fn another_origin_gets_no_credentials() {
    let target = Server::start(|_| answer(200, &[], "")).await;
    let to = target.url("/");
    let source = Server::start(move |_| answer(307, &[("location", to.as_str())], "")).await;
    local().send(with_credentials(Method::POST, &source.url("/"))).await.unwrap();
    let seen: Seen = target.seen().pop().unwrap();
    for name in ["authorization", "cookie", "x-api-key", "x-mine"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("accept"), Some("text/plain"));
    assert_eq!(seen.body, "body");
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|seen| {
        let next = seen.path.len();
        answer(302, &[("location", format!("/{}", "x".repeat(next)).as_str())], "")
    })
    .await;
    assert!(matches!(get(&server.url("/")).await, Err(Error::Redirect { .. })));
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn a_redirect_leads_to_http_only() {
    for location in ["file:///etc/passwd", "ftp://127.0.0.1/", "data:text/plain,x", "http://"] {
        let server = Server::start(move |_| answer(302, &[("location", location)], "")).await;
        assert!(matches!(get(&server.url("/")).await, Err(Error::Redirect { .. })), "{location}");
    }
    let server = Server::start(|_| answer(302, &[], "no location")).await;
    assert_eq!(get(&server.url("/")).await.unwrap().status, 302);
}

#[tokio::test]
async fn connections_are_used_again() {
    let connections = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let port = listen(HERE, 0, move |stream| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        serve(TokioIo::new(stream), Arc::default(), Arc::new(|_: &Seen| answer(200, &[], "ok")))
    })
    .await;
    let client = local();
    for _ in 0..5 {
        let url = format!("http://127.0.0.1:{port}/");
        client.send(call(Method::GET, &url)).await.unwrap();
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_gzip_bomb_stops_at_the_bound() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b'0'; 5_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/bomb" => answer(200, &[("content-encoding", "gzip")], bomb.clone()),
        _ => answer(200, &[("content-encoding", "gzip")], "not gzip at all"),
    })
    .await;
    let mut bomb = call(Method::GET, &server.url("/bomb"));
    bomb.body_bytes_max = 100_000;
    assert!(matches!(local().send(bomb).await, Err(Error::TooLarge { bytes_max: 100_000 })));
    let broken = get(&server.url("/broken")).await;
    assert!(matches!(broken, Err(Error::Encoding { encoding: "gzip" })));
}

#[tokio::test]
async fn an_announced_body_that_is_too_large_is_not_read() {
    let server = Server::start(|_| answer(200, &[], "x".repeat(1001))).await;
    assert!(matches!(get(&server.url("/")).await, Err(Error::TooLarge { bytes_max: 1000 })));
}

/// Answers with the head, then does as the function says.
pub async fn raw<F, W>(head: &'static str, then: F) -> String
where
    F: Fn(tokio::net::TcpStream) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let port = listen(HERE, 0, move |mut stream| {
        let then = then.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            then(stream).await;
        }
    })
    .await;
    format!("http://127.0.0.1:{port}/")
}

#[tokio::test]
async fn an_endless_body_stops_at_the_bound() {
    let url = raw("HTTP/1.1 200 OK\r\n\r\n", |mut stream| async move {
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    assert!(matches!(get(&url).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn an_endless_head_stops_at_the_bound() {
    let url = raw("HTTP/1.1 200 OK\r\n", |mut stream| async move {
        while stream.write_all(b"x-header: and another one\r\n").await.is_ok() {}
    })
    .await;
    assert!(matches!(get(&url).await, Err(Error::Connection { .. })));
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_given_up() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"] {
        let url = raw(head, |stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await;
        let mut call = call(Method::GET, &url);
        call.timeout_ms = 50;
        let error = local().send(call).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { timeout_ms: 50 }), "{error}");
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_broken_answer_is_an_error_that_may_pass() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "220 smtp.example\r\n"] {
        let url = raw(head, |_| async {}).await;
        let error = get(&url).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("CONNECTION_FAILED", true), "{head:?}");
    }
}

#[tokio::test]
async fn requests_beyond_the_bound_wait_within_their_time() {
    let url = raw("", |stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let options = Options { requests_max: 1, ..Options::default() };
    let client = Client::new(Guard::new(egress(&["127.0.0.1"]), Names::of(&[])), &options).unwrap();
    let mut slow = call(Method::GET, &url);
    slow.timeout_ms = 50;
    let (first, second) = tokio::join!(client.send(slow.clone()), client.send(slow));
    assert!(matches!(first, Err(Error::Timeout { .. })));
    assert!(matches!(second, Err(Error::Timeout { .. })));
}

#[tokio::test]
async fn an_address_that_is_not_known_to_the_resolver_fails() {
    let names = Names::of(&[("empty.example", &[&[]])]);
    let error = client(&[], &names).send(call(Method::GET, "http://empty.example/")).await;
    assert_eq!(error.unwrap_err().code(), "CONNECTION_FAILED");
}
