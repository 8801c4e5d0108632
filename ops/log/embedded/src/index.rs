//! Where the records of a segment lie.

use crate::folder::Folder;
use crate::layout;
use ports::log::{Offset, Partition};
use std::collections::BTreeMap;
use std::io;

const MAGIC: [u8; 8] = *b"MILLRIDX";
const HEAD_BYTES: usize = 48;
const RUN_BYTES: usize = 16;
const PLACE_BYTES: usize = 8;
const CRC_BYTES: usize = 8;

/// Where a frame lies, in bytes from the start of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) position: u32,
    pub(crate) bytes: u32,
}

/// The records of one partition in a segment: their offsets have no gaps there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub(crate) base: Offset,
    pub(crate) places: Vec<Place>,
}

/// The places of all records of a segment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Index {
    pub(crate) runs: BTreeMap<Partition, Run>,
}

/// What an index says without its places.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    pub(crate) number: u64,
    pub(crate) nonce: u64,
    /// How many bytes of the segment count.
    pub(crate) end: u64,
    /// The last group in it.
    pub(crate) group: u64,
    /// Partition, first offset, number of records.
    pub(crate) runs: Vec<(Partition, Offset, u32)>,
}

impl Index {
    /// Adds a record; false if its offset does not follow.
    pub(crate) fn push(&mut self, partition: Partition, offset: Offset, place: Place) -> bool {
        let fresh = || Run { base: offset, places: Vec::new() };
        let run = self.runs.entry(partition).or_insert_with(fresh);
        let follows = run.base.checked_add(run.places.len() as i64) == Some(offset);
        if follows {
            run.places.push(place);
        }
        follows
    }

    pub(crate) fn runs(&self) -> Vec<(Partition, Offset, u32)> {
        self.runs.iter().map(|(p, run)| (*p, run.base, run.places.len() as u32)).collect()
    }
}

/// Writes the index of a full segment. It may get lost in a crash: it can be made again.
pub(crate) fn write(folder: &Folder, summary: &Summary, index: &Index) -> io::Result<()> {
    let mut out = Vec::new();
    out.extend_from_slice(&MAGIC);
    for number in [summary.number, summary.nonce, summary.end, summary.group] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&(summary.runs.len() as u64).to_le_bytes());
    for (partition, base, count) in &summary.runs {
        out.extend_from_slice(&base.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&partition.number.to_le_bytes());
        out.extend_from_slice(&[layout::code(partition.stream), 0]);
    }
    close(&mut out, 0);
    let places = out.len();
    for place in index.runs.values().flat_map(|run| &run.places) {
        out.extend_from_slice(&place.position.to_le_bytes());
        out.extend_from_slice(&place.bytes.to_le_bytes());
    }
    close(&mut out, places);
    folder.put(&folder.index(summary.number), &out)
}

fn close(out: &mut Vec<u8>, from: usize) {
    let crc = crc32fast::hash(&out[from..]);
    out.extend_from_slice(&u64::from(crc).to_le_bytes());
}

/// Reads what an index says without its places; none if it is missing or damaged.
pub(crate) fn summary(folder: &Folder, number: u64) -> Option<Summary> {
    let file = folder.disk.open(&folder.index(number)).ok()?;
    let mut head = [0; HEAD_BYTES];
    file.read_at(&mut head, 0).ok()?;
    let count = runs_in(&head)?;
    let mut whole = vec![0; HEAD_BYTES + count * RUN_BYTES + CRC_BYTES];
    file.read_at(&mut whole, 0).ok()?;
    let body = checked(&whole)?;
    let mut runs = Vec::with_capacity(count);
    for run in body[HEAD_BYTES..].chunks_exact(RUN_BYTES) {
        let (base, rest) = run.split_first_chunk()?;
        let (records, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let stream = layout::stream(*rest.first()?)?;
        let partition = Partition { stream, number: u16::from_le_bytes(*number) };
        runs.push((partition, i64::from_le_bytes(*base), u32::from_le_bytes(*records)));
    }
    let found = long(body, 8)?;
    let (nonce, end, group) = (long(body, 16)?, long(body, 24)?, long(body, 32)?);
    (found == number).then_some(Summary { number, nonce, end, group, runs })
}

/// Reads the places that a summary speaks of; none if they are missing or damaged.
pub(crate) fn read(folder: &Folder, summary: &Summary) -> Option<Index> {
    let file = folder.disk.open(&folder.index(summary.number)).ok()?;
    let records: usize = summary.runs.iter().map(|(_, _, count)| *count as usize).sum();
    let start = HEAD_BYTES + summary.runs.len() * RUN_BYTES + CRC_BYTES;
    let mut whole = vec![0; records * PLACE_BYTES + CRC_BYTES];
    file.read_at(&mut whole, start as u64).ok()?;
    let mut places = checked(&whole)?.chunks_exact(PLACE_BYTES).map(|place| Place {
        position: u32::from_le_bytes([place[0], place[1], place[2], place[3]]),
        bytes: u32::from_le_bytes([place[4], place[5], place[6], place[7]]),
    });
    let run = |(partition, base, count): &(Partition, Offset, u32)| {
        let places = places.by_ref().take(*count as usize).collect();
        (*partition, Run { base: *base, places })
    };
    Some(Index { runs: summary.runs.iter().map(run).collect() })
}

fn runs_in(head: &[u8]) -> Option<usize> {
    let count = usize::try_from(long(head, 40)?).ok()?;
    (head.starts_with(&MAGIC) && count <= 4 * usize::from(u16::MAX)).then_some(count)
}

fn checked(whole: &[u8]) -> Option<&[u8]> {
    let (body, crc) = whole.split_last_chunk()?;
    (u64::from_le_bytes(*crc) == u64::from(crc32fast::hash(body))).then_some(body)
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
