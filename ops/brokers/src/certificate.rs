//! What brokers show to who connects by TLS.

use crate::broker::PASSWORD;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A key store for brokers, and the certificate that vouches for it.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The key store, PKCS#12.
    pub store: PathBuf,
    /// The certificate, PEM.
    pub authority: PathBuf,
}

impl Certificate {
    /// Makes one for `localhost` in a folder.
    ///
    /// # Errors
    /// There is no JDK.
    pub fn make(folder: &Path) -> Result<Self> {
        let (store, authority) = (folder.join("broker.p12"), folder.join("authority.pem"));
        let keytool = |arguments: &[&str]| -> Result<()> {
            let mut command = Command::new("keytool");
            command.args(arguments).args(["-alias", "broker", "-storepass", PASSWORD, "-keystore"]);
            let done = command.arg(&store).output().context("keytool is part of the JDK")?;
            ensure!(done.status.success(), "keytool: {}", String::from_utf8_lossy(&done.stdout));
            Ok(())
        };
        keytool(&[
            "-genkeypair",
            "-keyalg",
            "EC",
            "-dname",
            "CN=localhost",
            "-ext",
            "san=dns:localhost,ip:127.0.0.1",
            "-validity",
            "30",
            "-storetype",
            "PKCS12",
        ])?;
        keytool(&["-exportcert", "-rfc", "-file", &authority.to_string_lossy()])?;
        Ok(Self { store, authority })
    }
}
