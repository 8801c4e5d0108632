//! Who is calling.

mod key_set;
mod published;
mod token;
mod token_cache;

pub use published::KeySource;

pub(crate) use key_set::KeySets;
pub(crate) use published::Published;
pub(crate) use token::USER_LEN_MAX;
pub(crate) use token_cache::TokenCache;

use crate::door::{Door, Shared};
use crate::openapi::{Input, Operation};
use crate::path::Address;
use crate::problem::{
    ADMIN_KEY_INVALID, API_KEY_INVALID, Outcome, PROJECT_UNKNOWN, Problem, TOKEN_INVALID,
    TOKEN_MISSING,
};
use crate::router::Access;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::config::Project;
use domain::id::ProjectId;
use domain::key::Key;
use std::sync::Arc;
use token::{Rules, Verified};

/// A connected user, by user token.
pub(crate) struct Caller {
    /// The project's id.
    pub(crate) id: ProjectId,
    /// The project.
    pub(crate) project: Arc<Project>,
    /// `sub` of the token.
    pub(crate) user: Arc<str>,
}

impl Caller {
    /// The key that the user's commands belong to.
    pub(crate) fn key(&self) -> Key {
        Key::User(self.id, self.user.to_string())
    }
}

impl Input for Caller {
    fn describe(operation: &mut Operation<'_>) {
        operation.opens_to(Access::User);
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Shared) -> Result<Self, Problem> {
        let id = Address::from_request_parts(parts, door).await?.project()?;
        let project = door.project(id)?;
        let token = credentials(&parts.headers).ok_or_else(|| TOKEN_MISSING.plain().of(id))?;
        let user = door.verified(&project, token).await.map_err(|problem| problem.of(id))?;
        Ok(Self { id, project, user })
    }
}

/// The customer's team, by API key of the project.
pub(crate) struct Team {
    /// The project's id.
    pub(crate) id: ProjectId,
    /// The project.
    pub(crate) project: Arc<Project>,
}

impl Input for Team {
    fn describe(operation: &mut Operation<'_>) {
        operation.opens_to(Access::Team);
    }
}

impl FromRequestParts<Shared> for Team {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Shared) -> Result<Self, Problem> {
        let id = Address::from_request_parts(parts, door).await?.project()?;
        let project = door.project(id)?;
        let key = credentials(&parts.headers).ok_or_else(|| API_KEY_INVALID.plain().of(id))?;
        if !knows(&project, key) {
            return Err(API_KEY_INVALID.plain().of(id));
        }
        Ok(Self { id, project })
    }
}

/// Whoever runs the installation, by admin key.
pub(crate) struct Admin;

impl Input for Admin {
    fn describe(operation: &mut Operation<'_>) {
        operation.opens_to(Access::Admin);
    }
}

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Shared) -> Result<Self, Problem> {
        let key = credentials(&parts.headers).ok_or_else(|| ADMIN_KEY_INVALID.plain())?;
        let expected = door.app.admin_key_hash.ok_or_else(|| ADMIN_KEY_INVALID.plain())?;
        let equal = verify_slices_are_equal(&sha256(key.as_bytes()), &expected);
        equal.map(|()| Admin).map_err(|_| ADMIN_KEY_INVALID.plain())
    }
}

/// What follows `Authorization: Bearer`, or the bare value: a published sample leaves `Bearer` out.
fn credentials(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let bare = match value.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        Some(_) => return None,
        None => value,
    };
    (!bare.is_empty() && !bare.eq_ignore_ascii_case("bearer")).then_some(bare)
}

/// Every key is compared, so that the time taken does not tell which was nearly right.
fn knows(project: &Project, key: &str) -> bool {
    let hash = hex::encode(sha256(key.as_bytes()));
    let equal = |known: &String| {
        verify_slices_are_equal(known.to_ascii_lowercase().as_bytes(), hash.as_bytes()).is_ok()
    };
    project.api_keys.values().fold(false, |found, known| found | equal(known))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().first_chunk::<32>().copied().unwrap_or_default()
}

impl Door {
    /// The user that a token speaks for.
    async fn verified(&self, project: &Project, token: &str) -> Outcome<Arc<str>> {
        let settings = &project.settings;
        let now = self.now();
        let provider = settings.identity_provider();
        let mut published = None;
        if let Some(provider) = &provider {
            published = self.published.get(&self.app, &provider.jwks_url, now).await;
        }
        let keys = self.key_sets.get(settings, (provider.as_ref(), published.as_ref()));
        let hash = sha256(token.as_bytes());
        if let Some(found) = self.tokens.get(&hash, keys.serial, now) {
            return found;
        }
        let rules = Rules {
            project: settings.id,
            provider: provider.as_ref(),
            now,
            life_s_max: self.app.limits.token_life_s_max,
        };
        let mut serial = keys.serial;
        let mut verified = token::verify(token, &keys, &rules);
        if let (Err(problem), Some(provider)) = (&verified, &provider)
            && *problem.code == TOKEN_INVALID
            && let Some(renewed) = self.published.renew(&self.app, &provider.jwks_url, now).await
        {
            // The provider may have changed its keys since they were fetched.
            let keys = self.key_sets.get(settings, (Some(provider), Some(&renewed)));
            if keys.serial != serial {
                serial = keys.serial;
                verified = token::verify(token, &keys, &rules);
            }
        }
        let Verified { user, expires_at_s } = verified?;
        self.tokens.put(hash, serial, expires_at_s, Arc::clone(&user));
        Ok(user)
    }
}

/// The project of an address that asks for no token.
pub(crate) struct Open {
    /// The project's id.
    pub(crate) id: ProjectId,
    /// The project.
    pub(crate) project: Arc<Project>,
}

impl Input for Open {}

impl FromRequestParts<Shared> for Open {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Shared) -> Result<Self, Problem> {
        let address = Address::from_request_parts(parts, door).await?;
        let id = address.project().map_err(|_| PROJECT_UNKNOWN.plain())?;
        Ok(Self { id, project: door.project(id)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_token_comes_with_or_without_bearer() {
        let cases = [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer  a.b.c ", Some("a.b.c")),
            ("a.b.c", Some("a.b.c")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("", None),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(credentials(&headers), expected, "{value}");
        }
        assert_eq!(credentials(&HeaderMap::new()), None);
    }
}
