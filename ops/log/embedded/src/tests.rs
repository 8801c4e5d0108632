mod conformance;
mod damage;
mod faults;
mod folder;
mod golden;
mod moved;
mod recovery;
mod snapshot;
mod together;

use crate::disk::Local;
use crate::folder::Folder;
use crate::frame::{self, HEADER_BYTES};
use crate::segment::{START, Segment};
use crate::{EmbeddedLog, OpenError, Options};
use bytes::Bytes;
use ports::log::{Headers, Log, Offset, Partition, Record, Stored};
use std::path::Path;
use std::sync::Arc;

const P: Partition = Partition::events(0);
const Q: Partition = Partition::commands(1);

/// A log with segments so small that they fill up soon.
fn small(folder: &Path) -> Options {
    Options { segment_bytes: 4096, ..Options::new(folder, 4) }
}

fn open(folder: &Path) -> EmbeddedLog {
    EmbeddedLog::open(small(folder)).expect("it opens")
}

fn refused(folder: &Path) -> OpenError {
    EmbeddedLog::open(small(folder)).err().expect("it does not open")
}

fn record(name: &str) -> Record {
    let value = Bytes::copy_from_slice(name.as_bytes());
    Record { headers: Headers::default(), key: Bytes::new(), value }
}

/// A record of about this size that can be told from others.
fn sized(name: &str, bytes: usize) -> Record {
    record(&format!("{name:.<bytes$}"))
}

async fn put(log: &EmbeddedLog, partition: Partition, name: &str) -> Offset {
    log.append(vec![(partition, record(name))]).await.expect("it is appended")[0]
}

async fn read_all(log: &impl Log, partition: Partition) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let from = all.last().map_or(0, |last| last.offset + 1);
        let more = log.read(partition, from, 1000).await.expect("it can be read");
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

async fn names(log: &EmbeddedLog, partition: Partition) -> Vec<String> {
    let name = |s: Stored| String::from_utf8_lossy(&s.record.value).into_owned();
    read_all(log, partition).await.into_iter().map(name).collect()
}

/// A frame as it lies in a file.
#[derive(Clone, Copy, Debug)]
struct Lies {
    number: u64,
    position: usize,
    bytes: usize,
    group: u64,
}

/// All frames in the files, segment by segment, of a log that is closed.
fn frames(path: &Path) -> Vec<Lies> {
    let folder = Folder::open(Arc::new(Local), path.to_owned(), 1).expect("it is closed");
    let mut numbers: Vec<u64> = std::fs::read_dir(path)
        .expect("it is there")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".log")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let mut all = Vec::new();
    for number in numbers {
        let segment = Segment::open(&folder, number).expect("a segment");
        let bytes = std::fs::read(folder.segment(number)).expect("a file");
        let mut position = START as usize;
        while let Some(found) = bytes.get(position..).and_then(|rest| segment.codec.read(rest)) {
            all.push(Lies { number, position, bytes: found.bytes, group: found.group });
            position += frame::padded(found.bytes);
        }
    }
    assert!(all.iter().all(|lies| lies.bytes >= HEADER_BYTES), "frames have headers");
    all
}

fn segment(path: &Path, number: u64) -> std::path::PathBuf {
    path.join(format!("{number:012}.log"))
}

fn edit(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(file).expect("a file");
    change(&mut bytes);
    std::fs::write(file, bytes).expect("a file");
}

/// A copy of a log that is closed.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("a copy");
    }
    to
}
