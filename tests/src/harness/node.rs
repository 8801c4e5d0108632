//! A child process that runs `millrace serve`.

use super::{backend, root};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// What names the binary of a folder, if it is not this build's.
const PROGRAM: &str = "program";
const GREETING: &str = "millrace listens on http://";
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How often and how long one looks whether a killed process is gone.
const KILL_LOOKS_MAX: u32 = 400;
const KILL_PAUSE: Duration = Duration::from_millis(5);
/// Lines of the node's own log that an error shows.
const SHOWN_LINES: usize = 12;

/// What a command of the binary said, and how it ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it printed as errors.
    pub err: String,
}

/// A running node in a process of its own. Dropped, it is killed.
pub struct Node {
    data: PathBuf,
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Node {
    /// Starts a node on a folder, on a free port, and waits until it listens. Its log is appended
    /// to `<data>/serve.log`.
    ///
    /// # Errors
    /// The binary is not built, or the node does not come up; the error holds the end of its log.
    pub async fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &[]).await
    }

    /// Starts a node with further settings, as `("HTTP__BODY_BYTES_MAX", "1000")`.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub async fn start_with(data: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_under(&[], data, settings).await
    }

    /// Starts a node by another program that becomes it, as `["nice"]`.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub async fn start_under(
        wrapper: &[&str],
        data: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        std::fs::create_dir_all(data)?;
        let log = File::options().create(true).append(true).open(data.join("serve.log"))?;
        let mut command = match wrapper {
            [] => Command::new(program(data)?),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program(data)?);
                command
            }
        };
        command
            .arg("--data")
            .arg(data)
            .arg("serve")
            .env("MILLRACE_HTTP__LISTEN", "127.0.0.1:0")
            .env("MILLRACE_EGRESS__ALLOW", "127.0.0.0/8")
            .envs(backend(data)?)
            .envs(named(settings))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the node")?;
        let stdout = child.stdout.take().context("the node has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let greeted = timeout(START_TIMEOUT, greeting(&mut lines)).await;
        let Some(address) = greeted.ok().flatten() else {
            bail!("the node did not come up:\n{}", end_of_log(data));
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { data: data.to_owned(), child, address })
    }

    /// From now on nodes and commands on a folder are of another build, or of this one again.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn give(data: &Path, build: Option<&Path>) -> Result<()> {
        std::fs::create_dir_all(data)?;
        let given = data.join(PROGRAM);
        match build {
            Some(build) => std::fs::write(given, build.to_string_lossy().as_bytes())?,
            None => std::fs::remove_file(given)?,
        }
        Ok(())
    }

    /// The process id; none when it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process has ended by itself, and how.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Kills the process at once (SIGKILL): it can do nothing about it.
    ///
    /// # Errors
    /// The process had ended before, by itself; the error holds the end of its log.
    pub async fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the node had ended with {status}:\n{}", end_of_log(&self.data));
        }
        self.child.kill().await.context("cannot kill the node")
    }

    /// Keeps the process from running (SIGSTOP), until [`Node::thaw`]; it does not notice.
    ///
    /// # Errors
    /// The process has ended.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets the process run on.
    ///
    /// # Errors
    /// The process has ended.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let Some(pid) = pid else {
            bail!("the node had ended:\n{}", end_of_log(&self.data));
        };
        kill_process(pid, signal).context("the node cannot be signalled")
    }

    /// Asks the process to stop (SIGTERM), and waits for it.
    ///
    /// # Errors
    /// It does not stop in time, or ends with an error.
    pub async fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let Ok(ended) = timeout(STOP_TIMEOUT, self.child.wait()).await else {
            bail!("the node did not stop:\n{}", end_of_log(&self.data));
        };
        let status = ended?;
        if !status.success() {
            bail!("the node ended with {status}:\n{}", end_of_log(&self.data));
        }
        Ok(())
    }

    /// Runs another command of the binary on a folder; gives what it prints, however it ends.
    ///
    /// # Errors
    /// The binary is not built.
    pub async fn say(data: &Path, arguments: &[&str]) -> Result<String> {
        let output = command(data)?.args(arguments).output().await?;
        let said = [output.stderr, output.stdout].concat();
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs another command of the binary on a folder, however it ends.
    ///
    /// # Errors
    /// The binary is not built.
    pub async fn tell(data: &Path, arguments: &[&str]) -> Result<Said> {
        Self::tell_with(data, arguments, &[]).await
    }

    /// Runs another command of the binary with further settings, however it ends.
    ///
    /// # Errors
    /// The binary is not built.
    pub async fn tell_with(
        data: &Path,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Result<Said> {
        let mut command = command(data)?;
        command.args(arguments).envs(named(settings)).stdin(Stdio::null());
        let output = command.output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code();
        Ok(Said { code, out: text(output.stdout), err: text(output.stderr) })
    }

    /// Runs another command of the binary on a folder until it logs a line with `word`; then kills
    /// it at once (SIGKILL).
    ///
    /// # Errors
    /// The binary is not built, or the command ends without saying it.
    pub async fn cut_off(data: &Path, arguments: &[&str], word: &str) -> Result<()> {
        let mut command = command(data)?;
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("MILLRACE_TELEMETRY__LEVEL", "info,millrace=debug");
        let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stderr = child.stderr.take().context("the command has no errors")?;
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await? {
            if line.contains(word) {
                child.kill().await?;
                return Ok(());
            }
        }
        bail!("millrace {} never said {word}", arguments.join(" "))
    }

    /// Runs another command of the binary on a folder; gives what it prints.
    ///
    /// # Errors
    /// The binary is not built, or the command fails; the error holds what it says.
    pub async fn run(data: &Path, arguments: &[&str]) -> Result<String> {
        let output = command(data)?.args(arguments).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("millrace {}: {}\n{said}{why}", arguments.join(" "), output.status);
        }
        Ok(said)
    }
}

impl Drop for Node {
    /// Waits a little, so that whoever removes the folder afterwards finds nobody writing to it.
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        for _ in 0..KILL_LOOKS_MAX {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(KILL_PAUSE);
        }
    }
}

/// The binary for a folder: the one that it was given, else the one beside the program that runs,
/// else the release build.
///
/// # Errors
/// It is not built.
pub(crate) fn program(data: &Path) -> Result<PathBuf> {
    if let Ok(given) = std::fs::read_to_string(data.join(PROGRAM)) {
        return Ok(PathBuf::from(given));
    }
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(|folder| folder.join("millrace"));
    let built = root().join("target/release/millrace");
    let known = beside.into_iter().chain([built]).find(|path| path.is_file());
    known.context("there is no millrace binary: run `cargo build --release -p millrace`")
}

fn command(data: &Path) -> Result<Command> {
    let mut command = Command::new(program(data)?);
    command.arg("--data").arg(data).envs(backend(data)?);
    Ok(command)
}

/// Settings as the binary reads them.
fn named<'a>(settings: &'a [(&str, &str)]) -> impl Iterator<Item = (String, &'a str)> {
    settings.iter().map(|(name, value)| (format!("MILLRACE_{name}"), *value))
}

/// Settings that say where the log of the folder is.
fn backend(data: &Path) -> Result<Vec<(String, String)>> {
    let topics = backend::topics(data)?;
    Ok(topics.as_ref().map(backend::settings).unwrap_or_default())
}

async fn greeting(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<SocketAddr> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line.strip_prefix(GREETING) {
            return address.trim().parse().ok();
        }
    }
    None
}

fn end_of_log(data: &Path) -> String {
    let text = std::fs::read_to_string(data.join("serve.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
