//! User tokens, as a customer's server signs them.

use anyhow::{Context, Result};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const LIFE_S: u64 = 3_600;

/// Signs user tokens with the private key of a project.
pub struct Signer {
    key: EncodingKey,
    pem: String,
}

impl Signer {
    /// The key that `millrace apply` made for the project.
    ///
    /// # Errors
    /// There is none, or it is no RSA key.
    pub fn load(data: &Path, project: &str) -> Result<Self> {
        let path = data.join("keys").join(format!("{project}.pem"));
        let pem =
            std::fs::read_to_string(&path).with_context(|| format!("no key {}", path.display()))?;
        Ok(Self { key: EncodingKey::from_rsa_pem(pem.as_bytes())?, pem })
    }

    /// A token for a user, good for an hour.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn token(&self, user: &str) -> Result<String> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({ "sub": user, "iat": now_s, "exp": now_s + LIFE_S });
        Ok(encode(&Header::new(Algorithm::RS256), &claims, &self.key)?)
    }

    /// A token with any header and any claims, signed with RS256 whatever its header says.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn forge(&self, header: &Value, claims: &Value) -> Result<String> {
        let message = unsigned(header, claims);
        let signature = crypto::sign(message.as_bytes(), &self.key, Algorithm::RS256)?;
        Ok(format!("{message}.{signature}"))
    }

    /// The public half of the key, as a key set has it (RFC 7517).
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn public_jwk(&self, id: &str) -> Result<Value> {
        let pair = self.pair()?;
        let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
        let (modulus, exponent) =
            numbers(public.as_ref()).context("not the public key of an RSA key")?;
        let text = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        Ok(json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
            "n": text(modulus), "e": text(exponent),
        }))
    }

    fn pair(&self) -> Result<KeyPair> {
        let body: String = self.pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Ok(KeyPair::from_pkcs8(&STANDARD.decode(body.trim())?)?)
    }

    /// The public half of the key, in PEM.
    ///
    /// # Errors
    /// The key cannot be read.
    pub fn public_pem(&self) -> Result<String> {
        let pair = self.pair()?;
        let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public)?;
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
    }
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017, A.1.1) in DER.
fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(0x30, der)?;
    let (modulus, rest) = element(0x02, sequence)?;
    let (exponent, _) = element(0x02, rest)?;
    // A number whose first bit is set has a zero in front.
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent))
}

/// The content of the element in front, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (len, rest) = match usize::from(*first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (len, rest) = rest.split_at_checked(long - 0x80)?;
            (len.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
    };
    rest.split_at_checked(len)
}

/// Header and claims of a token, without a signature.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}
