//! The real process, driven from outside: started, called, killed.

mod api;
pub mod backend;
mod client;
mod meters;
mod node;
mod reader;
mod token;

pub use api::{Api, Delivery};
pub use client::{Answer, Client, Watch};
pub use meters::{meters, spread};
pub use node::{Node, Said};
pub use reader::read_log;
pub use token::{Signer, unsigned};

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The binary of the build before the newest schema: `cargo x test` makes it.
pub fn previous() -> PathBuf {
    root().join("target/previous/millrace")
}

/// Where `cargo x` installs what the tests need.
pub fn tools() -> PathBuf {
    root().join("target/tools")
}
