//! The places of a step that may hold variables.

use crate::workflow::{
    Action, Authorization, Body, Condition, Pagination, PreconfiguredPagination, Request,
};
use serde_json::Value;

/// A place that may hold variables.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Template<'a> {
    /// A text that stays text.
    Text(&'a str),
    /// Any value.
    Value(&'a Value),
}

/// Calls with every place of an action that may hold variables, and its name for people. The code
/// of a function is no such place: braces are JavaScript there.
pub(crate) fn each_template<'a>(
    action: &'a Action,
    take: &mut impl FnMut(&'static str, Template<'a>),
) {
    match action {
        Action::Request(request) | Action::IntegrationRequest(request) => {
            each_of_request(request, take);
        }
        Action::Function(function) => {
            for (key, value) in &function.parameters {
                take("parameters", Template::Text(key));
                take("parameters", Template::Value(value));
            }
        }
        Action::Conditional(conditional) => each_of_condition(&conditional.when, take),
        Action::Delay(delay) => take("value", Template::Value(&delay.value)),
        Action::Response(response) => take("body", Template::Value(&response.body)),
        Action::FanOut(fan_out) => take("over", Template::Value(&fan_out.over)),
    }
}

fn each_of_request<'a>(request: &'a Request, take: &mut impl FnMut(&'static str, Template<'a>)) {
    take("url", Template::Text(&request.url));
    each_of_pairs("params", &request.params, take);
    each_of_pairs("headers", &request.headers, take);
    match &request.body {
        Body::None => {}
        Body::Json(value) | Body::Raw(value) | Body::Xml(value) | Body::Binary(value) => {
            take("body", Template::Value(value));
        }
        Body::Form(pairs) | Body::Multipart(pairs) => each_of_pairs("body", pairs, take),
    }
    each_of_authorization(&request.authorization, take);
    match &request.pagination {
        None => {}
        Some(Pagination::Custom(pagination)) => {
            take("output", Template::Value(&pagination.output));
            take("page_token", Template::Value(&pagination.page_token));
            if let Some(condition) = &pagination.stop_when {
                each_of_condition(condition, take);
            }
        }
        Some(Pagination::Preconfigured(pagination)) => {
            let PreconfiguredPagination { output, limit, skip, previous_page } = pagination;
            let fields = [("output", output), ("limit", limit), ("skip", skip)];
            for (field, value) in fields.into_iter().chain([("previous_page", previous_page)]) {
                if let Some(value) = value {
                    take(field, Template::Value(value));
                }
            }
        }
    }
}

fn each_of_pairs<'a>(
    field: &'static str,
    pairs: &'a [(String, Value)],
    take: &mut impl FnMut(&'static str, Template<'a>),
) {
    for (key, value) in pairs {
        take(field, Template::Text(key));
        take(field, Template::Value(value));
    }
}

/// The same for an authorization, which an integration has too.
pub(crate) fn each_of_authorization<'a>(
    authorization: &'a Authorization,
    take: &mut impl FnMut(&'static str, Template<'a>),
) {
    let (first, second) = match authorization {
        Authorization::None => return,
        Authorization::OauthClientCredentials(credentials) => {
            credentials.texts().for_each(|text| take("authorization", Template::Text(text)));
            return;
        }
        Authorization::Bearer { token } => (token.as_str(), ""),
        Authorization::Basic { username, password } => (username.as_str(), password.as_str()),
        Authorization::Header { name, value } | Authorization::Query { name, value } => {
            (name.as_str(), value.as_str())
        }
    };
    take("authorization", Template::Text(first));
    take("authorization", Template::Text(second));
}

fn each_of_condition<'a>(
    condition: &'a Condition,
    take: &mut impl FnMut(&'static str, Template<'a>),
) {
    match condition {
        Condition::All(inner) | Condition::Any(inner) => {
            inner.iter().for_each(|condition| each_of_condition(condition, take));
        }
        Condition::Rule(rule) => {
            take("when", Template::Value(&rule.left));
            take("when", Template::Value(&rule.right));
        }
    }
}
