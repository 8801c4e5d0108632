//! User tokens: JWTs that the customer signs with RS256.

use super::key_set::{KeySet, Origin};
use crate::problem::{Outcome, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_LIFETIME};
use domain::config::IdentityProvider;
use domain::id::ProjectId;
use domain::time::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::Number;
use std::sync::{Arc, LazyLock};

/// A token is refused so many seconds after `exp`.
pub(super) const EXPIRY_LEEWAY_S: i64 = 2;
/// The customer's clock may be ahead by so many seconds.
const AHEAD_LEEWAY_S: i64 = 60;
const TOKEN_LEN_MAX: usize = 16 * 1024;
/// Bytes of a user's id.
pub(crate) const USER_LEN_MAX: usize = 256;

/// What a token must keep to.
pub(super) struct Rules<'a> {
    pub(super) project: ProjectId,
    /// Whose published keys count.
    pub(super) provider: Option<&'a IdentityProvider>,
    pub(super) now: Timestamp,
    pub(super) life_s_max: i64,
}

/// What a good token says.
#[derive(Debug)]
pub(super) struct Verified {
    /// `sub`.
    pub(super) user: Arc<str>,
    /// `exp`, in seconds since 1970.
    pub(super) expires_at_s: i64,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: Option<Number>,
    iat: Option<Number>,
    nbf: Option<Number>,
    aud: Option<Audience>,
    iss: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The signature alone: what the claims say is judged here, by the door's own clock.
static SIGNATURE: LazyLock<Validation> = LazyLock::new(|| {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
});

/// Verifies a token: signature first, then what it claims.
pub(super) fn verify(token: &str, keys: &KeySet, rules: &Rules<'_>) -> Outcome<Verified> {
    if token.len() > TOKEN_LEN_MAX {
        return Err(TOKEN_INVALID.because("The user token is too long."));
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| TOKEN_INVALID.because("The user token is not a JWT signed with RS256."))?;
    if header.alg != Algorithm::RS256 || header.crit.is_some() {
        return Err(TOKEN_INVALID.because("The user token must be signed with RS256."));
    }
    let (claims, origin) = keys
        .candidates(header.kid.as_deref())
        .find_map(|key| {
            let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &SIGNATURE);
            match decoded.map_err(|error| error.into_kind()) {
                Ok(data) => Some(Ok((data.claims, key.origin))),
                Err(jsonwebtoken::errors::ErrorKind::InvalidSignature) => None,
                Err(_) => Some(Err(TOKEN_INVALID.because(
                    "The user token's claims are malformed: sub must be text, exp and iat numbers.",
                ))),
            }
        })
        .unwrap_or_else(|| {
            Err(TOKEN_INVALID.because("The user token is not signed with a key of this project."))
        })?;
    judge(claims, origin, rules)
}

fn judge(claims: Claims, origin: Origin, rules: &Rules<'_>) -> Outcome<Verified> {
    if claims.sub.is_empty() || claims.sub.len() > USER_LEN_MAX {
        let reason = format!("The user token's sub must have 1 to {USER_LEN_MAX} bytes.");
        return Err(TOKEN_INVALID.because(reason));
    }
    let now_s = rules.now.0.div_euclid(1_000);
    let Some(expires_at_s) = claims.exp.as_ref().map(seconds) else {
        return Err(TOKEN_INVALID.because("The user token has no exp."));
    };
    if expires_at_s.saturating_add(EXPIRY_LEEWAY_S) <= now_s {
        return Err(TOKEN_EXPIRED.plain());
    }
    let begins_at_s = claims.iat.as_ref().map(seconds);
    let valid_from_s = begins_at_s.max(claims.nbf.as_ref().map(seconds));
    if valid_from_s.is_some_and(|from| from > now_s.saturating_add(AHEAD_LEEWAY_S)) {
        return Err(TOKEN_INVALID.because("The user token is not valid yet."));
    }
    let life_s = expires_at_s.saturating_sub(begins_at_s.unwrap_or(now_s));
    if life_s > rules.life_s_max {
        let days = rules.life_s_max / 86_400;
        return Err(TOKEN_LIFETIME.because(format!("A user token may live at most {days} days.")));
    }
    if let (Origin::Published, Some(provider)) = (origin, rules.provider) {
        is_from(&claims, provider)?;
    }
    if !is_for(claims.aud.as_ref(), origin, rules.project) {
        return Err(TOKEN_INVALID.because("The user token is meant for another audience."));
    }
    Ok(Verified { user: Arc::from(claims.sub), expires_at_s })
}

/// A provider signs for many with one key: issuer and audience tell whom a token is for.
fn is_from(claims: &Claims, provider: &IdentityProvider) -> Outcome<()> {
    if provider.issuer.is_some() && claims.iss != provider.issuer {
        return Err(TOKEN_INVALID.because("The user token is from another issuer."));
    }
    let named = match (&claims.aud, &provider.audience) {
        // Whoever says who issues a token says whom it is for.
        (aud, None) => aud.is_some() || provider.issuer.is_none(),
        (Some(Audience::One(one)), Some(wanted)) => one == wanted,
        (Some(Audience::Many(many)), Some(wanted)) => many.contains(wanted),
        (None, Some(_)) => false,
    };
    if named {
        return Ok(());
    }
    Err(TOKEN_INVALID.because("The user token is meant for another audience."))
}

/// A token that was signed by an identity provider has the provider's own audience; but one that
/// names a project must name this one.
fn is_for(audience: Option<&Audience>, origin: Origin, project: ProjectId) -> bool {
    let audiences = match audience {
        None => return true,
        Some(Audience::One(one)) => std::slice::from_ref(one),
        Some(Audience::Many(many)) => many.as_slice(),
    };
    let project = project.to_string();
    let named = |audience: &String| {
        let rest = audience.strip_prefix("dashboard.").unwrap_or(audience);
        rest.strip_prefix("useparagon.com/").map(|id| id.eq_ignore_ascii_case(&project))
    };
    let mut names = audiences.iter().filter_map(named).peekable();
    match (names.peek().is_some(), origin) {
        (true, _) => names.any(|same| same),
        (false, Origin::Published) => true,
        (false, Origin::Project) => false,
    }
}

/// A NumericDate may have a fraction; one out of range is as far away as can be.
fn seconds(number: &Number) -> i64 {
    let float = || number.as_f64().unwrap_or(0.0).floor() as i64;
    number.as_i64().unwrap_or_else(float)
}
