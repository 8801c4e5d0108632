//! Fields of a step that cannot work, whatever else the workflow holds.

use super::Reason;
use crate::workflow::condition::{CONDITION_DEPTH_MAX, RULES_MAX, finite};
use crate::workflow::delay::span_ms;
use crate::workflow::libraries::{self, Source};
use crate::workflow::template::has_braces;
use crate::workflow::{Action, Authorization, Condition, Delay, Request};
use serde_json::Value;

/// The faults of a step's own fields: where, and what.
pub(super) fn faults(action: &Action) -> Vec<(&'static str, Reason)> {
    let mut faults = Vec::new();
    match action {
        Action::Request(request) => {
            if !is_absolute(&request.url) {
                faults.push(("url", Reason::UrlInvalid));
            }
            faults.extend(header_faults(request));
        }
        Action::IntegrationRequest(request) => {
            if !is_path_or_absolute(&request.url) {
                faults.push(("url", Reason::UrlInvalid));
            }
            faults.extend(header_faults(request));
        }
        Action::Function(function) => {
            if function.code.trim().is_empty() {
                faults.push(("code", Reason::CodeEmpty));
            }
            faults.extend(libraries::named(&function.code).into_iter().filter_map(library_fault));
        }
        Action::Conditional(conditional) => {
            let mut rules = 0;
            if !is_small(&conditional.when, 0, &mut rules) {
                faults.push(("when", Reason::ConditionTooLarge));
            }
        }
        Action::Delay(delay) => {
            if !can_be_delay(delay) {
                faults.push(("value", Reason::DelayInvalid));
            }
        }
        Action::Response(response) => {
            if !(200..=599).contains(&response.status_code) {
                faults.push(("status_code", Reason::StatusInvalid));
            }
        }
        Action::FanOut(fan_out) => {
            if !can_be_array(&fan_out.over) {
                faults.push(("over", Reason::NotAnArray));
            }
            if fan_out.first.is_none() {
                faults.push(("first", Reason::FanOutEmpty));
            }
        }
    }
    faults
}

/// What is wrong with a function that uses the library of the key.
fn library_fault(key: String) -> Option<(&'static str, Reason)> {
    let reason = match libraries::find(&key).map(|library| library.source) {
        Some(Source::Bundle(..)) => return None,
        Some(Source::Unavailable(why)) => Reason::LibraryUnavailable { key, why },
        None => Reason::LibraryUnknown(key),
    };
    Some(("code", reason))
}

/// The part of a URL that is known before its variables are.
fn literal_start(url: &str) -> (&str, bool) {
    match url.split_once("{{") {
        Some((start, _)) => (start, true),
        None => (url, false),
    }
}

fn is_absolute(url: &str) -> bool {
    let (start, goes_on) = literal_start(url.trim());
    ["http://", "https://"].iter().any(|scheme| {
        let shared = start.len().min(scheme.len());
        let same = start.get(..shared).is_some_and(|s| s.eq_ignore_ascii_case(&scheme[..shared]));
        // A variable may bring the rest of the scheme, or the host after it.
        same && (goes_on || start.len() > scheme.len())
    })
}

fn is_path_or_absolute(url: &str) -> bool {
    let (start, _) = literal_start(url.trim());
    let scheme = start.split_once("://").map(|(scheme, _)| scheme);
    // A "://" further on, in a query, is no scheme.
    let is_scheme = |text: &&str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    match scheme.filter(is_scheme) {
        Some(_) => is_absolute(url),
        None => true,
    }
}

fn header_faults(request: &Request) -> Vec<(&'static str, Reason)> {
    let named = match &request.authorization {
        Authorization::Header { name, .. } => Some(("authorization", name)),
        Authorization::None
        | Authorization::Bearer { .. }
        | Authorization::Basic { .. }
        | Authorization::Query { .. }
        | Authorization::OauthClientCredentials(_) => None,
    };
    let headers = request.headers.iter().map(|(name, _)| ("headers", name)).chain(named);
    let faulty = headers.filter(|(_, name)| !has_braces(name) && !is_header_name(name));
    faulty.map(|(field, name)| (field, Reason::HeaderInvalid(name.clone()))).collect()
}

fn is_header_name(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_token)
}

fn is_small(condition: &Condition, depth: usize, rules: &mut usize) -> bool {
    match condition {
        _ if depth > CONDITION_DEPTH_MAX => false,
        Condition::All(inner) | Condition::Any(inner) => {
            inner.iter().all(|condition| is_small(condition, depth + 1, rules))
        }
        Condition::Rule(_) => {
            *rules += 1;
            *rules <= RULES_MAX
        }
    }
}

fn can_be_array(over: &Value) -> bool {
    match over {
        Value::Array(_) => true,
        Value::String(text) => has_braces(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn can_be_delay(delay: &Delay) -> bool {
    match &delay.value {
        Value::String(text) if has_braces(text) => true,
        value => finite(value).is_some_and(|count| span_ms(count, delay.unit).is_ok()),
    }
}
