//! What a project file leaves to its surroundings: the environment, hashes, fresh keys.
//!
//! A generated key is kept in a file that only its owner can read, so that applying the file again
//! finds it instead of replacing it.

use crate::keys::write_secret;
use crate::system::SystemEntropy;
use anyhow::{Result, bail};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::definition::Supplier;
use domain::id::ProjectId;
use ports::Random;
use std::path::{Path, PathBuf};

/// Where the private signing key of a project is kept.
pub(super) fn signing_key_path(folder: &Path, project: &str) -> PathBuf {
    folder.join(format!("{project}.pem"))
}

pub(super) struct Keys {
    folder: PathBuf,
    project: ProjectId,
    dry_run: bool,
    failed: Option<anyhow::Error>,
}

impl Keys {
    pub(super) fn new(folder: PathBuf, project: ProjectId, dry_run: bool) -> Self {
        Self { folder, project, dry_run, failed: None }
    }

    /// What went wrong while keys were made.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn keep(&self, path: &Path, text: &str) -> Result<()> {
        if self.dry_run {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder)?;
        write_secret(path, text)?;
        eprintln!("made {}; keep a copy of it", path.display());
        Ok(())
    }

    fn signing_key(&self) -> Result<String> {
        let path = signing_key_path(&self.folder, &self.project.to_string());
        let pair = match std::fs::read_to_string(&path) {
            Ok(text) => match KeyPair::from_pkcs8(&from_pem(&text)?) {
                Ok(pair) => pair,
                Err(_) => bail!("{} holds no RSA key in PKCS #8", path.display()),
            },
            Err(_) => {
                let pair = KeyPair::generate(KeySize::Rsa2048)?;
                let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
                self.keep(&path, to_pem("PRIVATE KEY", private.as_ref()).trim_end())?;
                pair
            }
        };
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(
            aws_lc_rs::signature::KeyPair::public_key(&pair),
        )?;
        Ok(to_pem("PUBLIC KEY", public.as_ref()))
    }

    fn api_key(&self, name: &str) -> Result<String> {
        let path = self.folder.join(format!("{}.{}.key", self.project, hex::encode(name)));
        if let Ok(text) = std::fs::read_to_string(&path) {
            return Ok(text.trim().to_owned());
        }
        let mut bytes = [0u8; 32];
        SystemEntropy::new().fill(&mut bytes);
        let key = format!("key_{}", URL_SAFE_NO_PAD.encode(bytes));
        self.keep(&path, &key)?;
        println!("API key {name}: {key}");
        Ok(key)
    }
}

impl Supplier for Keys {
    // Secrets of a project file may stand in the environment.
    #[allow(clippy::disallowed_methods)]
    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn sha256(&self, key: &str) -> String {
        hex::encode(digest::digest(&digest::SHA256, key.as_bytes()).as_ref())
    }

    fn new_api_key(&mut self, name: &str) -> String {
        self.api_key(name).unwrap_or_else(|error| {
            self.failed = Some(error);
            String::new()
        })
    }

    fn new_signing_key(&mut self) -> String {
        self.signing_key().unwrap_or_else(|error| {
            self.failed = Some(error);
            String::new()
        })
    }
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn from_pem(text: &str) -> Result<Vec<u8>> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    Ok(STANDARD.decode(body.trim())?)
}
