use super::*;
use multer::Multipart;
use std::convert::Infallible;

const MAX: usize = 4_000;

fn file(name: &str, data: &str) -> Value {
    json!({ "name": name, "data": data, "mimeType": "application/pdf", "dataType": "FILE" })
}

fn scope() -> Scope {
    let event = json!({
        "file": file("a.pdf", "25504446"),
        "tricky": file("a\"\r\nX-Evil: 1;é.pdf", "00"),
        "many": [file("1", "01"), "text", 7, null],
        "text": "two words & more",
        "order": { "id": 7 },
        "typeless": { "name": "x", "data": "ff", "mimeType": "a/b\r\nX-Evil: 1" },
        "number": 7,
        "note": { "dataType": "TEXT", "data": "00" },
    });
    Scope { trigger: json!({ "event": event }), ..Scope::default() }
}

fn encode(body: &Body, encoding: Option<&str>) -> Result<Encoded, Failed> {
    let encoding = encoding.map(Encoding::named).transpose()?;
    Filled::of(body, encoding, &scope(), MAX)?.encode(MAX as u64)
}

fn fields(fields: &Value) -> Vec<(String, Value)> {
    let entries = fields.as_object().unwrap();
    entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Name, file name, type and bytes of each part, as a server's parser reads them.
async fn parts(encoded: Encoded) -> Vec<(String, Option<String>, Option<String>, Vec<u8>)> {
    let boundary = multer::parse_boundary(encoded.kind.unwrap()).unwrap();
    let body = futures(encoded.bytes);
    let mut read = Vec::new();
    let mut form = Multipart::new(body, boundary);
    while let Some(part) = form.next_field().await.unwrap() {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let (name, file_name) = (text(part.name()).unwrap(), text(part.file_name()));
        let kind = part.content_type().map(ToString::to_string);
        read.push((name, file_name, kind, part.bytes().await.unwrap().to_vec()));
    }
    read
}

fn futures(bytes: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    futures_util::stream::iter([Ok(bytes)])
}

#[tokio::test]
async fn a_form_holds_texts_and_files() {
    let form = fields(&json!({
        "title": "{{1.event.text}}",
        "count": 3,
        "order": "{{1.event.order}}",
        "gone": "{{1.event.nothing}}",
        "file": "{{1.event.file}}",
        "made": { "name": "b.csv", "data": "6869", "mimeType": "text/csv", "dataType": "FILE" },
        "many": "{{1.event.many}}",
    }));
    let encoded = encode(&Body::Multipart(form), None).unwrap();
    assert!(encoded.kind.as_ref().unwrap().starts_with("multipart/form-data; boundary="));
    let part = |name: &str, file: Option<&str>, kind: Option<&str>, bytes: &[u8]| {
        (name.to_owned(), file.map(str::to_owned), kind.map(str::to_owned), bytes.to_vec())
    };
    let mut expected = [
        part("title", None, None, b"two words & more"),
        part("count", None, None, b"3"),
        part("order", None, Some("application/json"), b"{\"id\":7}"),
        part("file", Some("a.pdf"), Some("application/pdf"), b"%PDF"),
        part("made", Some("b.csv"), Some("text/csv"), b"hi"),
        part("many", Some("1"), Some("application/pdf"), b"\x01"),
        part("many", None, None, b"text"),
        part("many", None, None, b"7"),
    ];
    let mut read = parts(encoded).await;
    read.sort();
    expected.sort();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn no_name_and_no_content_can_end_a_part() {
    let ends = "--x\r\nContent-Disposition: form-data; name=\"evil\"\r\n\r\n1\r\n--x--";
    let form = vec![
        ("a\"b\r\nX-Evil: 1".to_owned(), json!(ends)),
        ("file".to_owned(), json!("{{1.event.tricky}}")),
    ];
    let encoded = encode(&Body::Multipart(form), None).unwrap();
    let text = String::from_utf8_lossy(&encoded.bytes).into_owned();
    assert!(text.contains("name=\"a%22b%0D%0AX-Evil: 1\"\r\n"), "{text}");
    assert!(text.contains("filename=\"a%22%0D%0AX-Evil: 1;é.pdf\"\r\n"), "{text}");
    let read = parts(encoded).await;
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].3, ends.as_bytes());
}

