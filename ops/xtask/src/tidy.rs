//! The rules that no linter knows.

mod cases;
mod codes;
mod edges;
mod purity;
mod schemas;

use crate::shell::root;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a source file.
const LINES_MAX: usize = 500;

/// What breaks a rule, one line each.
pub(crate) fn findings() -> Result<Vec<String>> {
    let files = tracked()?;
    let mut findings = Vec::new();
    lengths(&files, &mut findings)?;
    words(&files, &mut findings)?;
    purity::findings(&files, &mut findings)?;
    edges::findings(&mut findings)?;
    schemas::findings(&files, &mut findings)?;
    codes::findings(&files, &mut findings)?;
    cases::findings(&files, &mut findings)?;
    Ok(findings)
}

/// Every file that git knows, from the root.
fn tracked() -> Result<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(PathBuf::from).filter(|path| root().join(path).is_file()).collect())
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

fn read(path: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(root().join(path))?)
}

fn lengths(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    for path in files.iter().filter(|path| has_extension(path, "rs")) {
        let lines = read(path)?.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{}: {lines} lines, more than {LINES_MAX}", path.display()));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            findings.push(format!("{}: name it after its folder", path.display()));
        }
    }
    Ok(())
}

/// Marks of unfinished work.
fn words(files: &[PathBuf], findings: &mut Vec<String>) -> Result<()> {
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO:"), concat!("#[ig", "nore")];
    for path in files.iter().filter(|path| has_extension(path, "rs")) {
        for (number, line) in read(path)?.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
                findings.push(format!("{}:{}: {mark}", path.display(), number + 1));
            }
        }
    }
    Ok(())
}
