//! A step's request with its variables replaced.

use super::Failed;
use super::body::Filled;
use super::file::Encoding;
use domain::workflow::template::{resolve, resolve_text};
use domain::workflow::{Authorization, Request, Scope};
use serde_json::{Map, Value};

/// Says how the file in a body is written down (behaviours 13); it is not sent.
pub(super) const ENCODING: &str = "x-paragon-encoding";

/// Names and values, in order; a name may come twice.
pub(super) type Pairs = Vec<(String, Value)>;

/// A step's request with its variables replaced, before it is put into bytes.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) url: String,
    pub(super) params: Pairs,
    pub(super) headers: Pairs,
    pub(super) body: Filled<'a>,
    pub(super) authorization: Authorization,
}

impl<'a> Parts<'a> {
    /// The parts of the request in the scope.
    pub(super) fn of(
        request: &'a Request,
        scope: &'a Scope,
        bytes_max: usize,
    ) -> Result<Self, Failed> {
        let headers = pairs(&request.headers, scope, bytes_max)?;
        let encoding = header(&headers, ENCODING).and_then(Value::as_str);
        let encoding = encoding.map(Encoding::named).transpose()?;
        Ok(Self {
            url: resolve_text(&request.url, scope, bytes_max)?.trim().to_owned(),
            params: pairs(&request.params, scope, bytes_max)?,
            headers,
            body: Filled::of(&request.body, encoding, scope, bytes_max)?,
            authorization: authorization(&request.authorization, scope, bytes_max)?,
        })
    }

    /// The value of a header that the step sets; names are compared in any case.
    pub(super) fn header(&self, name: &str) -> Option<&Value> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a Pairs, name: &str) -> Option<&'a Value> {
    let mut found = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value)
}

/// The authorization with its variables replaced.
pub(super) fn authorization(
    template: &Authorization,
    scope: &Scope,
    bytes_max: usize,
) -> Result<Authorization, Failed> {
    let text = |template: &String| -> Result<String, Failed> {
        Ok(resolve_text(template, scope, bytes_max)?.into_owned())
    };
    Ok(match template {
        Authorization::None => Authorization::None,
        Authorization::Bearer { token } => Authorization::Bearer { token: text(token)? },
        Authorization::Basic { username, password } => {
            Authorization::Basic { username: text(username)?, password: text(password)? }
        }
        Authorization::Header { name, value } => {
            Authorization::Header { name: name.clone(), value: text(value)? }
        }
        Authorization::Query { name, value } => {
            Authorization::Query { name: name.clone(), value: text(value)? }
        }
        Authorization::OauthClientCredentials(credentials) => {
            let text = |template: &str| -> Result<String, Failed> {
                Ok(resolve_text(template, scope, bytes_max)?.into_owned())
            };
            Authorization::OauthClientCredentials(credentials.replaced(text)?)
        }
    })
}

pub(super) fn pairs(
    templates: &[(String, Value)],
    scope: &Scope,
    bytes_max: usize,
) -> Result<Pairs, Failed> {
    let mut made = Vec::with_capacity(templates.len());
    for (name, template) in templates {
        made.push((self::name(name, scope, bytes_max)?, resolve(template, scope, bytes_max)?));
    }
    Ok(made)
}

/// The name of a pair, which may hold variables too.
pub(super) fn name(template: &str, scope: &Scope, bytes_max: usize) -> Result<String, Failed> {
    Ok(resolve_text(template, scope, bytes_max)?.into_owned())
}

/// A value as text in a URL, a form or a header; `null` is not sent.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}

/// Name and text of each pair; the items of an array are pairs of their own.
pub(super) fn texts(pairs: &[(String, Value)]) -> Vec<(&str, String)> {
    let mut made = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        match value {
            Value::Array(items) => {
                made.extend(items.iter().filter_map(text).map(|text| (name.as_str(), text)));
            }
            value => made.extend(text(value).map(|text| (name.as_str(), text))),
        }
    }
    made
}

/// Pairs as an object for people to read; a repeated name keeps all its values.
pub(super) fn object(pairs: &[(String, Value)]) -> Map<String, Value> {
    let mut made = Map::new();
    for (name, value) in pairs {
        match made.get_mut(name) {
            None => drop(made.insert(name.clone(), value.clone())),
            Some(Value::Array(all)) => all.push(value.clone()),
            Some(one) => *one = Value::Array(vec![one.take(), value.clone()]),
        }
    }
    made
}
