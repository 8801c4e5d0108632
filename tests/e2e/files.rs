//! Files: in with a request, an event or a download, through steps, and out as a part, a body or an
//! answer, byte for byte.

mod shelf;

use crate::project::{id, on_order, on_request, project};
use crate::world::{World, text};
use bytes::Bytes;
use serde_json::{Value, json};
use shelf::{DOWNLOAD, Shelf};
use tests::harness::Answer;

/// Every byte, line ends and what looks like the end of a part.
fn tricky() -> Bytes {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    [&bytes[..], b"\r\n--x\r\n--x--\r\n", b"\r\n------millrace--\r\n\0"].concat().into()
}

/// Sends a file as the part `paragon-file` of a form.
async fn upload(world: &World, token: &str, workflow: &str, file: &[u8]) -> Answer {
    let head = "--sep\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nReport\r\n--sep\r\n\
        Content-Disposition: form-data; name=\"paragon-file\"; filename=\"bericht ü.bin\"\r\n\
        Content-Type: application/x-report\r\n\r\n";
    let body = [head.as_bytes(), file, b"\r\n--sep--\r\n"].concat();
    let bearer = format!("Bearer {token}");
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "multipart/form-data; boundary=sep")];
    world.post(&format!("/sdk/triggers/{}", id(workflow)), &headers, body.into()).await
}

/// Steps that send a file in every way.
fn sends(shelf: &Shelf, file: &str) -> Vec<Value> {
    let form = json!({ "title": "{{trigger.request.body.title}}", "file": file });
    vec![
        json!({ "name": "form", "request": {
            "method": "POST", "url": shelf.url("/form"), "multipart": form,
        } }),
        json!({ "name": "bytes", "integration_request": {
            "method": "PUT", "path": "/bytes", "binary": file,
        } }),
        json!({ "name": "old", "request": {
            "method": "POST", "url": shelf.url("/old"), "raw": file,
            "headers": { "X-Paragon-Encoding": "hex" },
        } }),
    ]
}

fn and_answer(mut steps: Vec<Value>, file: &str) -> Value {
    steps.push(json!({ "name": "answer", "response": { "type": "file", "body": file } }));
    Value::Array(steps)
}

/// What arrived is the file, whichever way it came.
async fn assert_arrived(shelf: &Shelf, name: &str, kind: &str, file: &[u8]) {
    let part = shelf.part("/form", "file").await.expect("a part");
    assert_eq!((part.file_name.as_deref(), part.kind.as_deref()), (Some(name), Some(kind)));
    assert!(part.bytes == file, "the part has {} bytes", part.bytes.len());
    for path in ["/bytes", "/old"] {
        let arrived = shelf.last(path).expect("a body");
        assert_eq!(arrived.header("content-type"), kind, "{path}");
        assert_eq!(arrived.header("content-length"), file.len().to_string(), "{path}");
        assert_eq!(arrived.header("x-paragon-encoding"), "", "{path}");
        assert!(arrived.body == file, "{path}: {} bytes", arrived.body.len());
    }
}

#[tokio::test]
async fn a_file_of_a_request_goes_out_as_part_body_and_answer() {
    let shelf = Shelf::start().await;
    let file = "{{trigger.request.file}}";
    let steps = and_answer(sends(&shelf, file), file);
    let world = World::start(&project(&shelf.url(""), &[on_request("pass", &steps)])).await;
    let token = world.connected("anna").await;
    let answer = upload(&world, &token, "pass", &tricky()).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    assert_eq!(answer.header("content-type"), "application/x-report");
    assert!(answer.body == tricky(), "{} bytes came back", answer.body.len());
    assert_arrived(&shelf, "bericht ü.bin", "application/x-report", &tricky()).await;
    assert_eq!(shelf.part("/form", "title").await.unwrap().bytes, "Report");
    // History says what was sent, not all of it.
    let run = world.ended("", 1).await.remove(0);
    let run = world.run(&text(&run["id"])).await;
    let shown = world.step(&run, 1).await["input"]["body"].clone();
    let kept = json!({
        "name": "bericht ü.bin", "mimeType": "application/x-report", "dataType": "FILE",
        "size": tricky().len(),
    });
    assert_eq!(shown, json!({ "title": "Report", "file": kept }));
}

