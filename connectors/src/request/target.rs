//! Where a request goes.

use super::Failed;
use domain::config::IntegrationSettings;
use domain::workflow::Scope;
use domain::workflow::template::{has_braces, resolve_text};
use url::Url;

const BASE_URL_BYTES_MAX: usize = 8192;

/// An absolute URL that can be requested.
pub(super) fn absolute(text: &str) -> Result<Url, Failed> {
    let invalid = || Failed::Url(text.to_owned());
    let url = Url::parse(text).map_err(|_| invalid())?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(host)) if !host.is_empty() => Ok(url),
        _ => Err(invalid()),
    }
}

/// Where an integration request goes: a path below the base URL, or a full URL on one of the
/// integration's hosts (behaviours 14).
pub(super) fn integration(
    text: &str,
    integration: &IntegrationSettings,
    scope: &Scope,
) -> Result<Url, Failed> {
    let base_text = base(&integration.base_url, scope)?;
    let base = absolute(&base_text)?;
    let is_full = ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let url = match is_full {
        true => absolute(text)?,
        false => absolute(&below(&base_text, text))?,
    };
    // Checked for paths too: nothing a path says may lead to another host.
    let is_base = url.origin() == base.origin();
    let is_listed =
        url.scheme() == "https" && integration.hosts.iter().any(|own| covers(own, &url));
    match is_base || is_listed {
        true => Ok(url),
        false => Err(Failed::Domain),
    }
}

fn below(base: &str, path: &str) -> String {
    match path.chars().next() {
        None | Some('/' | '?' | '#') => format!("{base}{path}"),
        Some(_) => format!("{base}/{path}"),
    }
}

/// The base URL with what the user gave. Where only a part of the host is the user's, that part may
/// not end the host: `{{settings.shop}}.example.com` is always below `example.com`.
fn base(template: &str, scope: &Scope) -> Result<String, Failed> {
    let text = |template: &str| -> Result<String, Failed> {
        Ok(resolve_text(template, scope, BASE_URL_BYTES_MAX)?.into_owned())
    };
    let whole = text(template)?;
    let whole = whole.trim_end_matches('/').to_owned();
    let Some((_, rest)) = template.split_once("://") else { return Ok(whole) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !has_braces(authority) {
        return Ok(whole);
    }
    let authority = text(authority)?;
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let is_whole = authority.split('.').all(|label| !label.is_empty());
    match is_whole && authority.chars().all(is_host) {
        true => Ok(whole),
        false => Err(Failed::Url(whole)),
    }
}

/// Whether an entry of the host list covers the URL: `host`, `host:port` or `*.host`.
fn covers(entry: &str, url: &Url) -> bool {
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (entry, Some(443)),
    };
    let host = url.host_str().unwrap_or_default();
    let is_host = match name.strip_prefix("*.") {
        Some(parent) => host.len().checked_sub(parent.len() + 1).is_some_and(|at| {
            at > 0 && host.as_bytes()[at] == b'.' && host[at + 1..].eq_ignore_ascii_case(parent)
        }),
        None => host.eq_ignore_ascii_case(name),
    };
    is_host && port.is_some() && url.port_or_known_default() == port
}
