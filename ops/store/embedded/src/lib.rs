//! Rows and blobs on one machine: fjall and files in one directory.

mod blobs;
mod disk;
mod folder;
mod offload;
mod options;
mod store;

pub use blobs::FileBlobs;
pub use options::Options;
pub use store::{EmbeddedStore, WasReset};
