//! The URL standard.

use super::{Arguments, none, texts};
use rquickjs::{Ctx, Value};
use url::{Url, quirks};

/// Answers `url` and `set-url`: the parts of the URL; `undefined`: it is none.
pub(super) fn answer<'js>(
    ctx: &Ctx<'js>,
    op: &str,
    given: &Arguments<'_, 'js>,
) -> rquickjs::Result<Value<'js>> {
    let text = given.text(1)?;
    let url = match op {
        "url" => match given.text_if_there(2)? {
            Some(base) => Url::parse(&base).and_then(|base| base.join(&text)).ok(),
            None => Url::parse(&text).ok(),
        },
        _ => {
            let mut url = Url::parse(&text).ok();
            let (part, value) = (given.text(2)?, given.text(3)?);
            let is_taken = url.as_mut().is_some_and(|url| set(url, &part, &value));
            url.filter(|_| is_taken)
        }
    };
    match url {
        Some(url) => texts(ctx, parts(&url)),
        None => Ok(none(ctx)),
    }
}

/// Sets a part; what cannot be set stays as it is, except for the whole.
fn set(url: &mut Url, part: &str, value: &str) -> bool {
    match part {
        "href" => return quirks::set_href(url, value).is_ok(),
        "protocol" => drop(quirks::set_protocol(url, value)),
        "username" => drop(quirks::set_username(url, value)),
        "password" => drop(quirks::set_password(url, value)),
        "host" => drop(quirks::set_host(url, value)),
        "hostname" => drop(quirks::set_hostname(url, value)),
        "port" => drop(quirks::set_port(url, value)),
        "pathname" => quirks::set_pathname(url, value),
        "search" => quirks::set_search(url, value),
        _ => quirks::set_hash(url, value),
    }
    true
}

/// In the order of `connectors/libraries/builtins/url.js`.
fn parts(url: &Url) -> [String; 11] {
    [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
        &quirks::origin(url),
    ]
    .map(str::to_owned)
}
