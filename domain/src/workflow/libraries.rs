//! The libraries of functions (seeds: resources/javascript-libraries), by the keys under which
//! functions reach them, and which of them a function names.

/// One library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Library {
    /// The key: `libraries.KEY`.
    pub key: &'static str,
    /// The npm package, or the part of Node.
    pub package: &'static str,
    /// What gives it.
    pub source: Source,
}

/// What gives a library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The bundle of this name, and the name of the export that is meant; empty: all of it.
    Bundle(&'static str, &'static str),
    /// Nothing, for this reason.
    Unavailable(&'static str),
}

use Source::{Bundle, Unavailable};

const SOCKETS: &str = "it opens connections of its own, past the egress guard";
const BROWSER: &str = "it needs a browser of its own";
const FILES: &str = "it works on files, and functions have none";
const NOT_ON_NPM: &str = "it is made of packages that are not on npm";
const LICENCE: &str = "the licence of the package, or of a part of it, is not a permissive one";
const LARGE: &str = "it is too large to be loaded for a call; use requests or `https`";

const fn library(key: &'static str, package: &'static str, source: Source) -> Library {
    Library { key, package, source }
}

/// Every library, by key.
pub const LIBRARIES: [Library; 56] = [
    library("Buffer", "node:buffer", Bundle("buffer", "Buffer")),
    library("FormData", "form-data", Bundle("form-data", "")),
    library("Mailgun", "mailgun.js", Bundle("mailgun.js", "")),
    library("archiver", "archiver", Bundle("archiver", "")),
    library("aws-sdk", "aws-sdk", Unavailable(LARGE)),
    library("bluebird", "bluebird", Bundle("bluebird", "")),
    library("cheerio", "cheerio", Bundle("cheerio", "")),
    library("cloudflare", "cloudflare", Bundle("cloudflare", "")),
    library("crypto", "node:crypto", Bundle("crypto", "")),
    library("cryptr", "cryptr", Bundle("cryptr", "")),
    library("csv", "csv", Bundle("csv", "")),
    library("csv/lib/sync", "csv", Bundle("csv-sync", "")),
    library("dateFns", "date-fns", Bundle("date-fns", "")),
    library("fast-xml-parser", "fast-xml-parser", Bundle("fast-xml-parser", "")),
    library("fetch", "node-fetch", Bundle("node-fetch", "")),
    library("firebase", "firebase", Unavailable(SOCKETS)),
    library("firebaseAdmin", "firebase-admin", Unavailable(SOCKETS)),
    library("fuse.js", "fuse.js", Bundle("fuse.js", "")),
    library("https", "node:https", Bundle("https", "")),
    library("ioredis", "ioredis", Unavailable(SOCKETS)),
    library("jsforce", "jsforce", Bundle("jsforce", "")),
    library("jsonwebtoken", "jsonwebtoken", Bundle("jsonwebtoken", "")),
    library("libphonenumber", "libphonenumber-js", Bundle("libphonenumber-js", "")),
    library("lodash", "lodash", Bundle("lodash", "")),
    library("lodash/fp", "lodash", Bundle("lodash-fp", "")),
    library(
        "luxon",
        "luxon",
        Unavailable("it needs Intl, which the engine does not have; use `moment` or `dateFns`"),
    ),
    library("mercury", "@postlight/mercury-parser", Unavailable(NOT_ON_NPM)),
    library("mime", "mime", Bundle("mime", "")),
    library("moment", "moment", Bundle("moment", "")),
    library("mongodb", "mongodb", Unavailable(SOCKETS)),
    library("mssql", "mssql", Unavailable(SOCKETS)),
    library("mysql2", "mysql2", Unavailable(SOCKETS)),
    library("neo4j-driver", "neo4j-driver", Unavailable(SOCKETS)),
    library("node-fetch", "node-fetch", Bundle("node-fetch", "")),
    library("numberToWords", "number-to-words", Bundle("number-to-words", "")),
    library("oauth", "oauth", Bundle("oauth", "")),
    library("pdf", "html-pdf", Unavailable(BROWSER)),
    library("pg", "pg", Unavailable(SOCKETS)),
    library("ramda", "ramda", Bundle("ramda", "")),
    library("redis", "redis", Unavailable(SOCKETS)),
    library("s3", "s3", Unavailable(FILES)),
    library("segment", "analytics-node", Unavailable(LICENCE)),
    library("sendgrid", "@sendgrid/mail", Bundle("sendgrid", "")),
    library("sendpulse", "sendpulse-api", Bundle("sendpulse-api", "")),
    library("sequelize", "sequelize", Unavailable(SOCKETS)),
    library("slack", "slack", Bundle("slack", "")),
    library("snowflake-sdk", "snowflake-sdk", Unavailable(FILES)),
    library("ssh2-sftp-client", "ssh2-sftp-client", Unavailable(SOCKETS)),
    library("throttle", "promise-parallel-throttle", Bundle("promise-parallel-throttle", "")),
    library("twilio", "twilio", Bundle("twilio", "")),
    library("underscore", "underscore", Bundle("underscore", "")),
    library("underscore.string", "underscore.string", Bundle("underscore.string", "")),
    library("unzipper", "unzipper", Bundle("unzipper", "")),
    library("url", "node:url", Bundle("url", "")),
    library("uuid", "uuid", Bundle("uuid", "")),
    library("web3", "web3", Unavailable(LICENCE)),
];

