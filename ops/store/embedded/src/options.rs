//! What may be set, and what it costs.

/// Bounds of memory and size. The defaults suit a node that has to idle in 40 MiB.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for blocks that were read, of all tables together, in bytes.
    pub cache_bytes_max: u64,
    /// Size of one table's newest rows before they go to a file, in bytes. They take up about one
    /// and a half times as much memory.
    pub memtable_bytes_max: u64,
    /// Size of the newest rows of all tables together, in bytes. What is on its way to a file comes
    /// on top: at most six times `memtable_bytes_max`.
    pub memtables_bytes_max: u64,
    /// Open files of tables; at least 10.
    pub files_max: usize,
    /// Largest blob, in bytes: a step's input and output at the largest that a project can allow, with
    /// files in hex. What could not be stored could not be recorded, so the step would never end.
    pub blob_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes_max: 8 << 20,
            // 8 MiB each save hardly any processor time, and cost 30 MiB when a million rows
            // are written at once.
            memtable_bytes_max: 2 << 20,
            memtables_bytes_max: 12 << 20,
            files_max: 256,
            blob_bytes_max: 4 << 30,
        }
    }
}
