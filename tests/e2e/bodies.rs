//! Bodies that no one should send, and clients that no one should write.

use crate::project::{on_request, project};
use crate::raw;
use crate::world::{World, assert_error, error_of, until};
use bytes::Bytes;
use serde_json::{Value, json};
use tests::harness::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const EVENTS: &str = "/sdk/events/trigger";

/// What a body has to be, so that it is taken.
const GOOD: &str = r#"{"name":"Order Placed","payload":{"id":1}}"#;

async fn world(settings: &[(&str, &str)]) -> World {
    let steps = json!([{ "name": "wait", "delay": { "value": 0, "unit": "seconds" } }]);
    let file = project("http://127.0.0.1:9", &[on_request("echo", &steps)]);
    World::start_with(&file, settings).await
}

async fn send(world: &World, path: &str, body: impl Into<Bytes>) -> Answer {
    let bearer = format!("Bearer {}", world.token("anna"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    world.post(path, &headers, body.into()).await
}

async fn assert_lives(world: &World) {
    let answer = send(world, EVENTS, GOOD).await;
    assert_eq!(answer.status, 201, "{}", answer.shown());
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_its_place() {
    let world = world(&[]).await;
    let payload = |text: &str| format!(r#"{{"name":"Order Placed","payload":{text}}}"#);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("blanks", b"  \n ".to_vec()),
        ("half an object", GOOD.as_bytes()[..GOOD.len() - 3].to_vec()),
        ("two objects", format!("{GOOD}{GOOD}").into_bytes()),
        ("a list", format!("[{GOOD}]").into_bytes()),
        ("a string", b"\"Order Placed\"".to_vec()),
        ("null", b"null".to_vec()),
        ("a form", b"name=Order+Placed&payload=1".to_vec()),
        ("no name", br#"{"payload":{}}"#.to_vec()),
        ("an empty name", br#"{"name":"","payload":{}}"#.to_vec()),
        ("a name that is a number", br#"{"name":7,"payload":{}}"#.to_vec()),
        ("deep", payload(&nested(100)).into_bytes()),
        ("a million deep", payload(&nested(1_000_000)).into_bytes()),
        ("deep and open", format!("{}{}", r#"{"name":"#, "[{\"a\":".repeat(100_000)).into_bytes()),
        ("not UTF-8", [&b"{\"name\":\"Order Placed\",\"payload\":\"\xff\xfe\"}"[..]].concat()),
        ("overlong UTF-8", [&b"{\"name\":\"Order Placed\",\"payload\":\"\xc0\xaf\"}"[..]].concat()),
        ("half a surrogate", payload(r#""\ud83d""#).into_bytes()),
        ("a number beyond numbers", payload("1e999").into_bytes()),
        ("not a number", payload("NaN").into_bytes()),
        ("a comment", payload("{} // so").into_bytes()),
        ("a byte order mark", format!("\u{feff}{GOOD}").into_bytes()),
        ("a zero byte", payload("\"a\0b\"").into_bytes()),
    ];
    for (what, body) in cases {
        let answer = send(&world, EVENTS, body).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.shown());
        assert_eq!(error_of(&answer), "BODY_MALFORMED", "{what}");
    }
    assert_error(&send(&world, EVENTS, r#"{"name":"Other"}"#).await, 404, "EVENT_UNKNOWN");
    assert_lives(&world).await;
    assert_eq!(world.history("").await["total"], 0, "something was started");
}

#[tokio::test]
async fn what_is_only_odd_is_taken() {
    let world = world(&[]).await;
    let repeated = r#"{"name":"Order Placed","payload":{"a":1,"a":2}}"#;
    let cases = [
        r#"{"name":"Order Placed"}"#,
        r#"{"name":"Order Placed","payload":null}"#,
        r#"{"name":"Order Placed","payload":[1,"x",true]}"#,
        r#"{"name":"Order Placed","payload":"\ud83d\ude00 ä"}"#,
        r#"{"payload":{},"extra":1,"name":"Order\u0020Placed"}"#,
        repeated,
    ];
    for body in cases {
        let answer = send(&world, EVENTS, body).await;
        assert_eq!(answer.status, 201, "{body}: {}", answer.shown());
    }
    let bearer = format!("Bearer {}", world.token("anna"));
    for kind in ["auto", "auto, text/plain", "text/plain", "application/x-www-form-urlencoded", "?"]
    {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let answer = world.post(EVENTS, &headers, GOOD.into()).await;
        assert_eq!(answer.status, 201, "{kind}: {}", answer.shown());
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_held() {
    let world = world(&[("HTTP__BODY_BYTES_MAX", "100000")]).await;
    let before = world.resident_bytes();
    let fitting = format!(r#"{{"name":"Order Placed","payload":"{}"}}"#, "x".repeat(99_950));
    assert_eq!(send(&world, EVENTS, fitting).await.status, 201);
    let large = format!(r#"{{"name":"Order Placed","payload":"{}"}}"#, "x".repeat(200_000));
    assert_error(&send(&world, EVENTS, large).await, 413, "BODY_TOO_LARGE");
    let bearer = format!("Authorization: Bearer {}\r\n", world.token("anna"));
    let path = format!("/projects/{}{EVENTS}", world.api.project);
    // It says that it is huge: it is not waited for.
    let huge = raw::head("POST", &path, &format!("{bearer}Content-Length: 99999999999\r\n"));
    let answer = raw::exchange(world.node.address, huge.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // It does not say how large it is, and does not end.
    let endless = raw::head("POST", &path, &format!("{bearer}Transfer-Encoding: chunked\r\n"));
    let mut stream = TcpStream::connect(world.node.address).await.unwrap();
    stream.write_all(endless.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
    for _ in 0..1_000 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let grown = world.resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "the node grew by {grown} bytes");
    assert_lives(&world).await;
}

#[tokio::test]
async fn a_compressed_body_is_refused_by_name() {
    let world = world(&[]).await;
    let bearer = format!("Bearer {}", world.token("anna"));
    for encoding in ["gzip", "br", "deflate, gzip"] {
        let headers = [("authorization", bearer.as_str()), ("content-encoding", encoding)];
        let answer = world.post(EVENTS, &headers, Bytes::from_static(b"\x1f\x8b\x08")).await;
        assert_error(&answer, 415, "BODY_ENCODED");
    }
    let headers = [("authorization", bearer.as_str()), ("content-encoding", "identity")];
    assert_eq!(world.post(EVENTS, &headers, GOOD.into()).await.status, 201);
}

#[tokio::test]
async fn every_event_of_a_batch_has_a_result_of_its_own() {
    let world = world(&[]).await;
    let path = "/sdk/events/batch";
    let event = |name: &str| json!({ "name": name, "payload": {} });
    let body = json!({ "events": [
        event("Order Placed"), event("Other"), json!(7), json!({}), event("Order Placed"),
    ] });
    let answer = send(&world, path, body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.shown());
    let results = answer.json()["results"].clone();
    let statuses: Vec<Value> =
        results.as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [json!(201), json!(404), json!(400), json!(400), json!(201)]);
    assert_eq!(results[1]["meta"]["error"], "EVENT_UNKNOWN");
    let many = json!({ "events": vec![event("Order Placed"); 1_001] });
    assert_error(&send(&world, path, many.to_string()).await, 400, "BATCH_TOO_LARGE");
    for body in ["{}", r#"{"events":{}}"#, r#"{"events":null}"#, "[]"] {
        assert_error(&send(&world, path, body).await, 400, "BODY_MALFORMED");
    }
    assert_eq!(send(&world, path, r#"{"events":[]}"#).await.json(), json!({ "results": [] }));
}

#[tokio::test]
async fn what_http_cannot_read_is_refused_and_the_node_lives() {
    let world = world(&[]).await;
    let long = "a".repeat(100_000);
    let cases = [
        "NONSENSE\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET /\u{7f}\u{1} HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        raw::head("POST", "/", "Content-Length: many\r\n"),
        raw::head("POST", "/", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        raw::head("GET", "/", &format!("X-Long: {long}\r\n")),
        raw::head("GET", &format!("/{long}"), ""),
        raw::head("GET", "/", &"A: b\r\n".repeat(1_000)),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".to_owned() + "\r\n\r\n",
    ];
    for request in cases {
        let shown: String = request.chars().take(40).collect();
        let answer = raw::exchange(world.node.address, request.as_bytes()).await;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        assert!(answer.is_empty() || (400..500).contains(&status.unwrap()), "{shown}: {answer}");
    }
    for (method, path, status, name) in [
        ("GET", "/nowhere", 404, "ROUTE_UNKNOWN"),
        ("GET", "/../../etc/passwd", 404, "ROUTE_UNKNOWN"),
        ("DELETE", "/openapi.json", 405, "METHOD_UNSUPPORTED"),
    ] {
        assert_error(&world.open(method, path).await, status, name);
    }
    assert_lives(&world).await;
}

#[tokio::test]
async fn slow_clients_are_cut_off_and_others_are_served() {
    let settings = [("HTTP__HEAD_TIMEOUT_MS", "500"), ("HTTP__BODY_TIMEOUT_MS", "500")];
    let world = world(&settings).await;
    let path = format!("/projects/{}{EVENTS}", world.api.project);
    let bearer = format!("Authorization: Bearer {}\r\n", world.token("anna"));
    let whole = raw::head("POST", &path, &format!("{bearer}Content-Length: 1000\r\n"));
    let mut heads = Vec::new();
    let mut bodies = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(world.node.address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: ").await.unwrap();
        heads.push(stream);
        let mut stream = TcpStream::connect(world.node.address).await.unwrap();
        stream.write_all(whole.as_bytes()).await.unwrap();
        bodies.push(stream);
    }
    assert_lives(&world).await;
    for mut stream in heads {
        let answer = raw::rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    for mut stream in bodies {
        let answer = raw::rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("\"BODY_LATE\""), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_drips_is_cut_off_all_the_same() {
    let settings = [("HTTP__HEAD_TIMEOUT_MS", "500"), ("HTTP__BODY_TIMEOUT_MS", "500")];
    let world = world(&settings).await;
    let path = format!("/projects/{}{EVENTS}", world.api.project);
    let bearer = format!("Authorization: Bearer {}\r\n", world.token("anna"));
    let body = raw::head("POST", &path, &format!("{bearer}Content-Length: 100000\r\n"));
    for start in ["GET / HTTP/1.1\r\n", &body] {
        let mut stream = TcpStream::connect(world.node.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.into_split();
        let drip = tokio::spawn(async move {
            while writing.write_all(b"x").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
        let mut answer = Vec::new();
        let cut = tokio::time::timeout(
            std::time::Duration::from_secs(30),
            reading.read_to_end(&mut answer),
        );
        assert!(cut.await.is_ok(), "not cut off: {start:?}");
        drip.abort();
    }
    assert_lives(&world).await;
}

#[tokio::test]
async fn clients_that_never_read_their_answers_lose_their_connections() {
    let settings = [("HTTP__CONNECTIONS_MAX", "8"), ("HTTP__BODY_TIMEOUT_MS", "500")];
    let world = world(&settings).await;
    let before = world.resident_bytes();
    let request = "GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n".repeat(2_000);
    let mut deaf = Vec::new();
    for _ in 0..8 {
        let stream = TcpStream::connect(world.node.address).await.unwrap();
        let (reading, mut writing) = stream.into_split();
        let request = request.clone();
        let sent = tokio::spawn(async move {
            let _ = writing.write_all(request.as_bytes()).await;
            writing
        });
        deaf.push((reading, sent));
    }
    // Every connection is taken; the one that asks politely gets its turn when they are cut off.
    until("an answer", async || {
        let head = raw::head("GET", "/health/live", "");
        let answer = raw::exchange(world.node.address, head.as_bytes()).await;
        answer.starts_with("HTTP/1.1 200 ").then_some(())
    })
    .await;
    let grown = world.resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "the node grew by {grown} bytes");
    drop(deaf);
    assert_lives(&world).await;
}
