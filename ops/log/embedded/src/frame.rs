//! How a record lies in a segment.
//!
//! | byte | what |
//! |---|---|
//! | 0 | crc32 over the segment's nonce and everything from byte 4 to the end, u32 |
//! | 4 | length of the frame, u32 |
//! | 8 | group, u64 |
//! | 16 | offset, i64 |
//! | 24 | epoch, i64 |
//! | 32 | incarnation, i64 |
//! | 40 | kind, u32 |
//! | 44 | i, i32 |
//! | 48 | n, i32 |
//! | 52 | length of the key, u32 |
//! | 56 | partition, u16 |
//! | 58 | stream, u8; 255: a mark |
//! | 59 | 1: the last frame of its group, u8 |
//! | 60 | key, then value |
//!
//! Integers are little-endian; frames start at multiples of eight, padded with zeros.
//!
//! A group is what one sync made durable. Groups are numbered without gaps, and the next is
//! written only after the last was synced: a frame of a later group behind a bad one proves that
//! what is bad had been durable, and is damaged rather than torn. The nonce keeps what records
//! carry from posing as frames.

use crate::layout;
use ports::log::{Headers, Offset, Partition, Stored};

pub(crate) const HEADER_BYTES: usize = 60;
const ALIGNMENT: usize = 8;
const MARK: u8 = 255;

/// Writes and reads the frames of one segment.
#[derive(Clone)]
pub(crate) struct Codec {
    seed: crc32fast::Hasher,
}

/// A frame as it was read.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) group: u64,
    pub(crate) closes: bool,
    pub(crate) content: Content,
    /// Bytes without padding.
    pub(crate) bytes: usize,
}

#[derive(Debug)]
pub(crate) enum Content {
    Mark(Mark),
    Entry(Entry),
}

/// The first frame of a segment: what it goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    /// Number of the segment before; 0: there is none.
    pub(crate) previous: u64,
    /// How many of its bytes count.
    pub(crate) end: u64,
}

/// A record without its bytes: key and value follow the header.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) partition: Partition,
    pub(crate) offset: Offset,
    pub(crate) headers: Headers,
    pub(crate) key_bytes: usize,
}

/// Which group a frame belongs to, and whether it is its last.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) group: u64,
    pub(crate) closes: bool,
}

/// The bytes that a frame takes in the file.
pub(crate) const fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGNMENT)
}

/// The length of the frame that starts here, if one can; not more than a hint before the crc.
pub(crate) fn length(head: &[u8]) -> Option<usize> {
    let bytes = u32::from_le_bytes(field(head, 4)?) as usize;
    (bytes >= HEADER_BYTES).then_some(bytes)
}

/// Whether these bytes may start a frame of a group in this range: cheap, to find frames by.
pub(crate) fn plausible(head: &[u8], groups: std::ops::Range<u64>) -> bool {
    let kind = head.get(58).is_some_and(|code| *code == MARK || layout::stream(*code).is_some());
    let group = field(head, 8).map(u64::from_le_bytes);
    kind && head.get(59).is_some_and(|closes| *closes <= 1)
        && group.is_some_and(|group| groups.contains(&group))
}

impl Codec {
    pub(crate) fn new(nonce: u64) -> Self {
        let mut seed = crc32fast::Hasher::new();
        seed.update(&nonce.to_le_bytes());
        Self { seed }
    }

    /// Adds a record; the length of its frame without padding.
    pub(crate) fn put(
        &self,
        out: &mut Vec<u8>,
        stamp: Stamp,
        at: Partition,
        stored: &Stored,
    ) -> u32 {
        let record = &stored.record;
        let bytes = HEADER_BYTES + record.key.len() + record.value.len();
        let mut header = self.header(stamp, bytes);
        let Headers { kind, epoch, incarnation, i, n } = record.headers;
        header[16..24].copy_from_slice(&stored.offset.to_le_bytes());
        header[24..32].copy_from_slice(&epoch.to_le_bytes());
        header[32..40].copy_from_slice(&incarnation.to_le_bytes());
        header[40..44].copy_from_slice(&kind.to_le_bytes());
        header[44..48].copy_from_slice(&i.to_le_bytes());
        header[48..52].copy_from_slice(&n.to_le_bytes());
        header[52..56].copy_from_slice(&(record.key.len() as u32).to_le_bytes());
        header[56..58].copy_from_slice(&at.number.to_le_bytes());
        header[58] = layout::code(at.stream);
        self.seal(out, &header, &[&record.key, &record.value]);
        bytes as u32
    }

    pub(crate) fn put_mark(&self, out: &mut Vec<u8>, group: u64, mark: Mark) {
        let mut header = self.header(Stamp { group, closes: false }, HEADER_BYTES);
        header[16..24].copy_from_slice(&mark.previous.to_le_bytes());
        header[24..32].copy_from_slice(&mark.end.to_le_bytes());
        header[58] = MARK;
        self.seal(out, &header, &[]);
    }

    fn header(&self, stamp: Stamp, bytes: usize) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[4..8].copy_from_slice(&(bytes as u32).to_le_bytes());
        header[8..16].copy_from_slice(&stamp.group.to_le_bytes());
        header[59] = u8::from(stamp.closes);
        header
    }

    fn seal(&self, out: &mut Vec<u8>, header: &[u8; HEADER_BYTES], parts: &[&[u8]]) {
        let start = out.len();
        out.extend_from_slice(header);
        for part in parts {
            out.extend_from_slice(part);
        }
        let crc = self.crc(&out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
        out.resize(start + padded(out.len() - start), 0);
    }

    fn crc(&self, bytes: &[u8]) -> u32 {
        let mut hasher = self.seed.clone();
        hasher.update(bytes);
        hasher.finalize()
    }

    /// Reads the frame that starts where the bytes start; none if there is no valid one.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<Frame> {
        let frame = bytes.get(..length(bytes)?)?;
        if u32::from_le_bytes(field(frame, 0)?) != self.crc(&frame[4..]) {
            return None;
        }
        let content = match frame[58] {
            MARK => Content::Mark(Mark {
                previous: u64::from_le_bytes(field(frame, 16)?),
                end: u64::from_le_bytes(field(frame, 24)?),
            }),
            code => Content::Entry(entry(frame, code)?),
        };
        let group = u64::from_le_bytes(field(frame, 8)?);
        Some(Frame { group, closes: frame[59] == 1, content, bytes: frame.len() })
    }
}

fn entry(frame: &[u8], code: u8) -> Option<Entry> {
    let headers = Headers {
        epoch: i64::from_le_bytes(field(frame, 24)?),
        incarnation: i64::from_le_bytes(field(frame, 32)?),
        kind: u32::from_le_bytes(field(frame, 40)?),
        i: i32::from_le_bytes(field(frame, 44)?),
        n: i32::from_le_bytes(field(frame, 48)?),
    };
    let key_bytes = u32::from_le_bytes(field(frame, 52)?) as usize;
    let number = u16::from_le_bytes(field(frame, 56)?);
    let partition = Partition { stream: layout::stream(code)?, number };
    let offset = i64::from_le_bytes(field(frame, 16)?);
    (HEADER_BYTES + key_bytes <= frame.len()).then_some(Entry {
        partition,
        offset,
        headers,
        key_bytes,
    })
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
