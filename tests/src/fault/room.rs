//! A disk that can be filled: a small file system in memory, in a mount namespace of its own.

use anyhow::{Context, Result, ensure};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

/// Written at a time, in bytes.
const BLOCK: [u8; 4096] = [0; 4096];
/// Mounts, says so, and keeps the namespace until its input ends.
const HOLD: &str = r#"mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec cat"#;

/// The disk. Dropped, it goes once no one is in its namespace any more.
pub(super) struct Room {
    path: PathBuf,
    holder: Child,
}

impl Room {
    /// Mounts a file system of so many bytes at a folder, for those who [`Room::enter`].
    ///
    /// # Errors
    /// The system allows no user namespaces.
    pub(super) async fn make(path: &Path, bytes: u64) -> Result<Self> {
        let refused = "a disk of its own needs unshare, nsenter and user namespaces";
        std::fs::create_dir_all(path)?;
        let mut holder = tokio::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", HOLD, "sh"])
            .arg(bytes.to_string())
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context(refused)?;
        let said = holder.stdout.take().context("the holder has no output")?;
        let line = BufReader::new(said).lines().next_line().await?;
        ensure!(line.as_deref() == Some("mounted"), "nothing was mounted: {refused}");
        Ok(Self { path: path.to_owned(), holder })
    }

    /// The same program, where the disk is.
    ///
    /// # Errors
    /// The namespace is gone.
    pub(super) fn enter(&self, program: &Command) -> Result<Command> {
        let mut command = Command::new("nsenter");
        command
            .args(["--user", "--mount", "--preserve-credentials", "--target"])
            .arg(self.pid()?.to_string())
            .arg(program.get_program())
            .args(program.get_args());
        Ok(command)
    }

    /// Leaves not a block free.
    ///
    /// # Errors
    /// The disk cannot be written, but for being full.
    pub(super) fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.filler()?)?;
        loop {
            match file.write_all(&BLOCK) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("the disk cannot be filled"),
            }
        }
    }

    /// Makes room.
    ///
    /// # Errors
    /// It was not filled.
    pub(super) fn clear(&self) -> Result<()> {
        std::fs::remove_file(self.filler()?).context("there is nothing to remove")
    }

    /// What fills the disk, as it is found from outside.
    fn filler(&self) -> Result<PathBuf> {
        let outside = PathBuf::from(format!("/proc/{}/root", self.pid()?));
        Ok(outside.join(self.path.strip_prefix("/")?).join("filler"))
    }

    fn pid(&self) -> Result<u32> {
        self.holder.id().context("the disk is gone")
    }
}
