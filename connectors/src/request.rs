//! A step's request as it goes over the wire, and as history shows it.

mod body;
mod failed;
mod file;
mod headers;
mod multipart;
pub mod page;
mod parts;
mod target;
#[cfg(test)]
mod tests;
mod xml;

pub use failed::Failed;

use crate::http::Call;
use crate::mask::{self, HIDDEN};
use domain::config::IntegrationSettings;
use domain::effect::EffectKey;
use domain::workflow::{Authorization, ClientCredentials, Method, Request, Scope};
use headers::{append, authorize, header_name, name_in_url, own_headers, value};
use hyper::HeaderMap;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT,
};
use parts::{Parts, object, texts};
use serde_json::{Value, json};
use url::Url;

const AGENT: &str = concat!("Millrace/", env!("CARGO_PKG_VERSION"));
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a request is made of.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The step's request.
    pub request: &'a Request,
    /// The integration of the workflow.
    pub integration: &'a IntegrationSettings,
    /// Whether the integration's base URL, token and headers are added.
    pub kind: Kind,
    /// The effect, for providers that can tell attempts apart.
    pub key: EffectKey,
    /// The page of a paginated request, from 0.
    pub page: u32,
    /// How many runs, each started by the one before it, it is the work of.
    pub runs: u8,
    /// When to give up if the step does not say, in milliseconds.
    pub timeout_ms: u32,
    /// Largest request and answer, in bytes.
    pub bytes_max: u64,
}

/// The two kinds of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// To anywhere, with what the step says.
    Plain,
    /// To the integration, with its token.
    Integration,
}

/// A request that can be sent, and how history shows it.
#[derive(Debug)]
pub struct Built {
    /// What is sent, without the token of `grant`.
    pub call: Call,
    /// What the token of the request has to be asked for with.
    pub grant: Option<ClientCredentials>,
    /// What history shows: without the integration's credentials and without secrets.
    pub shown: Value,
}

