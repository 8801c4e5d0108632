//! GitHub's recorded webhook payloads, sent as GitHub sends them.

use crate::harness::tools;
use anyhow::{Context, Result, bail};
use aws_lc_rs::hmac;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// Payloads of the package, which is pinned.
pub const EXAMPLES: usize = 329;

/// One recorded payload.
#[derive(Clone, Debug)]
pub struct Example {
    /// `X-GitHub-Event`.
    pub kind: String,
    /// The body.
    pub body: Bytes,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    examples: Vec<Value>,
}

/// Every payload of the npm package `@octokit/webhooks-examples`.
///
/// # Errors
/// The package is not installed (`cargo x demo` does that), cannot be read, or does not hold
/// [`EXAMPLES`] payloads.
pub fn examples() -> Result<Vec<Example>> {
    let path = "npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json";
    let path = tools().join(path);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("no {}; `cargo x demo` installs it", path.display()))?;
    let entries: Vec<Entry> = serde_json::from_str(&text)?;
    let of_entry = |entry: Entry| {
        let kind = entry.name;
        entry.examples.into_iter().map(move |example| Example {
            kind: kind.clone(),
            body: Bytes::from(example.to_string()),
        })
    };
    let all: Vec<Example> = entries.into_iter().flat_map(of_entry).collect();
    if all.len() != EXAMPLES {
        bail!("{} has {} payloads, not {EXAMPLES}", path.display(), all.len());
    }
    Ok(all)
}

/// The kinds among the payloads, each once.
pub fn kinds(examples: &[Example]) -> Vec<String> {
    let kinds: BTreeSet<&str> = examples.iter().map(|example| example.kind.as_str()).collect();
    kinds.into_iter().map(str::to_owned).collect()
}

/// `X-Hub-Signature-256` of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    tag.as_ref().iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    #[test]
    fn the_signature_is_that_of_githubs_own_example() {
        let signed = sign("It's a Secret to Everybody", b"Hello, World!");
        let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signed, expected);
    }
}
