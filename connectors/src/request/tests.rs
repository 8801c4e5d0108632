use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::id::{ExecutionId, IntegrationId, StepId};
use domain::workflow::Body;
use std::collections::BTreeMap;
use uuid::Uuid;

fn request(url: &str) -> Request {
    Request {
        method: Method::Post,
        url: url.to_owned(),
        params: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        authorization: Authorization::None,
        timeout_ms: None,
        pagination: None,
    }
}

fn integration(base_url: &str) -> IntegrationSettings {
    IntegrationSettings {
        id: IntegrationId(Uuid::from_u128(1)),
        kind: "custom.tasklab".to_owned(),
        name: "TaskLab".to_owned(),
        base_url: base_url.to_owned(),
        hosts: vec!["files.tasklab.example".to_owned(), "*.eu.tasklab.example".to_owned()],
        authorization: Authorization::Bearer { token: "{{settings.oauthAccessToken}}".to_owned() },
        headers: BTreeMap::from([("X-Version".to_owned(), "7".to_owned())]),
        active: true,
        webhook: None,
        paging: None,
        inputs: vec![],
    }
}

fn scope() -> Scope {
    let settings = json!({ "oauthAccessToken": "t0ken", "shop": "acme", "channel": "C1" });
    Scope {
        trigger: json!({ "event": { "id": 7, "text": "a b&c", "line": "a\r\nX-Evil: 1", "tags": ["x", "y"] } }),
        settings: settings.as_object().unwrap().clone(),
        secrets: BTreeMap::from([("KEY".to_owned(), "s3cret".to_owned())]),
        ..Scope::default()
    }
}

fn build(
    request: &Request,
    integration: &IntegrationSettings,
    kind: Kind,
) -> Result<Built, Failed> {
    let key =
        EffectKey { execution: ExecutionId(Uuid::from_u128(2)), step: StepId(Uuid::from_u128(3)) };
    Draft { request, integration, kind, key, page: 0, runs: 1, timeout_ms: 5000, bytes_max: 1000 }
        .build(scope())
}

fn plain(request: &Request) -> Result<Built, Failed> {
    build(request, &integration("https://api.tasklab.example"), Kind::Plain)
}

fn to_integration(url: &str) -> Result<String, Failed> {
    let integration = integration("https://api.tasklab.example/v1");
    Ok(build(&request(url), &integration, Kind::Integration)?.call.url.into())
}

fn header<'a>(built: &'a Built, name: &str) -> &'a str {
    built.call.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn params_join_those_of_the_url() {
    let mut request = request("https://a.example/x?a=1#top");
    request.params = vec![
        ("q".to_owned(), json!("{{1.event.text}}")),
        ("tag".to_owned(), json!("{{1.event.tags}}")),
        ("n".to_owned(), json!(2)),
        ("gone".to_owned(), json!("{{1.event.nothing}}")),
    ];
    let built = plain(&request).unwrap();
    assert_eq!(built.call.url.as_str(), "https://a.example/x?a=1&q=a+b%26c&tag=x&tag=y&n=2#top");
    assert_eq!(built.shown["params"]["tag"], json!(["x", "y"]));
}

