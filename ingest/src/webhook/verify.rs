//! Whether a webhook proves that who sent it knows the secret.

use super::arrival::Arrival;
use crate::problem::{INTERNAL, Outcome, Problem};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use domain::event::Verdict;
use domain::webhook::{
    Encoding, Hash, Piece, Place, Scheme, SecretForm, Signature, Template, Time, Token, Unit,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

/// Signatures looked at in one place.
const SIGNATURES_MAX: usize = 16;
/// What a secret of Standard Webhooks begins with.
const WHSEC: &str = "whsec_";
/// The longest text of a stranger that is signed for them, and of what characters: no delivery is.
const PROOF_LEN_MAX: usize = 64;

/// Which times of signing count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// Now, in milliseconds since 1970.
    pub(super) now_ms: i64,
    /// How far from now, in seconds.
    pub(super) tolerance_s: u32,
}

/// Verifies what came by its raw bytes; secrets and signatures are compared in constant time. Age
/// counts only where the signature fits, since else the time is anyone's.
///
/// # Errors
/// The secret is not written as the scheme wants it.
pub(super) fn verify(
    scheme: &Scheme,
    secret: &[u8],
    arrival: &Arrival<'_>,
    window: Window,
) -> Outcome<Verdict> {
    let proven = match (&scheme.signature, &scheme.token) {
        (Some(signature), _) => signed(signature, secret, arrival)?,
        (None, Some(token)) => told(token, secret, arrival),
        (None, None) => Verdict::Unsigned,
    };
    Ok(in_time(proven, scheme, arrival, window))
}

/// What is genuine, and too old.
pub(super) fn in_time(
    proven: Verdict,
    scheme: &Scheme,
    arrival: &Arrival<'_>,
    window: Window,
) -> Verdict {
    let pairs = scheme.signature.as_ref().map(|signature| Pairs::of(signature, arrival));
    match (proven, &scheme.time) {
        (Verdict::Verified, Some(time)) if !is_fresh(time, arrival, pairs.as_ref(), window) => {
            Verdict::Stale
        }
        (verdict, _) => verdict,
    }
}

/// The signature of a text of a stranger, in hex: nothing that could be the text of a delivery is
/// signed.
pub(super) fn proof(signature: &Signature, secret: &[u8], text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let may_be = text.len() <= PROOF_LEN_MAX && text.bytes().all(is_plain);
    let key = key(signature, secret).ok().filter(|_| may_be)?;
    Some(hex::encode(hmac::sign(&key, text.as_bytes())))
}

fn signed(signature: &Signature, secret: &[u8], arrival: &Arrival<'_>) -> Outcome<Verdict> {
    let key = key(signature, secret)?;
    let pairs = Pairs::of(signature, arrival);
    let given: Vec<String> = match &signature.pair {
        Some(name) => pairs.all(name).map(str::to_owned).collect(),
        None => signature.at.iter().filter_map(|at| arrival.at(at, Some(&pairs))).collect(),
    };
    if given.is_empty() {
        return Ok(Verdict::Unsigned);
    }
    if !has_hash(signature, arrival) {
        return Ok(Verdict::Forged);
    }
    let Some(tag) = tag(&signature.signed, &key, arrival, &pairs) else {
        return Ok(Verdict::Unsigned);
    };
    let fits = |given: &Vec<u8>| verify_slices_are_equal(tag.as_ref(), given).is_ok();
    let given = given.iter().flat_map(|text| signatures(signature, text));
    Ok(if given.take(SIGNATURES_MAX).any(|given| fits(&given)) {
        Verdict::Verified
    } else {
        Verdict::Forged
    })
}

/// Whether a body that is not itself signed is the one whose hash is.
fn has_hash(signature: &Signature, arrival: &Arrival<'_>) -> bool {
    let Some(at) = signature.body_hash.as_ref() else { return true };
    let told = arrival.at(at, None).unwrap_or_default();
    let hash = hex::encode(digest(&SHA256, arrival.body));
    arrival.is_form() || arrival.body.is_empty() || told.eq_ignore_ascii_case(&hash)
}

