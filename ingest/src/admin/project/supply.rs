//! What a project file asks of its surroundings.

use crate::auth::sha256;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::definition::Supplier;
use ports::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

const KEY_PREFIX: &str = "key_";

/// Supplies a file with values of the environment that its sender has, and with fresh keys.
pub(super) struct Supply {
    environment: BTreeMap<String, String>,
    random: Arc<dyn Random>,
    pub(super) supplied: Supplied,
}

/// The keys that were made.
#[derive(Default)]
pub(super) struct Supplied {
    /// API keys by name.
    pub(super) api_keys: BTreeMap<String, String>,
    /// The key that user tokens are signed with.
    pub(super) signing_key: Option<SigningPair>,
}

/// A key that user tokens are signed with, in PEM.
pub(super) struct SigningPair {
    pub(super) private_pem: Zeroizing<String>,
    pub(super) public_pem: String,
}

impl Supply {
    pub(super) fn new(environment: BTreeMap<String, String>, random: Arc<dyn Random>) -> Self {
        Self { environment, random, supplied: Supplied::default() }
    }
}

impl Supplier for Supply {
    fn environment(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn sha256(&self, key: &str) -> String {
        hex::encode(sha256(key.as_bytes()))
    }

    fn new_api_key(&mut self, name: &str) -> String {
        let key = api_key(&*self.random);
        self.supplied.api_keys.insert(name.to_owned(), key.clone());
        key
    }

    fn new_signing_key(&mut self) -> String {
        self.supplied.signing_key = signing_pair();
        self.supplied.signing_key.as_ref().map_or_else(String::new, |pair| pair.public_pem.clone())
    }
}

/// A key of the Task History API.
pub(in crate::admin) fn api_key(random: &dyn Random) -> String {
    let mut bytes = [0u8; 32];
    random.fill(&mut bytes);
    format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The library draws from the operating system's own entropy; it fails only if there is none.
fn signing_pair() -> Option<SigningPair> {
    let pair = KeyPair::generate(KeySize::Rsa2048).ok()?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).ok()?;
    Some(SigningPair {
        private_pem: Zeroizing::new(pem("PRIVATE KEY", private.as_ref())),
        public_pem: pem("PUBLIC KEY", public.as_ref()).trim_end().to_owned(),
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, EncodingKey};

    #[test]
    fn a_made_signing_key_is_readable_in_both_halves() {
        let pair = signing_pair().unwrap();
        assert!(EncodingKey::from_rsa_pem(pair.private_pem.as_bytes()).is_ok());
        assert!(DecodingKey::from_rsa_pem(pair.public_pem.as_bytes()).is_ok());
        assert!(pair.private_pem.lines().all(|line| line.len() <= 64));
    }
}
