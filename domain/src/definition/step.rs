//! What a step does, from the file's words to the engine's.

use super::condition;
use super::integration::authorization;
use super::yaml::{Node, Tree, object};
use crate::workflow::{
    Action, Body, Conditional, CustomPagination, Delay, DelayUnit, FanOut, Function, Method,
    Pagination, PreconfiguredPagination, Request, Response, ResponseType,
};
use serde_json::Value;

/// The keys that say what a step does; exactly one is there.
pub(super) const ACTIONS: [&str; 7] =
    ["request", "integration_request", "function", "if", "fan_out", "delay", "response"];

/// The key that says what a step does; `None`: none or several.
pub(super) fn action_key(node: &Node) -> Option<&'static str> {
    let mut there = ACTIONS.into_iter().filter(|key| node.get(key).is_some());
    let first = there.next()?;
    there.next().is_none().then_some(first)
}

/// What a step does, as far as it is right. The steps within it are the caller's to fill in.
pub(super) fn action(node: &Node) -> Option<Action> {
    let key = action_key(node)?;
    let inner = node.get(key)?;
    Some(match key {
        "request" => Action::Request(request(inner, "url")),
        "integration_request" => Action::IntegrationRequest(request(inner, "path")),
        "function" => Action::Function(Function {
            code: inner.text()?.to_owned(),
            parameters: node.get("parameters").map(|n| object(n.entries())).unwrap_or_default(),
        }),
        "if" => Action::Conditional(Conditional {
            when: condition::compile(inner),
            yes: None,
            no: None,
        }),
        "fan_out" => Action::FanOut(FanOut { over: inner.value(), first: None }),
        "delay" => Action::Delay(delay(inner)),
        "response" => Action::Response(response(inner)),
        _ => return None,
    })
}

/// What stands for a step that is not understood, so that the others keep their numbers.
pub(super) fn unknown() -> Action {
    Action::Delay(Delay { value: Value::from(0), unit: DelayUnit::Seconds })
}

fn request(node: &Node, target: &str) -> Request {
    let get = |key: &str| node.get(key);
    Request {
        method: node.text_of("method").map_or(Method::Get, method),
        url: node.text_of(target).unwrap_or_default().to_owned(),
        params: get("params").map(pairs).unwrap_or_default(),
        headers: get("headers").map(pairs).unwrap_or_default(),
        body: body(node),
        authorization: get("authorization").map(authorization).unwrap_or_default(),
        timeout_ms: get("timeout_ms").and_then(Node::whole).and_then(|ms| ms.try_into().ok()),
        pagination: get("pagination").and_then(pagination),
    }
}

fn pagination(node: &Node) -> Option<Pagination> {
    let value = |key: &str| node.get(key).map(Node::value);
    Some(match value("page_token") {
        Some(page_token) => Pagination::Custom(CustomPagination {
            output: value("output")?,
            page_token,
            stop_when: node.get("stop_when").map(condition::compile),
        }),
        None => Pagination::Preconfigured(PreconfiguredPagination {
            output: value("output"),
            limit: value("limit"),
            skip: value("skip"),
            previous_page: value("previous_page"),
        }),
    })
}

/// The keys that say what is sent; one of them at most is there.
pub(super) const BODIES: [&str; 6] = ["json", "form", "multipart", "xml", "binary", "raw"];

fn body(request: &Node) -> Body {
    let mut there = BODIES.into_iter().filter_map(|key| Some((key, request.get(key)?)));
    match there.next() {
        Some(("json", node)) => Body::Json(node.value()),
        Some(("form", node)) => Body::Form(pairs(node)),
        Some(("multipart", node)) => Body::Multipart(pairs(node)),
        Some(("xml", node)) => Body::Xml(node.value()),
        Some(("binary", node)) => Body::Binary(node.value()),
        Some((_, node)) => Body::Raw(node.value()),
        None => Body::None,
    }
}

fn method(name: &str) -> Method {
    match name {
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        _ => Method::Get,
    }
}

/// `{ name: value }`, or `[{ name, value }]`, where a name may come twice.
fn pairs(node: &Node) -> Vec<(String, Value)> {
    match &node.tree {
        Tree::Map(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), entry.node.value())).collect()
        }
        Tree::List(items) => {
            let pair =
                |item: &Node| Some((item.text_of("name")?.to_owned(), item.get("value")?.value()));
            items.iter().filter_map(pair).collect()
        }
        Tree::Null | Tree::Flag(_) | Tree::Number(_) | Tree::Text(_) => Vec::new(),
    }
}

fn delay(node: &Node) -> Delay {
    let unit = match node.text_of("unit") {
        Some("seconds") => DelayUnit::Seconds,
        Some("hours") => DelayUnit::Hours,
        Some("days") => DelayUnit::Days,
        Some(_) | None => DelayUnit::Minutes,
    };
    let value = node.get("value").map_or_else(|| Value::from(0), Node::value);
    Delay { value, unit }
}

fn response(node: &Node) -> Response {
    let status = node.get("status").and_then(Node::whole).and_then(|status| status.try_into().ok());
    let response_type = match node.text_of("type") {
        Some("file") => ResponseType::File,
        Some(_) | None => ResponseType::Json,
    };
    let status_code = status.filter(|status| (200..=599).contains(status)).unwrap_or(200);
    let body = node.get("body").map_or(Value::Null, Node::value);
    Response { response_type, status_code, body }
}
