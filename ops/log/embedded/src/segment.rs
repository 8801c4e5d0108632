//! A segment file: a header, frames, and zeros up to its end.

use crate::disk::File;
use crate::error::OpenError;
use crate::folder::Folder;
use crate::frame::{Codec, HEADER_BYTES, Mark, padded};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Where the frames start: a sector of its own for the header, which a torn write of a frame can
/// then not touch.
pub(crate) const START: u64 = 512;

/// What the mark at the start of a segment takes.
pub(crate) const MARK_BYTES: usize = padded(HEADER_BYTES);

const MAGIC: [u8; 8] = *b"MILLRLOG";
const VERSION: u32 = 1;
const HEADER: usize = 48;
const CHUNK_BYTES: u64 = 1 << 20;

/// Segment sizes start here and double up to the size asked for.
const FIRST_BYTES: u64 = 2 << 20;

/// An open segment.
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) nonce: u64,
    pub(crate) codec: Codec,
    pub(crate) file: Arc<dyn File>,
    /// Size of the file.
    pub(crate) bytes: u64,
}

/// How big a segment of this number is.
pub(crate) fn size(number: u64, bytes_max: u64) -> u64 {
    let doublings = u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
    (FIRST_BYTES << doublings).min(bytes_max)
}

impl Segment {
    /// Creates a segment full of zeros, since writing into allocated blocks syncs faster. It has
    /// its name only when it is complete.
    ///
    /// After each piece, `pace` hears how long that took; it may wait so that others get at the
    /// disk, and ends the work with an error.
    pub(crate) fn create(
        folder: &Folder,
        number: u64,
        bytes: u64,
        pace: &dyn Fn(Duration) -> io::Result<()>,
    ) -> io::Result<Self> {
        let path = folder.segment(number);
        let new = path.with_added_extension("new");
        let nonce = Uuid::new_v4().as_u64_pair().0;
        let made = (|| {
            let file = folder.disk.create(&new)?;
            file.write_at(&header(number, nonce, folder.identity), 0)?;
            fill(&*file, HEADER as u64, bytes, pace)?;
            folder.disk.rename(&new, &path)?;
            folder.disk.sync_folder(&folder.path)?;
            Ok(file)
        })();
        match made {
            Ok(file) => Ok(Self { number, nonce, codec: Codec::new(nonce), file, bytes }),
            Err(error) => {
                // Half a segment would take the very space that is missing.
                for path in [new, path] {
                    let _ = folder.disk.remove(&path);
                }
                Err(error)
            }
        }
    }

    /// Opens a segment. Its header was complete before it got its name.
    pub(crate) fn open(folder: &Folder, number: u64) -> Result<Self, OpenError> {
        let path = folder.segment(number);
        let file = folder.disk.open(&path).map_err(OpenError::io("open", &path))?;
        let bytes = file.bytes().map_err(OpenError::io("open", &path))?;
        let mut head = [0; HEADER];
        if bytes < START {
            return Err(OpenError::corrupt(&path, bytes, "it is too short"));
        }
        file.read_at(&mut head, 0).map_err(OpenError::io("read", &path))?;
        let mut nonce = [0; 8];
        nonce.copy_from_slice(&head[16..24]);
        let nonce = u64::from_le_bytes(nonce);
        if head != header(number, nonce, folder.identity) {
            return Err(OpenError::corrupt(&path, 0, "its header is not that of this log"));
        }
        Ok(Self { number, nonce, codec: Codec::new(nonce), file, bytes })
    }

    /// Makes room for a record that is larger than segments are.
    pub(crate) fn grow(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.bytes {
            fill(&*self.file, self.bytes, bytes, &|_| Ok(()))?;
            self.bytes = bytes;
        }
        Ok(())
    }

    /// Zeroes a range, durably.
    pub(crate) fn erase(&self, from: u64, until: u64) -> io::Result<()> {
        fill(&*self.file, from, until, &|_| Ok(()))
    }

    /// The mark at the start, and its group, if the segment has ever been written to.
    pub(crate) fn mark(&self) -> io::Result<Option<(Mark, u64)>> {
        let mut head = [0; HEADER_BYTES];
        if self.bytes < START + HEADER_BYTES as u64 {
            return Ok(None);
        }
        self.file.read_at(&mut head, START)?;
        Ok(self.codec.read(&head).and_then(|frame| match frame.content {
            crate::frame::Content::Mark(mark) => Some((mark, frame.group)),
            crate::frame::Content::Entry(_) => None,
        }))
    }
}

fn header(number: u64, nonce: u64, identity: Uuid) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&number.to_le_bytes());
    header[16..24].copy_from_slice(&nonce.to_le_bytes());
    header[24..40].copy_from_slice(identity.as_bytes());
    header[40..44].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32fast::hash(&header[..44]);
    header[44..48].copy_from_slice(&crc.to_le_bytes());
    header
}

fn fill(
    file: &dyn File,
    from: u64,
    until: u64,
    pace: &dyn Fn(Duration) -> io::Result<()>,
) -> io::Result<()> {
    let zeros = vec![0; CHUNK_BYTES.min(until.saturating_sub(from)) as usize];
    let mut position = from;
    while position < until {
        let started = Instant::now();
        let bytes = CHUNK_BYTES.min(until - position);
        file.write_at(&zeros[..bytes as usize], position)?;
        file.sync()?;
        position += bytes;
        pace(started.elapsed())?;
    }
    Ok(())
}
