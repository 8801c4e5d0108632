//! `millrace token`

use anyhow::{Context, Result};
use clap::Args;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ports::Clock;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Token {
    /// The user: `sub` of the token.
    #[arg(long)]
    user: String,
    /// The project's private key (PEM).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How long the token is good, in seconds.
    #[arg(long, default_value_t = 3_600)]
    life_s: i64,
}

impl Token {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let pem = std::fs::read(&self.key)
            .with_context(|| format!("cannot read the key {}", self.key.display()))?;
        println!("{}", sign(&pem, &self.user, self.life_s)?);
        Ok(ExitCode::SUCCESS)
    }
}

/// A user token, RS256.
fn sign(pem: &[u8], user: &str, life_s: i64) -> Result<String> {
    let key = EncodingKey::from_rsa_pem(pem).context("not an RSA private key in PEM")?;
    let now = crate::system::SystemClock.now().0 / 1_000;
    let claims = json!({ "sub": user, "iat": now, "exp": now + life_s });
    Ok(encode(&Header::new(Algorithm::RS256), &claims, &key)?)
}
