//! A schema registry.

use super::{Note, detached, ready};
use crate::tools;
use anyhow::Result;
use brokers::{Ports, Registry};
use std::path::Path;

/// Starts it.
pub(super) fn start(data: &Path) -> Result<Note> {
    let registry = {
        let mut ports = Ports::default();
        let (port, management) = (ports.take()?, ports.take()?);
        Registry { folder: data.to_owned(), app: tools::registry()?, port, management }
    };
    let mut child = detached(&mut registry.running()?, &registry.output())?;
    if let Err(error) = ready(&mut child, &registry.output(), || registry.is_up()) {
        child.kill()?;
        child.wait()?;
        return Err(error);
    }
    let mut note = Note::default();
    note.put("url", registry.url());
    note.put("pids", child.id().to_string());
    Ok(note)
}
