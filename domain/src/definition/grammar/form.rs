//! Forms of text: what the checker refuses, and the pattern that the JSON Schema publishes.

use crate::definition::builtin;
use crate::definition::mistake::{listed, nearest, quoted};
use crate::webhook;

/// A form of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::definition) enum Form {
    /// Anything.
    Any,
    /// Not empty, not only blanks.
    Filled,
    /// A UUID.
    Id,
    /// SHA-256 as hex.
    Hash,
    /// A public key in PEM.
    PublicKey,
    /// `https://…` or `http://…`; may begin with a variable.
    Url,
    /// A host name, maybe with a port.
    Host,
    /// The name of an environment secret or variable.
    Name,
    /// The id of an input.
    Input,
    /// A part of a request: `headers.x-signature`.
    Place,
    /// A text with such parts in braces.
    Template,
    /// One character.
    Character,
    /// Small letters, digits and `-`: the id of a project elsewhere.
    Slug,
    /// An integration that comes with Millrace.
    BuiltIn,
    /// An integration that comes with Millrace, or `custom.<slug>`.
    Kind,
}

/// What is wrong with a text, and the mend.
pub(super) type Refused = (String, String);

impl Form {
    /// Whether a text has the form.
    pub(super) fn check(self, text: &str) -> Result<(), Refused> {
        let refused =
            |problem: &str, mend: &str| Err((format!("this is {problem}"), mend.to_owned()));
        match self {
            Form::Any => Ok(()),
            Form::Filled if text.trim().is_empty() => {
                refused("empty", "write a text that is not empty")
            }
            Form::Filled => Ok(()),
            Form::Id if is_uuid(text) => Ok(()),
            Form::Id => {
                refused("no UUID", "write 32 hex digits as 8-4-4-4-12 (`uuidgen` makes one)")
            }
            Form::Hash if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(()),
            Form::Hash => {
                refused("no SHA-256", "write 64 hex digits (`printf %s KEY | sha256sum`)")
            }
            Form::PublicKey => public_key(text),
            Form::Url if has_start(text, &["https://", "http://", "{{"]) => Ok(()),
            Form::Url => refused("no URL", "begin with https:// or http://"),
            Form::Host if is_host(text) => Ok(()),
            Form::Host => refused("no host name", "write the host alone, like `files.example.com`"),
            Form::Slug if is_slug(text) => Ok(()),
            Form::Slug => refused("no such id", "use small letters, digits and `-`"),
            Form::Name if is_name(text) => Ok(()),
            Form::Name => refused("no such name", "use letters, digits and `_`, no digit first"),
            Form::Place if text.parse::<webhook::Place>().is_ok() => Ok(()),
            Form::Place => refused(
                "no place in a request",
                "write `headers.…`, `body.…`, `params.…`, `pair.…`, `body`, `form`, `url`, `uri` or `method`",
            ),
            Form::Template if webhook::Template::try_from(text.to_owned()).is_ok() => Ok(()),
            Form::Template => {
                refused("no such text", "put places in braces: `{headers.x-time}.{body}`")
            }
            Form::Character if text.chars().count() == 1 => Ok(()),
            Form::Character => refused("not one character", "write one character, like \",\""),
            Form::Input if is_input(text) => Ok(()),
            Form::Input => refused("no such id", "use letters, digits, `_` and `-`"),
            Form::BuiltIn if builtin::kinds().any(|kind| kind == text) => Ok(()),
            Form::Kind if is_custom(text) || builtin::kinds().any(|kind| kind == text) => Ok(()),
            Form::BuiltIn if is_custom(text) => Err((
                format!("{} needs more than its type", quoted(text)),
                format!("write `type: {text}` with `name` and `base_url`"),
            )),
            Form::BuiltIn | Form::Kind => Err(unknown_kind(text)),
        }
    }

    /// The pattern of the JSON Schema; `None`: any text.
    pub(super) fn pattern(self) -> Option<String> {
        let kinds = || builtin::kinds().collect::<Vec<_>>().join("|");
        match self {
            Form::Any => None,
            Form::Filled => Some(r"\S".into()),
            Form::Id => Some("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$".into()),
            Form::Hash => Some("^[0-9a-fA-F]{64}$".into()),
            Form::PublicKey => Some(r"^\s*-----BEGIN (RSA )?PUBLIC KEY-----".into()),
            Form::Url => Some(r"^(https://|http://|\{\{)".into()),
            Form::Host => Some(r"^[A-Za-z0-9._-]+(:[0-9]{1,5})?$".into()),
            Form::Slug => Some("^[a-z0-9-]{1,100}$".into()),
            Form::Name => Some("^[A-Za-z_][A-Za-z0-9_]{0,99}$".into()),
            Form::Place => {
                Some(r"^(body|form|url|uri|method|(headers|body|params|pair)\..+)$".into())
            }
            Form::Template => None,
            Form::Character => Some("^.$".into()),
            Form::Input => Some("^[A-Za-z0-9_-]{1,100}$".into()),
            Form::BuiltIn => Some(format!("^({})$", kinds())),
            Form::Kind => Some(format!(r"^({}|custom\.[a-z0-9]{{1,100}})$", kinds())),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn is_custom(text: &str) -> bool {
    let slug = |slug: &str| {
        (1..=100).contains(&slug.len())
            && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.strip_prefix("custom.").is_some_and(slug)
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    let in_host = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !host.is_empty() && host.bytes().all(in_host) && port.is_none_or(is_port)
}

fn is_slug(text: &str) -> bool {
    let in_slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=100).contains(&text.len()) && text.bytes().all(in_slug)
}

fn is_name(text: &str) -> bool {
    let first = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    text.len() <= 100
        && text.as_bytes().first().is_some_and(first)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_input(text: &str) -> bool {
    let in_id = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=100).contains(&text.len()) && text.bytes().all(in_id)
}

fn has_start(text: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| text.starts_with(start))
}

fn public_key(text: &str) -> Result<(), Refused> {
    let text = text.trim_start();
    if has_start(text, &["-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----"]) {
        return Ok(());
    }
    if text.contains("PRIVATE KEY") {
        let mend = "give the public half (`openssl rsa -pubout`), and keep this one to yourself";
        return Err(("this is a private key".into(), mend.into()));
    }
    let mend = "write the PEM block from `-----BEGIN PUBLIC KEY-----` on";
    Err(("this is no public key".into(), mend.into()))
}

fn unknown_kind(text: &str) -> Refused {
    let slug: String =
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let problem = format!("there is no integration {}", quoted(text));
    if let Some(custom) = slug.strip_prefix("custom").filter(|slug| !slug.is_empty()) {
        return (problem, format!("did you mean `custom.{custom}`?"));
    }
    let mend = nearest(text, builtin::kinds(), || {
        format!("write {}, or `custom.<slug>` for one of your own", listed(builtin::kinds()))
    });
    (problem, mend)
}
