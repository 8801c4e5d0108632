//! The master key and the admin key: given in files, or made at the first start.

use anyhow::{Context, Result, anyhow, bail};
use ports::Random;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Reads 32 bytes as 64 hex digits; makes them where no file was named and none is there.
///
/// # Errors
/// The file cannot be read or written, or does not hold 64 hex digits.
pub fn master(named: &str, data: &Path, random: &dyn Random) -> Result<[u8; 32]> {
    let text = read_or_make(named, &data.join("master.key"), random)?;
    parse_hex(&text)
}

/// The admin key, as text.
///
/// # Errors
/// The file cannot be read or written.
pub fn admin(named: &str, data: &Path, random: &dyn Random) -> Result<String> {
    read_or_make(named, &data.join("admin.key"), random)
}

/// The admin key of a folder that a node has used before.
///
/// # Errors
/// The file cannot be read.
pub fn existing_admin(named: &str, data: &Path) -> Result<String> {
    existing(named, &data.join("admin.key"))
}

/// The master key of a folder that a node has used before. It is never made: another one would
/// open nothing.
///
/// # Errors
/// The file cannot be read, or does not hold 64 hex digits.
pub fn existing_master(named: &str, data: &Path) -> Result<[u8; 32]> {
    parse_hex(&existing(named, &data.join("master.key"))?)
}

/// Where the master key is, or will be.
pub fn master_path(named: &str, data: &Path) -> PathBuf {
    place(named, &data.join("master.key"))
}

/// Where the admin key is, or will be.
pub fn admin_path(named: &str, data: &Path) -> PathBuf {
    place(named, &data.join("admin.key"))
}

fn place(named: &str, default: &Path) -> PathBuf {
    if named.is_empty() { default.to_owned() } else { PathBuf::from(named) }
}

fn existing(named: &str, default: &Path) -> Result<String> {
    let path = place(named, default);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read the key {}", path.display()))?;
    Ok(text.trim().to_owned())
}

fn read_or_make(named: &str, default: &Path, random: &dyn Random) -> Result<String> {
    let path = place(named, default);
    if named.is_empty() && !path.exists() {
        let mut bytes = [0u8; 32];
        random.fill(&mut bytes);
        write_secret(&path, &hex::encode(bytes))?;
        tracing::warn!(path = %path.display(), "made a key; keep a copy of it apart from the data");
    }
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read the key {}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// Writes a file that only its owner can read, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write_secret(path: &Path, text: &str) -> Result<()> {
    let part = path.with_extension("part");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&part)
        .with_context(|| format!("cannot write {}", part.display()))?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    Ok(())
}

fn parse_hex(text: &str) -> Result<[u8; 32]> {
    let mut bytes = [0u8; 32];
    if text.len() != 64 {
        bail!("a master key is 64 hex digits; this one has {}", text.len());
    }
    // What is wrong in it is not told: it is a secret.
    hex::decode_to_slice(text, &mut bytes).map_err(|_| anyhow!("a master key is 64 hex digits"))?;
    Ok(bytes)
}
