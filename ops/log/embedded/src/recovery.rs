//! What the files hold, found out at opening.
//!
//! Every segment that was ever written to starts with a mark that names the segment it goes on
//! from, and how many bytes of that count. The last segment with a whole group in it is scanned;
//! the marks lead back from it to the first. Full segments are known by their indexes, which are
//! made anew where they are missing or damaged.
//!
//! Behind the last whole group may lie a torn one: it was never acknowledged, and is zeroed. If a
//! later group than that one lies there, then what is bad had been durable: opening is refused.

use crate::error::OpenError;
use crate::folder::Folder;
use crate::frame::Mark;
use crate::index::{self, Index, Summary};
use crate::scan;
use crate::segment::{START, Segment};
use ports::log::Offset;
use std::collections::BTreeSet;

/// What opening found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Segments in use.
    pub segments: usize,
    /// How many of them had to be scanned.
    pub segments_scanned: usize,
    /// Bytes of torn groups that were dropped; none of them had been acknowledged.
    pub bytes_dropped: u64,
}

/// The files as they are to be used.
pub(crate) struct Opened {
    /// The segment to go on in, its index and where it ends.
    pub(crate) active: Option<(Segment, Index, u64)>,
    /// The full ones before it, oldest first.
    pub(crate) sealed: Vec<Summary>,
    /// Prepared segments that were never used.
    pub(crate) unused: Vec<Segment>,
    /// The number of the next segment to prepare.
    pub(crate) number: u64,
    /// The last group.
    pub(crate) group: u64,
    /// The next offset of every slot.
    pub(crate) next: Vec<Offset>,
    pub(crate) recovered: Recovered,
}

/// The last segment with a whole group in it.
struct Last {
    segment: Segment,
    scan: scan::Scan,
    mark: Mark,
    first: u64,
}

impl Last {
    fn summary(&self) -> Summary {
        Summary {
            number: self.segment.number,
            nonce: self.segment.nonce,
            end: self.scan.end,
            group: self.scan.group,
            runs: self.scan.index.runs(),
        }
    }
}

/// Reads the folder, and repairs what a crash may have left behind.
pub(crate) fn open(folder: &Folder) -> Result<Opened, OpenError> {
    let numbers = numbers(folder)?;
    let number = numbers.last().map_or(1, |last| last + 1);
    let (last, mut unused) = last(folder, &numbers)?;
    let mut recovered = Recovered::default();
    let group = last.as_ref().map_or(0, |last| last.scan.group);
    for segment in &unused {
        recovered.bytes_dropped += repair(folder, segment, START, group)?;
    }
    unused.reverse();
    let mut next = vec![0; folder.layout.slots()];
    let Some(last) = last else {
        return Ok(Opened { active: None, sealed: vec![], unused, number, group, next, recovered });
    };
    recovered.bytes_dropped += repair(folder, &last.segment, last.scan.end, group)?;
    let sealed = sealed(folder, last.mark, last.first, &mut recovered)?;
    let used: BTreeSet<u64> =
        sealed.iter().map(|summary| summary.number).chain([last.segment.number]).collect();
    for dead in numbers.iter().filter(|n| **n < last.segment.number && !used.contains(n)) {
        let path = folder.segment(*dead);
        folder.disk.remove(&path).map_err(OpenError::io("remove", &path))?;
    }
    for summary in sealed.iter().chain([&last.summary()]) {
        follow(folder, summary, &mut next)?;
    }
    recovered.segments = sealed.len() + 1;
    recovered.segments_scanned += 1;
    let active = Some((last.segment, last.scan.index, last.scan.end));
    Ok(Opened { active, sealed, unused, number, group, next, recovered })
}

/// Which whole groups there are. Repairs nothing: what is torn may be about to be written.
pub(crate) fn look(folder: &Folder) -> Result<Opened, OpenError> {
    let numbers = numbers(folder)?;
    let mut next = vec![0; folder.layout.slots()];
    let mut recovered = Recovered::default();
    let (unused, number) = (Vec::new(), 0);
    let (Some(last), _) = last(folder, &numbers)? else {
        let (active, sealed, group) = (None, Vec::new(), 0);
        return Ok(Opened { active, sealed, unused, number, group, next, recovered });
    };
    let sealed = sealed(folder, last.mark, last.first, &mut recovered)?;
    let group = last.scan.group;
    for summary in sealed.iter().chain([&last.summary()]) {
        follow(folder, summary, &mut next)?;
    }
    let active = Some((last.segment, last.scan.index, last.scan.end));
    Ok(Opened { active, sealed, unused, number, group, next, recovered })
}

