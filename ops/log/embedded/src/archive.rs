//! Reading what is no longer in memory.

use crate::error::OpenError;
use crate::folder::Folder;
use crate::frame::{Content, HEADER_BYTES};
use crate::index::{self, Index, Place, Summary};
use crate::keeper::Keeper;
use crate::layout::Layout;
use crate::recovery::{self, Whole};
use crate::segment::Segment;
use bytes::Bytes;
use ports::Error;
use ports::log::{Offset, Partition, Record, Stored};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Frames nearer to each other than this are read in one go, with what lies between: copying that
/// costs less than another call.
const GAP_BYTES: u64 = 2 << 10;

/// However much is asked for: a read gives no more than this, unless a single record is larger.
const READ_BYTES_MAX: usize = 4 << 20;

/// A segment that is open for reading.
struct Loaded {
    segment: Arc<Segment>,
    index: Arc<Index>,
}

/// All segments, for readers.
pub(crate) struct Archive {
    folder: Arc<Folder>,
    /// Who writes indexes of segments that become full; none, where nobody writes.
    keeper: Option<Arc<Keeper>>,
    indexes_max: usize,
    chain: Mutex<Chain>,
    /// Full segments that were read lately, the latest last.
    loaded: Mutex<VecDeque<Arc<Loaded>>>,
    /// Segments are opened one at a time: who comes second finds what the first has loaded.
    loading: Mutex<()>,
}

struct Chain {
    sealed: Vec<Arc<Summary>>,
    /// Per slot: end of the offsets in a full segment, position in `sealed`; in order.
    ends: Vec<Vec<(Offset, usize)>>,
    active: Option<Active>,
}

struct Active {
    segment: Arc<Segment>,
    index: Index,
}

/// Frames of one segment, to be read.
struct Part {
    segment: Arc<Segment>,
    partition: Partition,
    first: Offset,
    places: Vec<Place>,
}

enum Found {
    Nothing,
    Part(Part),
    Sealed(Arc<Summary>),
}

impl Chain {
    fn add(&mut self, layout: Layout, summary: Summary) {
        let position = self.sealed.len();
        for (partition, base, count) in &summary.runs {
            if let Some(slot) = layout.slot(*partition) {
                self.ends[slot].push((base + i64::from(*count), position));
            }
        }
        self.sealed.push(Arc::new(summary));
    }
}

impl Archive {
    pub(crate) fn new(
        folder: Arc<Folder>,
        indexes_max: usize,
        keeper: Option<Arc<Keeper>>,
    ) -> Self {
        let ends = vec![Vec::new(); folder.layout.slots()];
        let chain = Mutex::new(Chain { sealed: Vec::new(), ends, active: None });
        let indexes_max = indexes_max.max(1);
        let (loaded, loading) = (Mutex::default(), Mutex::default());
        Self { folder, keeper, indexes_max, chain, loaded, loading }
    }

    /// Adds a full segment behind the others.
    pub(crate) fn add(&self, summary: Summary) {
        self.chain().add(self.folder.layout, summary);
    }

    /// Goes on with a new segment, whose frames follow by `push`.
    pub(crate) fn activate(&self, segment: Arc<Segment>, index: Index) {
        self.chain().active = Some(Active { segment, index });
    }

    /// Closes the segment in use: it ends here, after this group.
    pub(crate) fn seal(&self, end: u64, group: u64) {
        let mut chain = self.chain();
        let Some(Active { segment, index }) = chain.active.take() else { return };
        let summary = Summary {
            number: segment.number,
            nonce: segment.nonce,
            end,
            group,
            runs: index.runs(),
        };
        let index = Arc::new(index);
        chain.add(self.folder.layout, summary.clone());
        drop(chain);
        self.keep(Arc::new(Loaded { segment, index: index.clone() }));
        if let Some(keeper) = &self.keeper {
            keeper.write(summary, index);
        }
    }

    /// Adds durable records of the segment in use.
    pub(crate) fn push(&self, records: &[(Partition, Offset, Place)]) {
        if let Some(active) = &mut self.chain().active {
            for (partition, offset, place) in records {
                active.index.push(*partition, *offset, *place);
            }
        }
    }

