//! Pages as integrations part lists into them, asked for until there are no more.

use super::job::{action, job, local_runner};
use super::server::{Answer, Seen, Server, answer};
use domain::paging::{Paging, names};
use ports::{Outbound, Outcome};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Results that every list here has.
const ITEMS: u64 = 25;
const PAGE: u64 = 10;

/// What a request asks for.
struct Query(BTreeMap<String, String>);

impl Query {
    fn of(seen: &Seen) -> Self {
        let query = seen.path.split_once('?').map_or("", |(_, query)| query);
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.parse().ok()
    }
}

fn some(begin: u64, size: u64) -> Vec<u64> {
    (begin..begin.saturating_add(size).min(ITEMS)).collect()
}

fn of(body: &Value) -> Answer {
    answer(200, &[("content-type", "application/json")], body.to_string())
}

/// A list by a token, where nothing is said on the last page.
fn by_cursor(seen: &Seen, (param, size): (&str, &str), body: fn(Value, Value) -> Value) -> Answer {
    let query = Query::of(seen);
    let begin = query.0.get(param).map_or(0, |token| token[2..].parse().unwrap());
    let size = query.count(size).unwrap_or(PAGE).min(PAGE);
    let end = begin + size;
    let next = if end < ITEMS { json!(format!("t-{end}")) } else { Value::Null };
    of(&body(json!(some(begin, size)), next))
}

/// A list whose next page has an address.
fn by_link(seen: &Seen, next: impl Fn(u64) -> String, body: fn(Value, Value) -> Value) -> Answer {
    let begin = Query::of(seen).count("from").unwrap_or_default();
    let end = begin + PAGE;
    let next = if end < ITEMS { json!(next(end)) } else { Value::Null };
    of(&body(json!(some(begin, PAGE)), next))
}

fn provider(seen: &Seen) -> Answer {
    let path = seen.path.split('?').next().unwrap_or_default();
    let host = seen.header("host").unwrap();
    match path {
        "/asana" => by_cursor(
            seen,
            ("offset", "limit"),
            |data, next| json!({ "data": data, "next_page": { "offset": next } }),
        ),
        "/hostile" => of(&json!({ "data": [1], "next_page": { "offset": "{{secrets.KEY}}" } })),
        "/salesforce" => by_link(
            seen,
            |end| format!("/salesforce?from={end}"),
            |rows, next| json!({ "records": rows, "nextRecordsUrl": next }),
        ),
        "/outlook" => by_link(
            seen,
            |end| format!("http://{host}/outlook?from={end}&$skiptoken=x"),
            |value, next| json!({ "value": value, "@odata.nextLink": next }),
        ),
        "/elsewhere" => of(&json!({ "value": [1], "@odata.nextLink": "https://evil.example/" })),
        "/github" => {
            let begin = Query::of(seen).count("from").unwrap_or_default();
            let link = format!("<http://{host}/github?from={}>; rel=\"next\"", begin + PAGE);
            let link = format!("<http://{host}/github>; rel=\"first\", {link}");
            let headers = [("content-type", "application/json"), ("link", link.as_str())];
            let headers = if begin + PAGE < ITEMS { &headers[..] } else { &headers[..1] };
            answer(200, headers, json!(some(begin, PAGE)).to_string())
        }
        "/azuredevops" => {
            let begin = Query::of(seen).count("continuationToken").unwrap_or_default();
            let token = (begin + PAGE).to_string();
            let headers =
                [("content-type", "application/json"), ("x-ms-continuationtoken", &token)];
            let headers = if begin + PAGE < ITEMS { &headers[..] } else { &headers[..1] };
            answer(200, headers, json!({ "value": some(begin, PAGE) }).to_string())
        }
        "/jira/values" => {
            let begin = Query::of(seen).count("startAt").unwrap_or_default();
            of(&json!({ "values": some(begin, PAGE), "total": ITEMS }))
        }
        "/jira/search" => by_cursor(
            seen,
            ("nextPageToken", "maxResults"),
            |issues, next| json!({ "issues": issues, "isLast": next.is_null(), "nextPageToken": next }),
        ),
        "/typeform" => {
            let page = Query::of(seen).count("page").unwrap_or(1);
            let items = some((page - 1) * PAGE, PAGE);
            of(&json!({ "items": items, "page_count": ITEMS.div_ceil(PAGE) }))
        }
        // Nothing says that a page is the last.
        _ => {
            let begin = Query::of(seen).count("skip").unwrap_or_default();
            of(&json!({ "rows": some(begin, PAGE) }))
        }
    }
}

/// Everything that a step gets from a list, page by page.
struct Walk {
    results: Vec<Value>,
    pages: usize,
    last: Outcome,
}

async fn walk(server: &Server, paging: &Value, path: &str, told: &Value) -> Walk {
    let step =
        json!({ "integration_request": { "method": "GET", "url": path, "pagination": told } });
    let (mut own, mut results) = (Value::Null, Vec::new());
    for page in 0..20 {
        let mut job = job(action(step.clone()));
        let integration = Arc::make_mut(&mut job.integration);
        integration.base_url = server.url("");
        integration.paging = serde_json::from_value(paging.clone()).unwrap();
        (job.call.page, job.scope.own) = (page, own);
        let last = local_runner().perform(job).await;
        let some = last.output["response"]["results"].as_array();
        results.extend(some.into_iter().flatten().cloned());
        if !last.goes_on {
            return Walk { results, pages: page as usize + 1, last };
        }
        own = last.output.clone();
    }
    panic!("{path} does not end");
}

