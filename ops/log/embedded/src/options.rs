//! What a log is opened with.

use std::path::PathBuf;

/// How to open a log. Sizes in bytes.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder; created when absent.
    pub folder: PathBuf,
    /// Partitions of `commands` and of `events`. Counts at creation only: later openings use the
    /// number that stands in the folder.
    pub partitions: u16,
    /// Size of a segment file. The first few of a new log are smaller, so that a small log stays
    /// small; a record that does not fit gets a segment of its own size.
    pub segment_bytes: u64,
    /// A group commit takes no more than this, unless a single record is larger.
    pub group_bytes_max: usize,
    /// Appends wait while more than this is ordered and not yet durable.
    pub queue_bytes_max: usize,
    /// Appends wait while more records than this are ordered and not yet durable.
    pub queue_records_max: usize,
    /// How much of the newest durable records stays in memory for readers.
    pub tail_bytes_max: usize,
    /// How many indexes of full segments stay in memory for readers.
    pub indexes_max: usize,
    /// Whether a group waits for the answers to its commands, so that a command and its decision
    /// share one sync.
    pub together: bool,
    /// How long it waits for them at most, in microseconds.
    pub together_us_max: u64,
    /// Between the beginnings of two groups lie at least so many microseconds while many append: a
    /// sync costs the same however much it takes with it.
    pub spacing_us: u64,
}

impl Options {
    /// Defaults for a log in this folder.
    pub fn new(folder: impl Into<PathBuf>, partitions: u16) -> Self {
        Self {
            folder: folder.into(),
            partitions,
            segment_bytes: 64 << 20,
            group_bytes_max: 2 << 20,
            queue_bytes_max: 32 << 20,
            queue_records_max: 128 << 10,
            tail_bytes_max: 8 << 20,
            indexes_max: 4,
            together: true,
            together_us_max: 150,
            spacing_us: 1_000,
        }
    }
}