#[tokio::test]
async fn a_file_written_in_hex_is_a_file_too() {
    // The sample of the page "Working with Files".
    let sample = json!({
        "name": "test.txt", "data": "5468697320697320612073616d706c6520746578742e",
        "mimeType": "text/plain", "dataType": "FILE",
    });
    let shelf = Shelf::start().await;
    let (body, event) = ("{{trigger.request.body}}", "{{trigger.event}}");
    let workflows = [
        on_request("pass", &and_answer(sends(&shelf, body), body)),
        on_order("event", &json!(sends(&shelf, event))),
    ];
    let world = World::start(&project(&shelf.url(""), &workflows)).await;
    let token = world.connected("anna").await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let path = format!("/sdk/triggers/{}", id("pass"));
    let answer = world.post(&path, &headers, sample.to_string().into()).await;
    assert_eq!(answer.shown(), "200 This is a sample text.");
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_arrived(&shelf, "test.txt", "text/plain", b"This is a sample text.").await;
    shelf.clear();
    world.order(&token, &sample).await;
    world.ended("", 2).await;
    assert_arrived(&shelf, "test.txt", "text/plain", b"This is a sample text.").await;
}

#[tokio::test]
async fn a_download_is_a_file_for_the_next_step() {
    let shelf = Shelf::start().await;
    shelf.offer(tricky());
    let file = "{{get.response.body}}";
    let mut steps = vec![json!({ "name": "get", "request": { "url": shelf.url(DOWNLOAD) } })];
    steps.extend(sends(&shelf, file));
    let steps = and_answer(steps, file);
    let world = World::start(&project(&shelf.url(""), &[on_request("copy", &steps)])).await;
    let token = world.connected("anna").await;
    let answer = world.api.request(&token, &id("copy"), &json!({})).await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/pdf"));
    assert!(answer.body == tricky(), "{} bytes came back", answer.body.len());
    assert_arrived(&shelf, "Jahresbericht ü.pdf", "application/pdf", &tricky()).await;
}

const LARGE: usize = 60 << 20;

/// A world whose door lets large files in; `step_bytes_max` as given.
async fn world_of_large_files(shelf: &Shelf, step_bytes_max: Option<u64>) -> World {
    let file = "{{trigger.request.file}}";
    let send = sends(shelf, file).remove(1);
    let get = json!({ "name": "get", "request": { "url": shelf.url(DOWNLOAD) } });
    let answer = json!([{ "name": "answer", "response": { "type": "file", "body": file } }]);
    let workflows = [
        on_request("send", &json!([send])),
        on_request("get", &json!([get])),
        on_request("answer", &answer),
    ];
    let mut file = project(&shelf.url(""), &workflows);
    if let Some(bytes_max) = step_bytes_max {
        file["project"]["step_bytes_max"] = json!(bytes_max);
    }
    World::start_with(&file, &[("HTTP__BODY_BYTES_MAX", "100000000")]).await
}

#[tokio::test]
async fn a_file_over_the_project_s_limit_fails_with_a_clear_error() {
    let shelf = Shelf::start().await;
    shelf.offer(vec![7; LARGE].into());
    let world = world_of_large_files(&shelf, None).await;
    let token = world.connected("anna").await;
    let sent = upload(&world, &token, "send", &vec![7; LARGE]).await;
    assert_eq!(sent.status, 202, "{}", sent.shown());
    let run = world.run(&text(&sent.json()["executionId"])).await;
    let get = world.run_through(&token, &id("get"), &json!({})).await;
    for (run, code, words) in [
        (run, "INPUT_TOO_LARGE", "The step's input is larger than 52428800 bytes."),
        (get, "RESPONSE_TOO_LARGE", "the response body is larger than 52428800 bytes"),
    ] {
        assert_eq!(run["status"], "FAILED", "{run}");
        let error = world.step(&run, 1).await["output"]["error"].clone();
        assert_eq!(error, json!({ "code": code, "message": words }));
    }
    assert!(shelf.last("/bytes").is_none(), "something was sent");
    let answer = upload(&world, &token, "answer", &vec![7; LARGE]).await;
    assert!(answer.status >= 400 && answer.body.len() < 10_000, "{}", answer.status);
}

#[tokio::test]
async fn the_limit_can_be_raised() {
    let shelf = Shelf::start().await;
    shelf.offer(vec![7; LARGE].into());
    let world = world_of_large_files(&shelf, Some(200_000_000)).await;
    let token = world.connected("anna").await;
    let sent = upload(&world, &token, "send", &vec![7; LARGE]).await;
    let run = world.run(&text(&sent.json()["executionId"])).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    assert!(shelf.last("/bytes").unwrap().body == vec![7; LARGE]);
    let get = world.run_through(&token, &id("get"), &json!({})).await;
    assert_eq!(get["status"], "SUCCEEDED", "{get}");
    let answer = upload(&world, &token, "answer", &vec![7; LARGE]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == vec![7; LARGE], "{} bytes came back", answer.body.len());
}
