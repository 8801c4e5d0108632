//! The node's folder, and its disk.

use super::Findings;
use crate::config::Config;
use crate::{cli, wire};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Room for so many more segments of the log is little.
const SEGMENTS_FEW: u64 = 16;
/// With less room the next segment may not fit, and the node refuses what is sent to it.
const SEGMENTS_MIN: u64 = 3;
/// A sync that takes longer slows everything down.
const SYNC_SLOW: Duration = Duration::from_millis(50);

/// Looks at the folder; tells whether a node has it.
pub(super) async fn examine(config: &Config, findings: &mut Findings) -> bool {
    let data = &config.data;
    if !data.is_dir() {
        let what = format!("{} is not there; the first start makes it", data.display());
        findings.ok("folder", what);
        return false;
    }
    let holder = holder(&data.join("rows/LOCK"));
    match &holder {
        Some(pid) => findings.ok("folder", format!("process {pid} has {}", data.display())),
        None => findings.ok("folder", format!("no node has {}", data.display())),
    }
    if holder.is_some() {
        answers(config, findings).await;
    }
    sync(data, findings);
    let mut places = vec![data.clone(), wire::blobs(config)];
    places.retain(|place| place.is_dir());
    places.dedup();
    for place in places {
        room(&place, config.log.segment_bytes, findings);
    }
    holder.is_some()
}

/// The process that wrote its number into a lock file, if it still has the file open: the lock
/// itself is not tried, for a node that starts just then would be refused.
fn holder(lock: &Path) -> Option<u32> {
    let pid: u32 = std::fs::read_to_string(lock).ok()?.trim().parse().ok()?;
    let lock = lock.canonicalize().ok()?;
    let process = Path::new("/proc").join(pid.to_string());
    let is_held = match std::fs::read_dir(process.join("fd")) {
        Ok(mut open) => open.any(|file| {
            file.and_then(|file| std::fs::read_link(file.path())).is_ok_and(|path| path == lock)
        }),
        // Another user's.
        Err(_) => process.exists(),
    };
    is_held.then_some(pid)
}

/// Whether the node that has the folder serves.
async fn answers(config: &Config, findings: &mut Findings) {
    let said = match cli::address(config) {
        Ok(address) => cli::client::get(&format!("http://{address}/health/ready")).await,
        Err(error) => Err(error),
    };
    match said {
        Ok((200, _)) => findings.ok("node", "it is ready"),
        Ok((_, text)) => findings.bad("node", text.trim().to_owned(), "see its log"),
        Err(error) => findings.bad("node", format!("{error:#}"), "see its log"),
    }
}

fn sync(data: &Path, findings: &mut Findings) {
    let path = data.join("doctor.part");
    let begun = Instant::now();
    let written = || -> std::io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(&[0; 4096])?;
        file.sync_data()
    };
    let (written, took) = (written(), begun.elapsed());
    let removed = std::fs::remove_file(&path);
    let shown = data.display();
    match written.and(removed) {
        Ok(()) if took > SYNC_SLOW => findings.warn(
            "sync",
            format!("making 4 KiB durable in {shown} takes {} ms", took.as_millis()),
            "every request waits for that: use a faster disk",
        ),
        Ok(()) => findings.ok("sync", format!("4 KiB are durable in {} µs", took.as_micros())),
        Err(error) => {
            let what = format!("nothing can be made durable in {shown}: {error}");
            findings.bad("sync", what, "make the folder writable for this user");
        }
    }
}

fn room(place: &Path, segment_bytes: u64, findings: &mut Findings) {
    let shown = place.display();
    let free = match rustix::fs::statvfs(place) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return findings.bad("disk", format!("{shown}: {error}"), "make it readable");
        }
    };
    let what = format!("{} MiB are free in {shown}", free >> 20);
    let mend = "make room; below that the node refuses what it cannot keep";
    let least = format!("{mend} ({} MiB)", (SEGMENTS_MIN * segment_bytes) >> 20);
    let segments = free / segment_bytes.max(1);
    if segments < SEGMENTS_MIN {
        findings.bad("disk", what, least);
    } else if segments < SEGMENTS_FEW {
        findings.warn("disk", what, least);
    } else {
        findings.ok("disk", what);
    }
}