#[test]
fn bodies_come_with_their_content_type() {
    for (body, bytes, kind) in [
        (Body::None, "", ""),
        (Body::Json(json!({ "id": "{{1.event.id}}" })), r#"{"id":7}"#, "application/json"),
        (
            Body::Form(vec![("text".to_owned(), json!("{{1.event.text}}"))]),
            "text=a+b%26c",
            "application/x-www-form-urlencoded",
        ),
        (Body::Raw(json!(r#"{"id": {{1.event.id}}}"#)), r#"{"id": 7}"#, "application/json"),
        (Body::Raw(json!("{id {{1.event.id}}")), "{id 7", "text/plain; charset=utf-8"),
    ] {
        let mut request = request("https://a.example");
        request.body = body;
        let built = plain(&request).unwrap();
        assert_eq!(built.call.body, bytes);
        assert_eq!(header(&built, "content-type"), kind);
    }
}

#[test]
fn a_step_s_own_headers_win_and_the_connection_s_are_left_alone() {
    let mut request = request("https://a.example");
    request.body = Body::Json(json!(1));
    request.headers = [
        ("content-TYPE", "application/vnd.api+json"),
        ("User-Agent", "mine"),
        ("Idempotency-Key", "mine"),
        ("Host", "elsewhere.example"),
        ("Content-Length", "3"),
        ("Transfer-Encoding", "chunked"),
    ]
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .to_vec();
    let built = plain(&request).unwrap();
    assert_eq!(header(&built, "content-type"), "application/vnd.api+json");
    assert_eq!(header(&built, "user-agent"), "mine");
    assert_eq!(header(&built, "idempotency-key"), "mine");
    for name in ["host", "content-length", "transfer-encoding"] {
        assert_eq!(header(&built, name), "", "{name}");
    }
}

#[test]
fn attempts_share_an_idempotency_key_and_reads_have_none() {
    let mut request = request("https://a.example");
    let expected = "00000000-0000-0000-0000-000000000002:00000000-0000-0000-0000-000000000003";
    assert_eq!(header(&plain(&request).unwrap(), "idempotency-key"), expected);
    request.method = Method::Get;
    assert_eq!(header(&plain(&request).unwrap(), "idempotency-key"), "");
}

#[test]
fn line_breaks_cannot_make_headers() {
    let mut request = request("https://a.example");
    request.headers = vec![("X-A".to_owned(), json!("{{1.event.line}}"))];
    assert_eq!(plain(&request).unwrap_err(), Failed::Header("x-a".to_owned()));
    request.headers = vec![("X-A: 1\r\nX-B".to_owned(), json!("1"))];
    assert_eq!(plain(&request).unwrap_err().code(), "HEADER_INVALID");
    request.headers = Vec::new();
    request.authorization = Authorization::Bearer { token: "{{1.event.line}}".to_owned() };
    assert_eq!(plain(&request).unwrap_err().code(), "HEADER_INVALID");
    request.authorization =
        Authorization::Basic { username: "{{1.event.line}}".to_owned(), password: String::new() };
    assert_eq!(header(&plain(&request).unwrap(), "authorization"), "Basic YQ0KWC1FdmlsOiAxOg==");
}

#[test]
fn a_name_in_the_url_becomes_basic_authorization() {
    let built = plain(&request("http://us%40er:pa+ss@a.example/x")).unwrap();
    assert_eq!(built.call.url.as_str(), "http://a.example/x");
    assert_eq!(
        header(&built, "authorization"),
        format!("Basic {}", STANDARD.encode("us@er:pa+ss"))
    );
}

#[test]
fn what_is_no_url_is_said_so_without_its_secrets() {
    for url in
        ["", "a.example/x", "ftp://a.example", "http://", "file:///etc/passwd", "http://a b/"]
    {
        assert_eq!(plain(&request(url)).unwrap_err().code(), "URL_INVALID", "{url}");
    }
    let failed = plain(&request("nope {{secrets.KEY}}")).unwrap_err();
    assert_eq!(failed, Failed::Url(format!("nope {HIDDEN}")));
}

#[test]
fn a_missing_variable_is_named() {
    let failed = plain(&request("https://a.example/{{secrets.OTHER}}")).unwrap_err();
    assert_eq!(failed.code(), "SECRET_UNKNOWN");
    assert!(failed.to_string().contains("OTHER"));
    let failed = plain(&request("https://a.example/{{nobody.result}}")).unwrap_err();
    assert!(failed.to_string().contains("nobody"), "{failed}");
}

#[test]
fn a_path_goes_below_the_base_url() {
    for (path, url) in [
        ("/tasks?x=1", "https://api.tasklab.example/v1/tasks?x=1"),
        ("tasks", "https://api.tasklab.example/v1/tasks"),
        ("", "https://api.tasklab.example/v1"),
        ("?x=1", "https://api.tasklab.example/v1?x=1"),
        ("//evil.example/x", "https://api.tasklab.example/v1//evil.example/x"),
        ("@evil.example/x", "https://api.tasklab.example/v1/@evil.example/x"),
        (".evil.example/x", "https://api.tasklab.example/v1/.evil.example/x"),
        (":80/x", "https://api.tasklab.example/v1/:80/x"),
        ("/\\evil.example", "https://api.tasklab.example/v1//evil.example"),
        ("ftp://evil.example", "https://api.tasklab.example/v1/ftp://evil.example"),
    ] {
        assert_eq!(to_integration(path).as_deref(), Ok(url));
    }
}

#[test]
fn a_full_url_must_be_on_a_host_of_the_integration() {
    for url in [
        "https://api.tasklab.example/other",
        "HTTPS://API.TaskLab.example:443/other",
        "https://files.tasklab.example/f",
        "https://a.eu.tasklab.example/f",
    ] {
        assert!(to_integration(url).is_ok(), "{url}");
    }
    for url in [
        "https://evil.example/",
        "http://api.tasklab.example/",
        "http://files.tasklab.example/",
        "https://api.tasklab.example:8443/",
        "https://api.tasklab.example.evil.example/",
        "https://api.tasklab.example@evil.example/",
        "https://eu.tasklab.example/",
        "https://evileu.tasklab.example/",
        "https://.eu.tasklab.example/",
        "https://api.tasklab.example./",
    ] {
        assert_eq!(to_integration(url), Err(Failed::Domain), "{url}");
    }
}

#[test]
fn what_a_user_gave_cannot_end_the_host() {
    let shop = |template: &str, given: &str| {
        let integration = integration(template);
        let mut scope = scope();
        scope.settings.insert("shop".to_owned(), json!(given));
        super::target::integration("/x", &integration, &scope).map(String::from)
    };
    let part = "https://{{settings.shop}}.tasklab.example";
    assert_eq!(shop(part, "acme").as_deref(), Ok("https://acme.tasklab.example/x"));
    for given in ["evil.example/", "evil.example?", "evil.example#", "u@evil.example", "a\\b", ""] {
        let made = shop(part, given);
        assert!(made.is_err(), "{given:?} gave {made:?}");
    }
    let whole = "{{settings.shop}}";
    assert_eq!(shop(whole, "https://own.example/").as_deref(), Ok("https://own.example/x"));
}

#[test]
fn an_integration_s_token_is_sent_and_not_shown() {
    let mut request = request("/tasks?channel={{settings.channel}}");
    request.body =
        Body::Json(json!({ "key": "{{secrets.KEY}}", "token": "{{settings.oauthAccessToken}}" }));
    let integration = integration("https://api.tasklab.example");
    let built = build(&request, &integration, Kind::Integration).unwrap();
    assert_eq!(header(&built, "authorization"), "Bearer t0ken");
    assert_eq!(header(&built, "x-version"), "7");
    assert_eq!(built.call.body, r#"{"key":"s3cret","token":"t0ken"}"#);
    assert_eq!(built.shown["headers"]["Authorization"], HIDDEN);
    assert_eq!(built.shown["url"], "https://api.tasklab.example/tasks?channel=C1");
    let shown = built.shown.to_string();
    assert!(!shown.contains("t0ken") && !shown.contains("s3cret"), "{shown}");
    let debug = format!("{:?}", built.call.headers);
    assert!(!debug.contains("t0ken"), "{debug}");
}

#[test]
fn a_token_in_the_query_is_not_shown_either() {
    let mut integration = integration("https://api.tasklab.example");
    integration.authorization =
        Authorization::Query { name: "api_key".to_owned(), value: "{{settings.shop}}".to_owned() };
    let request = request("/tasks?shop={{settings.shop}}");
    let built = build(&request, &integration, Kind::Integration).unwrap();
    assert_eq!(built.call.url.as_str(), "https://api.tasklab.example/tasks?shop=acme&api_key=acme");
    assert!(!built.shown.to_string().contains("acme"), "{}", built.shown);
}

#[test]
fn a_step_s_own_authorization_replaces_the_integration_s() {
    let mut request = request("/tasks");
    request.authorization = Authorization::Bearer { token: "own".to_owned() };
    let integration = integration("https://api.tasklab.example");
    let built = build(&request, &integration, Kind::Integration).unwrap();
    assert_eq!(header(&built, "authorization"), "Bearer own");
    assert_eq!(built.shown["headers"]["Authorization"], "Bearer own");
}

#[test]
fn a_plain_request_gets_nothing_of_the_integration() {
    let built = plain(&request("https://a.example")).unwrap();
    assert_eq!(header(&built, "authorization"), "");
    assert_eq!(header(&built, "x-version"), "");
}

#[test]
fn the_encoding_of_a_file_is_not_sent() {
    let mut request = request("https://a.example");
    request.headers = vec![("X-Paragon-Encoding".to_owned(), json!("hex"))];
    request.body = Body::Raw(
        json!({ "name": "a.pdf", "data": "25504446", "mimeType": "application/pdf", "dataType": "FILE" }),
    );
    let built = plain(&request).unwrap();
    assert_eq!(built.call.body, "%PDF");
    assert_eq!(header(&built, "content-type"), "application/pdf");
    assert_eq!(header(&built, "x-paragon-encoding"), "");
}

#[test]
fn the_boundary_of_a_form_is_in_its_type_whatever_the_step_says() {
    let mut request = request("https://a.example");
    request.body = Body::Multipart(vec![("a".to_owned(), json!("b"))]);
    for (own, kind) in [
        (None, "multipart/form-data"),
        (Some("multipart/form-data"), "multipart/form-data"),
        (Some("Multipart/Mixed; boundary=x"), "Multipart/Mixed"),
        (Some("application/json"), "multipart/form-data"),
    ] {
        request.headers =
            own.map(|own| ("Content-Type".to_owned(), json!(own))).into_iter().collect();
        let built = plain(&request).unwrap();
        let (sent, boundary) = header(&built, "content-type").split_once("; boundary=").unwrap();
        assert_eq!(sent, kind);
        assert!(built.call.body.starts_with(format!("--{boundary}\r\n").as_bytes()));
    }
}

#[test]
fn an_integration_s_type_is_for_json_only() {
    let mut integration = integration("https://api.tasklab.example");
    let own = "application/vnd.api+json";
    integration.headers.insert("content-type".to_owned(), own.to_owned());
    for (body, kind) in [
        (Body::Json(json!({})), own),
        (Body::Form(vec![("a".to_owned(), json!(1))]), "application/x-www-form-urlencoded"),
        (Body::Xml(json!("<a/>")), "application/xml"),
        (Body::Binary(json!("00")), "application/octet-stream"),
    ] {
        let mut request = request("/x");
        request.body = body;
        let built = build(&request, &integration, Kind::Integration).unwrap();
        assert_eq!(header(&built, "content-type"), kind);
    }
}

#[test]
fn a_read_may_have_a_body_too() {
    let mut request = request("https://a.example");
    for method in [Method::Get, Method::Delete, Method::Options] {
        request.method = method;
        request.body = Body::Json(json!({ "ids": [1] }));
        let built = plain(&request).unwrap();
        assert_eq!(built.call.body, r#"{"ids":[1]}"#);
        assert_eq!(header(&built, "content-type"), "application/json");
        assert_eq!(built.call.method.as_str(), method.as_str());
    }
}

#[test]
fn a_body_beyond_the_bound_is_not_sent() {
    let mut request = request("https://a.example");
    request.body = Body::Raw(json!("x".repeat(1001)));
    assert_eq!(plain(&request).unwrap_err().code(), "INPUT_TOO_LARGE");
}