/// The library of the key.
pub fn find(key: &str) -> Option<&'static Library> {
    LIBRARIES.iter().find(|library| library.key == key)
}

/// The keys by which the code names libraries: `libraries.KEY`, `libraries["KEY"]` and
/// `{ KEY, KEY: name } = libraries`, outside of comments. Whatever is reached in another way is
/// found when it is asked for.
pub fn named(code: &str) -> Vec<String> {
    let code = without_comments(code);
    let mut found = Vec::new();
    for (at, word) in code.match_indices("libraries") {
        let before = code[..at].chars().next_back();
        let (head, tail) = (code[..at].trim_end(), code[at + word.len()..].trim_start());
        let is_part = before.is_some_and(|c| is_of_name(c) || c == '.')
            || code[at + word.len()..].starts_with(is_of_name);
        if is_part {
            continue;
        }
        let tail = tail.strip_prefix("?.").map_or(tail, str::trim_start);
        if let Some(rest) = tail.strip_prefix('[') {
            found.extend(quoted(rest.trim_start()));
        } else if let Some(name) = tail.strip_prefix('.').or(dotted(&code[at + word.len()..])) {
            found.push(name.trim_start().chars().take_while(|c| is_of_name(*c)).collect());
        }
        if let Some(left) = head.strip_suffix('=').map(str::trim_end) {
            found.extend(destructured(left));
        }
    }
    found.retain(|key: &String| !key.is_empty());
    found.sort();
    found.dedup();
    found
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// What follows `?.`, unless that is a bracket.
fn dotted(tail: &str) -> Option<&str> {
    tail.trim_start().strip_prefix("?.").filter(|rest| rest.starts_with(is_of_name))
}

/// The text in quotes that a bracket holds alone.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let (key, rest) = text[1..].split_once(quote)?;
    rest.trim_start().starts_with(']').then(|| key.to_owned())
}

/// The keys of the pattern that the text ends with.
fn destructured(text: &str) -> Vec<String> {
    let Some(inside) = text.strip_suffix('}').and_then(|text| text.rsplit_once('{')) else {
        return Vec::new();
    };
    let key = |part: &str| {
        let part = part.trim();
        match part.chars().next()? {
            quote @ ('\'' | '"') => part[1..].split_once(quote).map(|(key, _)| key.to_owned()),
            c if is_of_name(c) => Some(part.chars().take_while(|c| is_of_name(*c)).collect()),
            _ => None,
        }
    };
    inside.1.split(',').filter_map(key).collect()
}

/// The code with its comments left out. What only looks like one inside a text is left out too.
fn without_comments(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find('/') {
        let is_url = rest[..at].ends_with(':');
        let (kept, from) = rest.split_at(at);
        out.push_str(kept);
        rest = match from.as_bytes().get(1) {
            Some(b'/') if !is_url => from.find('\n').map_or("", |end| &from[end..]),
            Some(b'*') => from.find("*/").map_or("", |end| &from[end + 2..]),
            _ => {
                out.push('/');
                &from[1..]
            }
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_however_they_are_written() {
        for (code, keys) in [
            ("const { jsonwebtoken } = libraries;", &["jsonwebtoken"][..]),
            ("const { lodash: _, 'csv/lib/sync': csv } = libraries", &["csv/lib/sync", "lodash"]),
            ("libraries.uuid.v4() + libraries?.moment()", &["moment", "uuid"]),
            ("libraries['aws-sdk']; libraries?.[\"a\"]; libraries [ `b` ]", &["a", "aws-sdk", "b"]),
            ("// libraries.pg\n/* libraries.redis */ libraries\n  .url", &["url"]),
            ("mylibraries.pg; p.libraries.pg; libraries2.pg; libraries[key]; libraries", &[]),
            ("get('https://x'); libraries.fetch", &["fetch"]),
            ("function yourFunction(parameters, { pg }) {}", &[]),
            ("libraries[\"é", &[]),
        ] {
            assert_eq!(named(code), keys, "{code}");
        }
    }

    #[test]
    fn keys_are_in_order_and_one_of_a_kind() {
        assert!(LIBRARIES.is_sorted_by(|a, b| a.key < b.key));
    }
}
