//! Keys and tokens as a customer makes them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Now, in seconds since 1970: where every test begins.
pub(crate) const NOW_S: i64 = 1_700_000_000;

/// A signing key of a customer.
pub(crate) struct Signer {
    private: EncodingKey,
    pub(crate) public_pem: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// The project's key, another, and a third.
pub(crate) static OURS: LazyLock<Signer> = LazyLock::new(|| Signer::made(KeySize::Rsa2048));
pub(crate) static OTHER: LazyLock<Signer> = LazyLock::new(|| Signer::made(KeySize::Rsa2048));

impl Signer {
    fn made(size: KeySize) -> Self {
        let pair = KeyPair::generate(size).unwrap();
        let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        let pem = pem("PRIVATE KEY", private.as_ref());
        Self {
            private: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            public_pem: pem_trimmed("PUBLIC KEY", public.as_ref()),
            modulus: pair.public_key().modulus().big_endian_without_leading_zero().to_vec(),
            exponent: pair.public_key().exponent().big_endian_without_leading_zero().to_vec(),
        }
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(Algorithm::RS256, None, claims)
    }

    /// A token with another algorithm of the same key, or a key id.
    pub(crate) fn sign_as(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        claims: &Value,
    ) -> String {
        let mut header = Header::new(algorithm);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }

    /// The key as an identity provider publishes it.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
        })
    }
}

/// The claims of a token for an hour.
pub(crate) fn claims(user: &str) -> Value {
    json!({ "sub": user, "iat": NOW_S, "exp": NOW_S + 3_600 })
}

/// A token of the project for a user.
pub(crate) fn token(user: &str) -> String {
    OURS.sign(&claims(user))
}

/// A token put together by hand: header, claims, and a signature of the two.
pub(crate) fn forged(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn pem_trimmed(label: &str, der: &[u8]) -> String {
    pem(label, der).trim_end().to_owned()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