async fn walked(server: &Server, kind: &str, path: &str, told: Value) -> Walk {
    walk(server, &json!(kind), path, &told).await
}

fn numbers(range: std::ops::Range<u64>) -> Vec<Value> {
    range.map(Value::from).collect()
}

const LISTS: [(&str, &str); 8] = [
    ("asana", "/asana"),
    ("salesforce", "/salesforce"),
    ("outlook", "/outlook"),
    ("github", "/github"),
    ("azuredevops", "/azuredevops"),
    ("jira", "/jira/values"),
    ("jira", "/jira/search"),
    ("typeform", "/typeform"),
];

#[tokio::test]
async fn every_way_of_parting_a_list_is_followed_to_its_end() {
    let server = Server::start(provider).await;
    for (kind, path) in LISTS {
        let walk = walked(&server, kind, path, json!({})).await;
        assert_eq!((walk.last.failure, walk.pages), (None, 3), "{path}");
        assert_eq!(walk.results, numbers(0..ITEMS), "{path}");
    }
}

#[tokio::test]
async fn results_are_left_out_and_limited_as_the_step_says() {
    let server = Server::start(provider).await;
    for (kind, path) in LISTS {
        for (told, expected) in [
            (json!({ "limit": 12 }), 0..12),
            (json!({ "limit": "10" }), 0..10),
            (json!({ "skip": 3 }), 3..ITEMS),
            (json!({ "skip": 11, "limit": "{{1.event.id}}" }), 11..18),
            (json!({ "skip": 100 }), 0..0),
            (json!({ "limit": 0 }), 0..0),
        ] {
            let walk = walked(&server, kind, path, told.clone()).await;
            assert_eq!(walk.last.failure, None, "{path} {told}");
            assert_eq!(walk.results, numbers(expected), "{path} {told}");
        }
    }
    let asked =
        server.seen().iter().filter(|seen| seen.path.starts_with("/asana?limit=10")).count();
    assert!(asked > 0, "a page is no larger than what is wanted");
}

#[tokio::test]
async fn it_begins_with_the_page_that_the_step_says() {
    let server = Server::start(provider).await;
    let address = server.url("/outlook?from=20");
    for (kind, path, page, begin) in [
        ("asana", "/asana", "t-10", 10),
        ("outlook", "/outlook", address.as_str(), 20),
        ("azuredevops", "/azuredevops", "20", 20),
        ("jira", "/jira/search", "t-20", 20),
        ("typeform", "/typeform", "2", 10),
    ] {
        let walk = walked(&server, kind, path, json!({ "previous_page": page })).await;
        assert_eq!(walk.results, numbers(begin..ITEMS), "{path}");
    }
}

#[tokio::test]
async fn a_project_tells_its_own_and_an_empty_page_ends_it() {
    let server = Server::start(provider).await;
    let own = json!({ "results": ["body.rows"], "offset": { "param": "skip" } });
    let walk = walk(&server, &own, "/own", &json!({})).await;
    assert_eq!((walk.results, walk.pages), (numbers(0..ITEMS), 4));
    let output = json!({ "output": "{{self.response.body.rows}}" });
    let elsewhere = json!({ "results": ["body.nowhere"], "offset": { "param": "skip" } });
    let walk = super::paging::walk(&server, &elsewhere, "/own", &output).await;
    assert_eq!(walk.results, numbers(0..ITEMS));
}

#[tokio::test]
async fn what_a_provider_says_is_no_variable_and_leads_to_no_other_host() {
    let server = Server::start(provider).await;
    let walk = walked(&server, "asana", "/hostile", json!({})).await;
    assert_eq!(walk.last.failure.unwrap().code, "PAGINATION_ENDLESS");
    let asked = server.seen().pop().unwrap().path;
    assert!(!asked.contains("s3cret") && asked.contains("secrets.KEY"), "{asked}");
    let walk = walked(&server, "outlook", "/elsewhere", json!({})).await;
    assert_eq!(walk.results, numbers(1..2), "what was got stands");
    assert_eq!(walk.last.failure.unwrap().code, "DOMAIN_INVALID");
}

#[tokio::test]
async fn what_cannot_be_followed_is_told() {
    let server = Server::start(provider).await;
    for (paging, told) in [
        (Value::Null, json!({})),
        (json!("unheard-of"), json!({})),
        (json!("asana"), json!({ "limit": "many" })),
        (json!("asana"), json!({ "output": "{{self.response.statusCode}}" })),
    ] {
        let walk = walk(&server, &paging, "/asana", &told).await;
        assert_eq!(walk.last.failure.unwrap().code, "PAGE_INVALID", "{paging} {told}");
    }
    assert!(names().contains(&"asana"));
    assert!(Paging::Named("unheard-of".into()).strategy().is_none());
}
