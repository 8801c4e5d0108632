//! `Idempotency-Key`: a repeat of a request is the same command.

use crate::command::Identity;
use crate::door::Door;
use crate::problem::{IDEMPOTENCY_KEY_MALFORMED, Outcome};
use aws_lc_rs::digest;
use axum::http::HeaderMap;
use domain::id::{CommandId, ProjectId};

const HEADER: &str = "idempotency-key";
const KEY_LEN_MAX: usize = 255;

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
        headers: &HeaderMap,
        within: &Within<'_>,
        parts: &[&[u8]],
    ) -> Outcome<Identity> {
        let Some(key) = key_of(headers)? else { return Ok(self.fresh()) };
        let id = CommandId::idempotent(&within.project, within.user, within.route, key);
        Ok(Identity { id, body_hash: Some(hash(parts)) })
    }
}

fn key_of(headers: &HeaderMap) -> Outcome<Option<&str>> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_LEN_MAX || values.next().is_some() {
        return Err(IDEMPOTENCY_KEY_MALFORMED.plain());
    }
    Ok(Some(key))
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