    /// Reads durable records, from `from` on. Blocks.
    pub(crate) fn read(
        &self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, Error> {
        let part = match self.find(partition, from, bytes_max) {
            Found::Nothing => return Ok(Vec::new()),
            Found::Part(part) => part,
            Found::Sealed(summary) => {
                let loaded = self.load(&summary)?;
                match part(&loaded.segment, &loaded.index, (partition, from), bytes_max) {
                    Some(part) => part,
                    None => return Ok(Vec::new()),
                }
            }
        };
        self.fetch(&part)
    }

    fn find(&self, partition: Partition, from: Offset, bytes_max: usize) -> Found {
        let chain = self.chain();
        let Some(slot) = self.folder.layout.slot(partition) else { return Found::Nothing };
        let ends = &chain.ends[slot];
        if let Some((_, position)) = ends.get(ends.partition_point(|(end, _)| *end <= from)) {
            return Found::Sealed(chain.sealed[*position].clone());
        }
        let active = chain.active.as_ref();
        active
            .and_then(|active| part(&active.segment, &active.index, (partition, from), bytes_max))
            .map_or(Found::Nothing, Found::Part)
    }

    fn load(&self, summary: &Summary) -> Result<Arc<Loaded>, Error> {
        let known = || self.loaded().iter().find(|l| l.segment.number == summary.number).cloned();
        if let Some(loaded) = known() {
            return Ok(loaded);
        }
        let _alone = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = known() {
            return Ok(loaded);
        }
        let failed = |error: OpenError| match error {
            OpenError::Io { .. } => Error::Unavailable(error.to_string()),
            _ => Error::Corrupt(error.to_string()),
        };
        let segment = Segment::open(&self.folder, summary.number).map_err(failed)?;
        let unwritten = self.keeper.as_ref().and_then(|keeper| keeper.unwritten(summary.number));
        let index = match unwritten.or_else(|| index::read(&self.folder, summary).map(Arc::new)) {
            Some(index) => index,
            None => {
                let mark = segment.mark().map_err(|e| Error::Unavailable(e.to_string()))?;
                let first = mark.map_or(0, |(_, group)| group);
                let whole = Whole { first, last: summary.group, end: summary.end };
                Arc::new(recovery::rebuild(&self.folder, &segment, &whole).map_err(failed)?.1)
            }
        };
        let loaded = Arc::new(Loaded { segment: Arc::new(segment), index });
        self.keep(loaded.clone());
        Ok(loaded)
    }

    fn keep(&self, loaded: Arc<Loaded>) {
        let mut all = self.loaded();
        all.retain(|other| other.segment.number != loaded.segment.number);
        all.push_back(loaded);
        while all.len() > self.indexes_max {
            all.pop_front();
        }
    }

    /// Reads the frames of a part into one buffer, which its records then share.
    fn fetch(&self, part: &Part) -> Result<Vec<Stored>, Error> {
        let mut runs = Vec::new();
        for place in &part.places {
            let (starts, ends) = (u64::from(place.position), end(*place));
            match runs.last_mut() {
                Some((_, last)) if starts - *last <= GAP_BYTES => *last = ends,
                _ => runs.push((starts, ends)),
            }
        }
        let total: u64 = runs.iter().map(|(starts, ends)| ends - starts).sum();
        let mut buffer = vec![0; total as usize];
        let mut rest = &mut buffer[..];
        for (starts, ends) in &runs {
            let (into, behind) = rest.split_at_mut((ends - starts) as usize);
            part.segment
                .file
                .read_at(into, *starts)
                .map_err(|error| Error::Unavailable(format!("cannot read the log: {error}")))?;
            rest = behind;
        }
        let buffer = Bytes::from(buffer);
        let mut found = Vec::with_capacity(part.places.len());
        let mut runs = runs.into_iter();
        let (mut starts, mut ends, mut skipped) = (0, 0, 0);
        for (place, offset) in part.places.iter().zip(part.first..) {
            let position = u64::from(place.position);
            if position >= ends {
                skipped += ends - starts;
                (starts, ends) = runs.next().unwrap_or((position, position));
            }
            let at = (skipped + position - starts) as usize;
            let frame = buffer.slice(at..at + place.bytes as usize);
            found.push(self.stored(part, offset, *place, &frame)?);
        }
        Ok(found)
    }

    fn stored(
        &self,
        part: &Part,
        offset: Offset,
        place: Place,
        bytes: &Bytes,
    ) -> Result<Stored, Error> {
        let entry = part.segment.codec.read(bytes).and_then(|frame| match frame.content {
            Content::Entry(entry) => Some(entry),
            Content::Mark(_) => None,
        });
        match entry {
            Some(entry) if entry.offset == offset && entry.partition == part.partition => {
                let key = bytes.slice(HEADER_BYTES..HEADER_BYTES + entry.key_bytes);
                let value = bytes.slice(HEADER_BYTES + entry.key_bytes..);
                Ok(Stored { offset, record: Record { headers: entry.headers, key, value } })
            }
            Some(_) | None => {
                let file = self.folder.segment(part.segment.number);
                let (file, at) = (file.display(), place.position);
                Err(Error::Corrupt(format!("{file} is damaged at byte {at}")))
            }
        }
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loaded(&self) -> MutexGuard<'_, VecDeque<Arc<Loaded>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(place: Place) -> u64 {
    u64::from(place.position) + u64::from(place.bytes)
}

/// The frames of a segment to read: about so many bytes, at least one.
fn part(
    segment: &Arc<Segment>,
    index: &Index,
    (partition, from): (Partition, Offset),
    bytes_max: usize,
) -> Option<Part> {
    let run = index.runs.get(&partition)?;
    let skipped = usize::try_from(from - run.base).unwrap_or(0);
    let bytes_max = bytes_max.min(READ_BYTES_MAX);
    let mut bytes = 0;
    let fits = |place: &&Place| {
        let fits = bytes == 0 || bytes < bytes_max;
        bytes += place.bytes as usize;
        fits
    };
    let places: Vec<_> = run.places.get(skipped..)?.iter().take_while(fits).copied().collect();
    let first = run.base + skipped as i64;
    (!places.is_empty()).then(|| Part { segment: segment.clone(), partition, first, places })
}
