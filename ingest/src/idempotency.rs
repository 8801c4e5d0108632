//! `Idempotency-Key`: a repeat of a request is the same command.

use crate::command::Identity;
use crate::door::Door;
use crate::layer;
use crate::openapi::{Input, Operation};
use crate::problem::{IDEMPOTENCY_KEY_MALFORMED, Outcome};
use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use domain::id::{CommandId, ProjectId};
use std::convert::Infallible;

const HEADER: &str = "idempotency-key";
const KEY_LEN_MAX: usize = 255;

/// The `Idempotency-Key` that came with a request, if any.
pub(crate) struct IdempotencyKey {
    value: Option<HeaderValue>,
    is_repeated: bool,
}

/// Within what a key is unique.
pub(crate) struct Within<'a> {
    /// The project.
    pub(crate) project: ProjectId,
    /// The user; empty for the team.
    pub(crate) user: &'a str,
    /// The operation and what it is about.
    pub(crate) route: &'a str,
}

impl Door {
    /// The identity of the command that a request leads to. `parts` is everything in the request
    /// that a repeat must have in common.
    pub(crate) fn identity(
        &self,
        key: &IdempotencyKey,
        within: &Within<'_>,
        parts: &[&[u8]],
    ) -> Outcome<Identity> {
        let Some(key) = key.text()? else { return Ok(self.fresh()) };
        let id = CommandId::idempotent(&within.project, within.user, within.route, key);
        let id = id.led_to_by(layer::runs_before());
        Ok(Identity { id, body_hash: Some(hash(parts)) })
    }
}

impl IdempotencyKey {
    fn text(&self) -> Outcome<Option<&str>> {
        let Some(value) = &self.value else { return Ok(None) };
        let key = value.to_str().unwrap_or_default().trim();
        if key.is_empty() || key.len() > KEY_LEN_MAX || self.is_repeated {
            return Err(IDEMPOTENCY_KEY_MALFORMED.plain());
        }
        Ok(Some(key))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let value = values.next().cloned();
        Ok(Self { value, is_repeated: values.next().is_some() })
    }
}

impl Input for IdempotencyKey {
    fn describe(operation: &mut Operation<'_>) {
        let what = "A repeat with the same key and body is answered as the first time.";
        operation.hears("Idempotency-Key", what, KEY_LEN_MAX);
    }
}

/// 63 bits of SHA-256 over the parts, each with its length in front.
fn hash(parts: &[&[u8]]) -> i64 {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let first = digest.as_ref().first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(first) & i64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_never_negative_and_tells_parts_apart() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert!((0..1_000u32).all(|n| hash(&[&n.to_be_bytes()]) >= 0));
    }
}
