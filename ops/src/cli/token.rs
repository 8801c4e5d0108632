//! `millrace token`

use crate::config::Config;
use anyhow::{Context, Result, bail};
use clap::Args;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ports::Clock;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Token {
    /// The user: `sub` of the token.
    #[arg(long)]
    user: String,
    /// The project's private key (PEM); by default the one that `apply` made in <data>/keys.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// How long the token is good, in seconds.
    #[arg(long, default_value_t = 3_600)]
    life_s: i64,
}

impl Token {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode> {
        let path = match &self.key {
            Some(path) => path.clone(),
            None => only_key(&config.data.join("keys"))?,
        };
        let pem = std::fs::read(&path)
            .with_context(|| format!("cannot read the key {}", path.display()))?;
        println!("{}", sign(&pem, &self.user, self.life_s)?);
        Ok(ExitCode::SUCCESS)
    }
}

/// The signing key of the only project.
fn only_key(folder: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("no keys in {}; name one with --key", folder.display()))?;
    let mut keys: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .collect();
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => bail!("several keys in {}; name one with --key", folder.display()),
        (None, _) => bail!("no keys in {}; name one with --key", folder.display()),
    }
}

/// A user token, RS256.
fn sign(pem: &[u8], user: &str, life_s: i64) -> Result<String> {
    let key = EncodingKey::from_rsa_pem(pem).context("not an RSA private key in PEM")?;
    let now = crate::system::SystemClock.now().0 / 1_000;
    let claims = json!({ "sub": user, "iat": now, "exp": now + life_s });
    Ok(encode(&Header::new(Algorithm::RS256), &claims, &key)?)
}
