//! User tokens, as a customer's server signs them.

use anyhow::{Context, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const LIFE_S: u64 = 3_600;

/// Signs user tokens with the private key of a project.
pub struct Signer(EncodingKey);

impl Signer {
    /// The key that `millrace apply` made for the project.
    ///
    /// # Errors
    /// There is none, or it is no RSA key.
    pub fn load(data: &Path, project: &str) -> Result<Self> {
        let path = data.join("keys").join(format!("{project}.pem"));
        let pem = std::fs::read(&path).with_context(|| format!("no key {}", path.display()))?;
        Ok(Self(EncodingKey::from_rsa_pem(&pem)?))
    }

    /// A token for a user, good for an hour.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn token(&self, user: &str) -> Result<String> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({ "sub": user, "iat": now_s, "exp": now_s + LIFE_S });
        Ok(encode(&Header::new(Algorithm::RS256), &claims, &self.0)?)
    }
}
