//! The keys in files.

use super::Findings;
use crate::config::Config;
use crate::keys;
use crate::moving::Ring;
use ports::{Log, MasterKey};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Bits of a mode that let others read or write.
const OTHERS: u32 = 0o077;

pub(super) async fn examine(config: &Config, log: Option<&dyn Log>, findings: &mut Findings) {
    let (data, named) = (&config.data, &config.keys);
    let path = keys::master_path(&named.master_key_file, data);
    if path.exists() {
        private("master key", &path, findings);
        match keys::existing_master(&named.master_key_file, data) {
            Ok(master) => opens(MasterKey::new(master), log, findings).await,
            Err(error) => findings.bad(
                "master key",
                format!("{}: {error:#}", path.display()),
                "put the key there that the log was made with",
            ),
        }
    } else if log.is_some() {
        findings.bad(
            "master key",
            format!("{} is not there, and nothing of the log opens without it", path.display()),
            "put the key there that the log was made with",
        );
    } else {
        let what = format!("{} is not there; the first start makes one", path.display());
        findings.ok("master key", what);
    }
    let path = keys::admin_path(&named.admin_key_file, data);
    if path.exists() {
        private("admin key", &path, findings);
    } else {
        let what = format!("{} is not there; a start makes one", path.display());
        findings.ok("admin key", what);
    }
}

fn private(check: &'static str, path: &Path, findings: &mut Findings) {
    let shown = path.display();
    match path.metadata().map(|found| found.permissions().mode()) {
        Ok(mode) if mode & OTHERS == 0 => {
            findings.ok(check, format!("{shown} is its owner's only"))
        }
        Ok(mode) => findings.bad(
            check,
            format!("others may read or change {shown}: its mode is {:o}", mode & 0o777),
            format!("chmod 600 {shown}"),
        ),
        Err(error) => findings.bad(check, format!("{shown}: {error}"), "make it readable"),
    }
}

/// Whether the key opens what it must.
async fn opens(master: MasterKey, log: Option<&dyn Log>, findings: &mut Findings) {
    let Some(log) = log else { return };
    match Ring::read(log).await {
        Ok(ring) => match ring.check(master) {
            Ok(()) => findings.ok("master key", format!("opens all {} data keys", ring.len())),
            Err(error) => findings.bad(
                "master key",
                format!("{error:#}"),
                "put the key there that the log was made with",
            ),
        },
        Err(error) => {
            let what = format!("the data keys cannot be read: {error:#}");
            findings.bad("master key", what, "see the log");
        }
    }
}
