//! Walking through the frames of a segment.

use crate::disk::File;
use crate::frame::{self, Content, Frame, HEADER_BYTES, Mark, padded};
use crate::index::{Index, Place};
use crate::segment::{START, Segment};
use std::io;

const WINDOW_BYTES: usize = 1 << 20;
const BLOCK_BYTES: usize = 4096;
const ALIGNMENT: usize = 8;

/// What whole groups a segment holds, from its start to the first thing that is none.
pub(crate) struct Scan {
    pub(crate) mark: Option<Mark>,
    pub(crate) index: Index,
    /// Behind the last whole group.
    pub(crate) end: u64,
    /// The last whole group; the one before the first if there is none.
    pub(crate) group: u64,
}

/// What lies behind the last whole group.
#[derive(Default)]
pub(crate) struct Remains {
    /// Behind the last byte that is not zero; 0 if all are.
    pub(crate) end: u64,
    /// A later frame than those of the group that may be torn: its group and position.
    pub(crate) later: Option<(u64, u64)>,
}

/// Scans up to `until`, expecting `first` to be the first group.
pub(crate) fn groups(segment: &Segment, first: u64, until: u64) -> io::Result<Scan> {
    let mut window = Window::new(&*segment.file, until.min(segment.bytes));
    let mut scan =
        Scan { mark: None, index: Index::default(), end: START, group: first.saturating_sub(1) };
    let mut position = START;
    let mut open: Vec<(Frame, Place)> = Vec::new();
    while let Some(found) = next(&mut window, segment, position)? {
        let starts = position == START;
        if found.group != scan.group + 1 || starts != matches!(found.content, Content::Mark(_)) {
            break;
        }
        let place = Place { position: position as u32, bytes: found.bytes as u32 };
        position += padded(found.bytes) as u64;
        let closes = found.closes;
        open.push((found, place));
        if !closes {
            continue;
        }
        if !close(&mut scan, &mut open) {
            break;
        }
        scan.end = position;
        scan.group += 1;
    }
    Ok(scan)
}

fn close(scan: &mut Scan, open: &mut Vec<(Frame, Place)>) -> bool {
    open.drain(..).all(|(found, place)| match found.content {
        Content::Mark(mark) => {
            scan.mark = Some(mark);
            true
        }
        Content::Entry(entry) => scan.index.push(entry.partition, entry.offset, place),
    })
}

fn next(window: &mut Window<'_>, segment: &Segment, at: u64) -> io::Result<Option<Frame>> {
    let Some(head) = window.get(at, HEADER_BYTES)? else { return Ok(None) };
    let Some(bytes) = frame::length(head) else { return Ok(None) };
    Ok(window.get(at, bytes)?.and_then(|bytes| segment.codec.read(bytes)))
}

/// Looks at everything from `from` to the end of the file, when the last whole group is `group`.
pub(crate) fn remains(segment: &Segment, from: u64, group: u64) -> io::Result<Remains> {
    let mut window = Window::new(&*segment.file, segment.bytes);
    let mut remains = Remains::default();
    let mut position = from;
    while position < segment.bytes {
        let bytes = BLOCK_BYTES.min((segment.bytes - position) as usize);
        let Some(block) = window.get(position, bytes)? else { break };
        if let Some(last) = block.iter().rposition(|byte| *byte != 0) {
            remains.end = position + last as u64 + 1;
            let starts = starts(block, last);
            for start in starts {
                let at = position + start as u64;
                if remains.later.is_none() {
                    remains.later = later(&mut window, segment, at, group)?;
                }
            }
        }
        position += bytes as u64;
    }
    Ok(remains)
}

/// Where in a block a frame might start.
fn starts(block: &[u8], last: usize) -> Vec<usize> {
    let word = |at: &usize| block[*at..].iter().take(ALIGNMENT).any(|byte| *byte != 0);
    (0..=last).step_by(ALIGNMENT).filter(word).collect()
}

fn later(
    window: &mut Window<'_>,
    segment: &Segment,
    at: u64,
    group: u64,
) -> io::Result<Option<(u64, u64)>> {
    let groups = group.saturating_add(2)..u64::from(u32::MAX).saturating_add(group);
    let head = window.get(at, HEADER_BYTES)?;
    if !head.is_some_and(|head| frame::plausible(head, groups)) {
        return Ok(None);
    }
    Ok(next(window, segment, at)?.map(|found| (found.group, at)))
}

/// Part of a file in memory, moved along as it is asked for.
struct Window<'a> {
    file: &'a dyn File,
    until: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(file: &'a dyn File, until: u64) -> Self {
        Self { file, until, start: 0, bytes: Vec::new() }
    }

    /// These bytes of the file; none if it is not that long.
    fn get(&mut self, position: u64, bytes: usize) -> io::Result<Option<&[u8]>> {
        let end = position + bytes as u64;
        if end > self.until {
            return Ok(None);
        }
        if position < self.start || end > self.start + self.bytes.len() as u64 {
            let wanted = bytes.max(WINDOW_BYTES) as u64;
            self.bytes.resize(wanted.min(self.until - position) as usize, 0);
            self.start = position;
            self.file.read_at(&mut self.bytes, position)?;
        }
        let from = (position - self.start) as usize;
        Ok(Some(&self.bytes[from..from + bytes]))
    }
}