#[test]
fn two_forms_have_different_boundaries() {
    let form = Body::Multipart(vec![("a".to_owned(), json!("b"))]);
    assert_ne!(encode(&form, None).unwrap().kind, encode(&form, None).unwrap().kind);
}

#[test]
fn a_file_is_sent_as_its_bytes_with_its_type() {
    for (template, encoding, bytes, kind) in [
        (json!("{{1.event.file}}"), None, &b"%PDF"[..], "application/pdf"),
        (json!("{{1.event.typeless}}"), None, b"\xff", "application/octet-stream"),
        (json!("25504446"), None, b"%PDF", "application/octet-stream"),
        (json!("JVBERg=="), Some("base64"), b"%PDF", "application/octet-stream"),
        (json!("JVBE\r\nRg"), Some("BASE64"), b"%PDF", "application/octet-stream"),
        (json!("-_+/"), Some("base64url"), b"\xfb\xff\xbf", "application/octet-stream"),
        (json!("é"), Some("utf8"), "é".as_bytes(), "application/octet-stream"),
        (json!("é"), Some("binary"), b"\xe9", "application/octet-stream"),
        (
            json!({ "name": "a.csv", "data": "{{1.event.text}}", "mimeType": "text/csv" }),
            Some("utf8"),
            b"two words & more",
            "text/csv",
        ),
    ] {
        let encoded = encode(&Body::Binary(template.clone()), encoding).unwrap();
        assert_eq!(encoded.bytes, bytes, "{template}");
        assert_eq!(encoded.kind.as_deref(), Some(kind), "{template}");
        // With an encoding, a body that is written down is a file too.
        let header = encoding.or(Some("hex"));
        for body in [Body::Raw(template.clone()), Body::Json(template.clone())] {
            assert_eq!(encode(&body, header).unwrap().bytes, bytes, "{template}");
        }
    }
}

#[test]
fn what_is_no_file_is_said_so() {
    for (template, encoding) in [
        (json!("{{1.event.nothing}}"), None),
        (json!("{{1.event.number}}"), None),
        (json!("{{1.event.order}}"), None),
        (json!("{{1.event.note}}"), None),
        (json!("{{1.event.many}}"), None),
        (json!("zz"), None),
        (json!("2550444"), None),
        (json!("25504446"), Some("rot13")),
        (json!("J!"), Some("base64")),
        (json!("€"), Some("latin1")),
    ] {
        let failed = encode(&Body::Binary(template.clone()), encoding).unwrap_err();
        assert_eq!(failed.code(), "BODY_INVALID", "{template}");
    }
    for body in [Body::None, Body::Form(Vec::new()), Body::Xml(json!("<a/>"))] {
        assert_eq!(encode(&body, Some("hex")).unwrap_err().code(), "BODY_INVALID", "{body:?}");
    }
    let broken = json!({ "name": "x", "data": 7, "dataType": "FILE" });
    let form = Body::Multipart(vec![("file".to_owned(), broken)]);
    assert_eq!(encode(&form, None).unwrap_err().code(), "BODY_INVALID");
}

#[test]
fn a_file_counts_with_its_bytes() {
    let scope = |bytes: usize| Scope {
        trigger: json!({ "event": { "file": file("a", &"00".repeat(bytes)) } }),
        ..Scope::default()
    };
    let template = json!("{{1.event.file}}");
    let bodies =
        [Body::Binary(template.clone()), Body::Multipart(vec![("file".to_owned(), template)])];
    for body in bodies {
        let send = |bytes: usize| {
            Filled::of(&body, None, &scope(bytes), MAX)?.encode(MAX as u64).map(|sent| sent.bytes)
        };
        assert!(send(MAX - 300).is_ok());
        assert_eq!(send(MAX + 1).unwrap_err().code(), "INPUT_TOO_LARGE");
    }
}

#[test]
fn history_shows_what_a_file_is_and_not_its_bytes() {
    let shown = |body: Body| Filled::of(&body, None, &scope(), MAX).unwrap().shown();
    let file =
        json!({ "name": "a.pdf", "mimeType": "application/pdf", "dataType": "FILE", "size": 4 });
    assert_eq!(shown(Body::Binary(json!("{{1.event.file}}"))), file);
    let form = fields(&json!({ "file": "{{1.event.file}}", "files": ["{{1.event.file}}", "x"] }));
    assert_eq!(shown(Body::Multipart(form)), json!({ "file": file, "files": [file, "x"] }));
}
