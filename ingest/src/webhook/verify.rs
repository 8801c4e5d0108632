//! Whether a webhook is signed as its scheme says.

use super::scheme::{Form, Piece, Scheme, SecretForm};
use crate::problem::{INTERNAL, Outcome};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::event::Verdict;

/// Signatures looked at in one header.
const SIGNATURES_MAX: usize = 16;

/// Which times of signing count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// Now, in seconds since 1970.
    pub(super) now_s: i64,
    /// How far from now, in seconds.
    pub(super) tolerance_s: u32,
}

impl Scheme {
    /// Verifies the raw bytes; signatures are compared in constant time. Age counts only where
    /// the signature fits, since else the time is anyone's.
    ///
    /// # Errors
    /// The secret is not written as the scheme wants it.
    pub(super) fn verify(
        &self,
        secret: &[u8],
        headers: &HeaderMap,
        body: &[u8],
        window: Window,
    ) -> Outcome<Verdict> {
        let key = self.key(secret)?;
        let Some(signature) = header(headers, self.signature) else { return Ok(Verdict::Unsigned) };
        let mut context = hmac::Context::with_key(&key);
        for piece in self.signed {
            match piece {
                Piece::Body => context.update(body),
                Piece::Text(text) => context.update(text.as_bytes()),
                Piece::Header(name) => match header(headers, name) {
                    Some(value) => context.update(value.as_bytes()),
                    None => return Ok(Verdict::Unsigned),
                },
            }
        }
        let tag = context.sign();
        let fits = |given: &[u8]| verify_slices_are_equal(tag.as_ref(), given).is_ok();
        if !self.form.signatures(signature).iter().any(|given| fits(given)) {
            return Ok(Verdict::Forged);
        }
        let Some(timestamp) = self.timestamp else { return Ok(Verdict::Verified) };
        let signed_at_s = header(headers, timestamp).and_then(|text| text.parse::<i64>().ok());
        let fresh = |at: i64| window.now_s.abs_diff(at) <= u64::from(window.tolerance_s);
        Ok(if signed_at_s.is_some_and(fresh) { Verdict::Verified } else { Verdict::Stale })
    }

    fn key(&self, secret: &[u8]) -> Outcome<hmac::Key> {
        let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        match self.secret {
            SecretForm::Text => Ok(key(secret)),
            SecretForm::Base64 { prefix } => {
                let text = secret.strip_prefix(prefix.as_bytes()).unwrap_or(secret);
                let bytes = STANDARD.decode(text.trim_ascii()).map_err(|_| {
                    tracing::error!(scheme = self.name, "a webhook secret is not in Base64");
                    INTERNAL.because("The integration's webhook secret is not in Base64.")
                })?;
                Ok(key(&bytes))
            }
        }
    }
}

impl Form {
    /// The signatures that are written as they should be.
    fn signatures(self, text: &str) -> Vec<Vec<u8>> {
        match self {
            Form::Hex { prefix } => {
                let hex = text.trim().strip_prefix(prefix);
                hex.and_then(|hex| hex::decode(hex).ok()).into_iter().collect()
            }
            Form::Base64List { prefix } => text
                .split_ascii_whitespace()
                .take(SIGNATURES_MAX)
                .filter_map(|one| STANDARD.decode(one.strip_prefix(prefix)?).ok())
                .collect(),
        }
    }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn window(now_s: i64) -> Window {
        Window { now_s, tolerance_s: 300 }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    fn github(signature: &str, body: &[u8]) -> Verdict {
        let scheme = Scheme::named("github").unwrap();
        let headers = headers(&[("x-hub-signature-256", signature)]);
        scheme.verify(b"It's a Secret to Everybody", &headers, body, window(0)).unwrap()
    }

    /// The example of GitHub's documentation.
    const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn githubs_own_example_is_verified_and_nothing_near_it() {
        assert_eq!(github(GITHUB, b"Hello, World!"), Verdict::Verified);
        assert_eq!(github(GITHUB, b"Hello, World?"), Verdict::Forged);
        assert_eq!(github(&GITHUB[..GITHUB.len() - 2], b"Hello, World!"), Verdict::Forged);
        assert_eq!(
            github(GITHUB.strip_prefix("sha256=").unwrap(), b"Hello, World!"),
            Verdict::Forged
        );
        assert_eq!(github("sha256=", b"Hello, World!"), Verdict::Forged);
        assert_eq!(github("sha256=zz", b"Hello, World!"), Verdict::Forged);
        assert_eq!(github("", b"Hello, World!"), Verdict::Unsigned);
    }

    const SECRET: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED_AT: i64 = 1_614_265_330;

    fn standard(signature: &str, timestamp: &str, now_s: i64) -> Verdict {
        let scheme = Scheme::named("standard").unwrap();
        let headers = headers(&[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ]);
        scheme.verify(SECRET, &headers, br#"{"test": 2432232314}"#, window(now_s)).unwrap()
    }

    /// The example of the specification's reference libraries.
    const STANDARD_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_standards_own_example_is_verified_among_others() {
        let at = SIGNED_AT.to_string();
        assert_eq!(standard(STANDARD_SIGNATURE, &at, SIGNED_AT), Verdict::Verified);
        let several = format!("v1a,AAAA v1,AAAA {STANDARD_SIGNATURE} v1,");
        assert_eq!(standard(&several, &at, SIGNED_AT), Verdict::Verified);
        let late = format!("{}{STANDARD_SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES_MAX));
        assert_eq!(standard(&late, &at, SIGNED_AT), Verdict::Forged);
        assert_eq!(standard("v1,AAAA", &at, SIGNED_AT), Verdict::Forged);
    }

    #[test]
    fn an_old_or_early_signature_is_stale_and_another_time_forged() {
        let at = SIGNED_AT.to_string();
        assert_eq!(standard(STANDARD_SIGNATURE, &at, SIGNED_AT + 300), Verdict::Verified);
        assert_eq!(standard(STANDARD_SIGNATURE, &at, SIGNED_AT + 301), Verdict::Stale);
        assert_eq!(standard(STANDARD_SIGNATURE, &at, SIGNED_AT - 301), Verdict::Stale);
        let other = (SIGNED_AT + 400).to_string();
        assert_eq!(standard(STANDARD_SIGNATURE, &other, SIGNED_AT + 400), Verdict::Forged);
    }

    #[test]
    fn a_secret_that_is_no_base64_is_our_mistake() {
        let scheme = Scheme::named("standard").unwrap();
        assert!(scheme.verify(b"whsec_***", &HeaderMap::new(), b"", window(0)).is_err());
    }
}