/// `None`: a part of what is signed is missing.
fn tag(
    signed: &Template,
    key: &hmac::Key,
    arrival: &Arrival<'_>,
    pairs: &Pairs,
) -> Option<hmac::Tag> {
    let mut context = hmac::Context::with_key(key);
    for piece in signed.pieces() {
        match piece {
            Piece::Text(text) => context.update(text.as_bytes()),
            Piece::Place(Place::Body) => context.update(arrival.body),
            Piece::Place(place) => context.update(arrival.at(place, Some(pairs))?.as_bytes()),
            Piece::Proof(_) => return None,
        }
    }
    Some(context.sign())
}

/// The signatures that are written as they should be: of hex there is one spelling, in small letters.
fn signatures<'t>(signature: &'t Signature, text: &'t str) -> impl Iterator<Item = Vec<u8>> + 't {
    let parts: Vec<&str> = match signature.list {
        Some(between) => text.split(between).take(SIGNATURES_MAX).collect(),
        None => vec![text],
    };
    let decode = |text: &str| match signature.encoding {
        Encoding::Hex if text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
        Encoding::Hex => hex::decode(text).ok(),
        Encoding::Base64 => STANDARD.decode(text).ok(),
    };
    parts.into_iter().filter_map(move |one| decode(one.trim().strip_prefix(&signature.prefix)?))
}

fn key(signature: &Signature, secret: &[u8]) -> Outcome<hmac::Key> {
    let algorithm = match signature.hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    };
    let written = secret.trim_ascii();
    let bytes = match signature.secret {
        SecretForm::Text => return Ok(hmac::Key::new(algorithm, secret)),
        SecretForm::Hex => hex::decode(written).map_err(|_| misspelt("hex")),
        SecretForm::Base64 => STANDARD.decode(written).map_err(|_| misspelt("Base64")),
        SecretForm::Whsec => STANDARD
            .decode(written.strip_prefix(WHSEC.as_bytes()).unwrap_or(written))
            .map_err(|_| misspelt("Base64")),
    };
    Ok(hmac::Key::new(algorithm, &bytes?))
}

fn misspelt(form: &str) -> Problem {
    tracing::error!(form, "a webhook secret is not written as its scheme wants it");
    INTERNAL.because(format!("The integration's webhook secret is not in {form}."))
}

fn told(token: &Token, secret: &[u8], arrival: &Arrival<'_>) -> Verdict {
    let Some(given) = arrival.at(&token.at, None) else { return Verdict::Unsigned };
    let given = given.strip_prefix(&token.prefix).unwrap_or_default();
    let fits = if token.jwt {
        is_signed(given.strip_prefix("Bearer ").unwrap_or(given), secret)
    } else if token.base64 {
        let given = STANDARD.decode(given).unwrap_or_default();
        verify_slices_are_equal(&given, secret).is_ok()
    } else {
        verify_slices_are_equal(given.as_bytes(), secret).is_ok()
    };
    if fits { Verdict::Verified } else { Verdict::Forged }
}

/// Whether it is a JWT that the secret signs. One that says when it ends has not ended.
fn is_signed(token: &str, secret: &[u8]) -> bool {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.required_spec_claims.clear();
    rules.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_secret(secret), &rules).is_ok()
}

fn is_fresh(time: &Time, arrival: &Arrival<'_>, pairs: Option<&Pairs>, window: Window) -> bool {
    let Some(text) = arrival.at(&time.at, pairs) else { return false };
    let at_ms = match time.unit {
        Unit::Seconds => text.parse::<i64>().ok().and_then(|at| at.checked_mul(1_000)),
        Unit::Millis => text.parse().ok(),
        Unit::Iso => DateTime::parse_from_rfc3339(&text).ok().map(|at| at.timestamp_millis()),
    };
    at_ms.is_some_and(|at| {
        // A time in whole seconds stands for all of its second.
        let apart_ms = window.now_ms.abs_diff(at);
        apart_ms / 1_000 <= u64::from(window.tolerance_s)
    })
}

/// What a signature of several `key=value` says.
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn of(signature: &Signature, arrival: &Arrival<'_>) -> Self {
        let text = signature.pair.as_ref().and(signature.at.first());
        let text = text.and_then(|at| arrival.at(at, None)).unwrap_or_default();
        let pairs = text.split(',').take(SIGNATURES_MAX).filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first under that key.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests;
