//! Every schema has a type, golden bytes and what they decode to; a released file is never edited.

use super::read;
use crate::shell::root;
use anyhow::Result;
use std::path::PathBuf;

pub(super) fn findings(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    let mut families = String::new();
    for family in ["event", "command", "cluster"] {
        families += &read(format!("domain/src/{family}.rs").as_ref())?;
    }
    let folders = ["schemas/events", "schemas/commands", "schemas/cluster"];
    for path in files.iter().filter(|path| folders.iter().any(|folder| path.starts_with(folder))) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if !families.contains(&format!("\"{name}\"")) {
            findings.push(format!("{}: no type reads it", path.display()));
        }
        for extension in ["bin", "json"] {
            let golden = format!("domain/golden/{name}.{extension}");
            if !root().join(&golden).is_file() {
                findings.push(format!("{}: {golden} is missing", path.display()));
            }
        }
    }
    Ok(())
}