/// The numbers of all segments, in order. Removes what was never finished, if it may.
fn numbers(folder: &Folder) -> Result<Vec<u64>, OpenError> {
    let names = folder.disk.names(&folder.path).map_err(OpenError::io("list", &folder.path))?;
    let mut numbers = Vec::new();
    for name in names {
        if name.ends_with(".new") {
            if !folder.is_held() {
                continue;
            }
            let path = folder.path.join(&name);
            folder.disk.remove(&path).map_err(OpenError::io("remove", &path))?;
        } else if let Some(number) = name.strip_suffix(".log") {
            numbers.extend(number.parse::<u64>());
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Finds the last segment with a whole group, and those behind it, newest first.
fn last(folder: &Folder, numbers: &[u64]) -> Result<(Option<Last>, Vec<Segment>), OpenError> {
    let mut unused = Vec::new();
    for number in numbers.iter().rev() {
        let segment = Segment::open(folder, *number)?;
        let path = folder.segment(*number);
        let failed = |error| OpenError::io("read", &path)(error);
        if let Some((mark, first)) = segment.mark().map_err(failed)? {
            let scan = scan::groups(&segment, first, segment.bytes).map_err(failed)?;
            if scan.mark.is_some() {
                return Ok((Some(Last { segment, scan, mark, first }), unused));
            }
        }
        unused.push(segment);
    }
    Ok((None, unused))
}

/// Zeroes what lies behind the last whole group; the number of bytes that were dropped.
fn repair(folder: &Folder, segment: &Segment, end: u64, group: u64) -> Result<u64, OpenError> {
    let path = folder.segment(segment.number);
    let remains = scan::remains(segment, end, group).map_err(OpenError::io("read", &path))?;
    if let Some((later, at)) = remains.later {
        let why = format!("group {} is bad, but group {later} at byte {at} is good", group + 1);
        return Err(OpenError::corrupt(&path, end, why));
    }
    if remains.end <= end {
        return Ok(0);
    }
    let bytes = remains.end - end;
    tracing::warn!(file = %path.display(), position = end, bytes, "dropped a torn tail");
    segment.erase(end, remains.end).map_err(OpenError::io("erase the torn tail of", &path))?;
    Ok(bytes)
}

/// Walks back along the marks; oldest first.
fn sealed(
    folder: &Folder,
    mark: Mark,
    first: u64,
    recovered: &mut Recovered,
) -> Result<Vec<Summary>, OpenError> {
    let mut sealed = Vec::new();
    let (mut mark, mut first) = (mark, first);
    while mark.previous != 0 {
        let path = folder.segment(mark.previous);
        let segment = Segment::open(folder, mark.previous)?;
        let found = segment.mark().map_err(OpenError::io("read", &path))?;
        let Some((before, begins)) = found else {
            return Err(OpenError::corrupt(&path, START, "its first frame is bad"));
        };
        let fits = |summary: &Summary| {
            (summary.nonce, summary.end, summary.group) == (segment.nonce, mark.end, first - 1)
        };
        let summary = match index::summary(folder, segment.number).filter(fits) {
            Some(summary) => summary,
            None => {
                recovered.segments_scanned += 1;
                let whole = Whole { first: begins, last: first - 1, end: mark.end };
                rebuild(folder, &segment, &whole)?.0
            }
        };
        sealed.push(summary);
        (mark, first) = (before, begins);
    }
    sealed.reverse();
    Ok(sealed)
}

/// What a full segment must hold.
pub(crate) struct Whole {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) end: u64,
}

/// Makes the index of a full segment anew.
pub(crate) fn rebuild(
    folder: &Folder,
    segment: &Segment,
    whole: &Whole,
) -> Result<(Summary, Index), OpenError> {
    let path = folder.segment(segment.number);
    let scan =
        scan::groups(segment, whole.first, whole.end).map_err(OpenError::io("read", &path))?;
    if scan.end != whole.end || scan.group != whole.last {
        let why = format!("group {} is bad, though later ones follow", scan.group + 1);
        return Err(OpenError::corrupt(&path, scan.end, why));
    }
    let summary = Summary {
        number: segment.number,
        nonce: segment.nonce,
        end: scan.end,
        group: scan.group,
        runs: scan.index.runs(),
    };
    if folder.is_held()
        && let Err(error) = index::write(folder, &summary, &scan.index)
    {
        tracing::warn!(file = %path.display(), %error, "cannot write its index");
    }
    Ok((summary, scan.index))
}

/// Offsets rise from segment to segment.
fn follow(folder: &Folder, summary: &Summary, next: &mut [Offset]) -> Result<(), OpenError> {
    for (partition, base, count) in &summary.runs {
        let end = folder.layout.slot(*partition).and_then(|slot| next.get_mut(slot));
        match end {
            Some(end) if *base >= *end => *end = base + i64::from(*count),
            Some(_) | None => {
                let why = format!("{partition} does not go on at {base}");
                return Err(OpenError::corrupt(&folder.segment(summary.number), START, why));
            }
        }
    }
    Ok(())
}
