//! The folder of a log: who holds it, what it is, where its files are.

use crate::disk::Disk;
use crate::error::OpenError;
use crate::layout::Layout;
use std::fs::{self, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// A folder that this process holds, and no other; or looks into.
pub(crate) struct Folder {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
    pub(crate) identity: Uuid,
    pub(crate) layout: Layout,
    /// None: it is only looked into.
    lock: Option<fs::File>,
}

impl Folder {
    /// Takes hold of a folder, and creates what is not there yet.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        partitions: u16,
    ) -> Result<Self, OpenError> {
        fs::create_dir_all(&path).map_err(OpenError::io("create", &path))?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            disk.sync_folder(parent).map_err(OpenError::io("sync", parent))?;
        }
        let lock = lock(&path)?;
        let file = path.join("FORMAT");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                create(&*disk, &path, partitions)?
            }
            Err(error) => return Err(OpenError::io("read", &file)(error)),
        };
        let (identity, partitions) = parse(&path, &text)?;
        let layout = Layout::new(partitions);
        Ok(Self { disk, path, identity, layout, lock: Some(lock) })
    }

    /// Looks into a folder that another process may hold.
    pub(crate) fn look(disk: Arc<dyn Disk>, path: PathBuf) -> Result<Self, OpenError> {
        let file = path.join("FORMAT");
        let text = fs::read_to_string(&file).map_err(OpenError::io("read", &file))?;
        let (identity, partitions) = parse(&path, &text)?;
        Ok(Self { disk, path, identity, layout: Layout::new(partitions), lock: None })
    }

    /// Whether this process may change what is in it.
    pub(crate) fn is_held(&self) -> bool {
        self.lock.is_some()
    }

    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:012}.log"))
    }

    pub(crate) fn index(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:012}.idx"))
    }

    /// Writes a small file as a whole: after a crash it is there with this content, or not.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        put(&*self.disk, path, bytes)
    }
}

fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_added_extension("new");
    let file = disk.create(&new)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&new, path)
}

/// The lock ends with the process, however it ends.
fn lock(folder: &Path) -> Result<fs::File, OpenError> {
    let path = folder.join("LOCK");
    let mut options = fs::OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).map_err(OpenError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = file.read_to_string(&mut pid);
            let pid = read.ok().map(|_| pid.trim().to_owned()).filter(|pid| !pid.is_empty());
            let pid = pid.unwrap_or_else(|| "unknown".to_owned());
            return Err(OpenError::Held { folder: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(OpenError::io("lock", &path)(error)),
    }
    let name = |file: &mut fs::File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    name(&mut file).map_err(OpenError::io("write", &path))?;
    Ok(file)
}

/// A folder without a format is new, unless there are segments in it.
fn create(disk: &dyn Disk, folder: &Path, partitions: u16) -> Result<String, OpenError> {
    let names = disk.names(folder).map_err(OpenError::io("list", folder))?;
    let path = folder.join("FORMAT");
    if names.iter().any(|name| Path::new(name).extension().is_some_and(|end| end == "log")) {
        return Err(OpenError::corrupt(&path, 0, "it is missing, but there are segments"));
    }
    let identity = Uuid::new_v4();
    let text = format!("format = {FORMAT}\nidentity = {identity}\npartitions = {partitions}\n");
    put(disk, &path, text.as_bytes()).map_err(OpenError::io("write", &path))?;
    disk.sync_folder(folder).map_err(OpenError::io("sync", folder))?;
    Ok(text)
}

fn parse(folder: &Path, text: &str) -> Result<(Uuid, u16), OpenError> {
    let path = folder.join("FORMAT");
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let found = lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
        found.ok_or_else(|| OpenError::corrupt(&path, 0, format!("it has no {key}")))
    };
    let wrong = |key: &str| OpenError::corrupt(&path, 0, format!("its {key} cannot be read"));
    let found: u32 = value("format")?.parse().map_err(|_| wrong("format"))?;
    if found > FORMAT {
        return Err(OpenError::Newer { folder: folder.to_owned(), found, known: FORMAT });
    }
    let identity = value("identity")?.parse().map_err(|_| wrong("identity"))?;
    let partitions = value("partitions")?.parse().map_err(|_| wrong("partitions"))?;
    Ok((identity, partitions))
}