impl Draft<'_> {
    /// Puts the request together.
    ///
    /// # Errors
    /// It cannot be sent as it is; see [`Failed`].
    pub fn build(&self, mut scope: Scope) -> Result<Built, Failed> {
        let call = self.call(&scope);
        mask::hide(&mut scope, self.integration);
        match call {
            Ok((call, grant)) => Ok(Built { call, grant, shown: self.shown(&scope)? }),
            // What is not a URL is told without the secrets that may be in it.
            Err(Failed::Url(_)) => Err(Failed::Url(self.parts(&scope)?.url)),
            Err(failed) => Err(failed),
        }
    }

    fn parts<'s>(&'s self, scope: &'s Scope) -> Result<Parts<'s>, Failed> {
        Parts::of(self.request, scope, usize::try_from(self.bytes_max).unwrap_or(usize::MAX))
    }

    fn call(&self, scope: &Scope) -> Result<(Call, Option<ClientCredentials>), Failed> {
        let parts = self.parts(scope)?;
        let mut url = match self.kind {
            Kind::Plain => target::absolute(&parts.url)?,
            Kind::Integration => target::integration(&parts.url, self.integration, scope)?,
        };
        let mut headers = HeaderMap::new();
        own_headers(&parts, &mut headers)?;
        authorize(&parts.authorization, &mut url, &mut headers)?;
        name_in_url(&mut url, &mut headers)?;
        let body = parts.body.encode(self.bytes_max)?;
        if body.bytes.len() as u64 > self.bytes_max {
            return Err(Failed::TooLarge { bytes_max: self.bytes_max });
        }
        if parts.body.says_its_type() {
            set_type(&mut headers, body.kind.as_deref())?;
        }
        let mut grant = grant(parts.authorization)?;
        if self.kind == Kind::Integration {
            let own = self.add_credentials(scope, &mut url, &mut headers)?;
            grant = grant.or(own);
        }
        append(&mut url, &texts(&parts.params));
        set_type(&mut headers, body.kind.as_deref())?;
        self.add_defaults(&mut headers)?;
        let call = Call {
            method: method(self.request.method),
            url,
            headers,
            body: body.bytes,
            timeout_ms: self.request.timeout_ms.unwrap_or(self.timeout_ms),
            body_bytes_max: self.bytes_max,
            follows_redirects: true,
            runs: self.runs,
        };
        Ok((call, grant))
    }

    /// The integration's own headers and token, unless the step has its own; what a token has to be
    /// asked for with.
    fn add_credentials(
        &self,
        scope: &Scope,
        url: &mut Url,
        headers: &mut HeaderMap,
    ) -> Result<Option<ClientCredentials>, Failed> {
        let bytes_max = usize::try_from(self.bytes_max).unwrap_or(usize::MAX);
        for (name, template) in &self.integration.headers {
            let text = domain::workflow::template::resolve_text(template, scope, bytes_max)?;
            let name = header_name(name)?;
            if !headers.contains_key(&name) {
                let mut value = value(name.as_str(), &text)?;
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        if headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let own = parts::authorization(&self.integration.authorization, scope, bytes_max)?;
        match &own {
            Authorization::Header { name, .. } if headers.contains_key(header_name(name)?) => {}
            own => authorize(own, url, headers)?,
        }
        grant(own)
    }

    fn add_defaults(&self, headers: &mut HeaderMap) -> Result<(), Failed> {
        let is_safe = matches!(self.request.method, Method::Get | Method::Head | Method::Options);
        if !is_safe && !headers.contains_key(IDEMPOTENCY_KEY) {
            let page = if self.page > 0 { format!(":{}", self.page) } else { String::new() };
            let key = format!("{}:{}{page}", self.key.execution, self.key.step);
            headers.insert(IDEMPOTENCY_KEY, value("Idempotency-Key", &key)?);
        }
        for (name, default) in [
            (ACCEPT, "application/json, text/plain, */*"),
            (ACCEPT_ENCODING, "gzip, deflate, br"),
            (USER_AGENT, AGENT),
        ] {
            headers.entry(name).or_insert(HeaderValue::from_static(default));
        }
        Ok(())
    }

    /// The header that the integration's token goes into.
    fn credential_header(&self) -> Option<&str> {
        match (self.kind, &self.integration.authorization) {
            (Kind::Plain, _) | (_, Authorization::None | Authorization::Query { .. }) => None,
            (
                _,
                Authorization::Bearer { .. }
                | Authorization::Basic { .. }
                | Authorization::OauthClientCredentials(_),
            ) => Some("Authorization"),
            (_, Authorization::Header { name, .. }) => Some(name),
        }
    }

    /// The request without what the integration adds, from a scope without secrets.
    fn shown(&self, scope: &Scope) -> Result<Value, Failed> {
        let parts = self.parts(scope)?;
        let url = match self.kind {
            Kind::Plain => parts.url.clone(),
            Kind::Integration => target::integration(&parts.url, self.integration, scope)
                .map_or_else(|_| parts.url.clone(), String::from),
        };
        let mut headers = object(&parts.headers);
        match &parts.authorization {
            Authorization::None => {}
            Authorization::Bearer { token } => {
                headers.insert("Authorization".to_owned(), json!(format!("Bearer {token}")));
            }
            Authorization::Basic { username, .. } => {
                let text = format!("Basic {username}:{HIDDEN}");
                headers.insert("Authorization".to_owned(), json!(text));
            }
            Authorization::Header { name, value } => {
                headers.insert(name.clone(), json!(value));
            }
            Authorization::Query { .. } => {}
            Authorization::OauthClientCredentials(_) => {
                headers.insert("Authorization".to_owned(), json!(format!("Bearer {HIDDEN}")));
            }
        }
        if let Some(name) = self.credential_header().filter(|name| parts.header(name).is_none()) {
            headers.entry(name).or_insert_with(|| json!(HIDDEN));
        }
        let mut params = object(&parts.params);
        if let Authorization::Query { name, value } = &parts.authorization {
            params.insert(name.clone(), json!(value));
        }
        Ok(json!({
            "method": self.request.method.as_str(),
            "url": url,
            "params": params,
            "headers": headers,
            "body": parts.body.shown(),
        }))
    }
}

/// What a token has to be asked for with, and where it can be.
fn grant(authorization: Authorization) -> Result<Option<ClientCredentials>, Failed> {
    match authorization {
        Authorization::OauthClientCredentials(credentials) => {
            target::absolute(&credentials.token_url).map_err(|_| Failed::TokenUrl)?;
            Ok(Some(credentials))
        }
        Authorization::None
        | Authorization::Bearer { .. }
        | Authorization::Basic { .. }
        | Authorization::Header { .. }
        | Authorization::Query { .. } => Ok(None),
    }
}

/// Sets the body's type where there is none yet. The boundary of a multipart body is known to
/// nobody else, so there the type is always set; `multipart/mixed` and the like stay.
fn set_type(headers: &mut HeaderMap, kind: Option<&str>) -> Result<(), Failed> {
    let Some(kind) = kind else { return Ok(()) };
    let own = headers.get(CONTENT_TYPE).and_then(|own| own.to_str().ok());
    let kind = match (kind.strip_prefix("multipart/form-data"), own) {
        (None, Some(_)) => return Ok(()),
        (None, None) => kind.to_owned(),
        (Some(boundary), own) => {
            let own = own.and_then(|own| own.split(';').next()).map(str::trim);
            let own = own.filter(|own| own.to_ascii_lowercase().starts_with("multipart/"));
            format!("{}{boundary}", own.unwrap_or("multipart/form-data"))
        }
    };
    headers.insert(CONTENT_TYPE, value("Content-Type", &kind)?);
    Ok(())
}

fn method(method: Method) -> hyper::Method {
    match method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
        Method::Put => hyper::Method::PUT,
        Method::Patch => hyper::Method::PATCH,
        Method::Delete => hyper::Method::DELETE,
        Method::Head => hyper::Method::HEAD,
        Method::Options => hyper::Method::OPTIONS,
    }
}
