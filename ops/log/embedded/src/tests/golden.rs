//! Folders that earlier builds wrote: every later build opens them.

use super::*;
use ports::log::Stream;

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/1")
}

fn partitions() -> Vec<Partition> {
    let pairs = (0..2).flat_map(|n| [Partition::commands(n), Partition::events(n)]);
    [Partition::CONFIG, Partition::KEYS].into_iter().chain(pairs).collect()
}

/// What stands at this offset of a partition.
fn expected(partition: Partition, offset: Offset) -> Record {
    let Partition { stream, number } = partition;
    let size = usize::try_from(offset).expect("small") * 13 % 70;
    let value = (0..size).map(|i| (i * 7) as u8 ^ number as u8).collect::<Vec<u8>>();
    let key = if stream == Stream::Keys { format!("key {offset}") } else { String::new() };
    let i = i32::try_from(offset % 3).expect("small");
    let epoch = if stream == Stream::Events { offset / 4 + 1 } else { 0 };
    let headers = Headers { kind: 100 + offset as u32, epoch, incarnation: -offset, i, n: 3 };
    Record { headers, key: key.into(), value: value.into() }
}

#[tokio::test]
async fn the_golden_folder_opens_and_goes_on() {
    let folder = copy(&golden());
    let log = EmbeddedLog::open(Options::new(folder.path(), 7)).expect("it opens");
    assert_eq!(log.partitions(), 2);
    assert_eq!(log.recovered().segments_scanned, 1, "its indexes are good");
    assert!(log.recovered().segments > 3);
    for partition in partitions() {
        let all = read_all(&log, partition).await;
        assert_eq!(all.len(), 12, "{partition:?}");
        for (stored, offset) in all.into_iter().zip(0..) {
            assert_eq!(stored, Stored { offset, record: expected(partition, offset) });
        }
        assert_eq!(put(&log, partition, "next").await, 12);
    }
}

/// Writes the folder of a new format where `MILLRACE_GOLDEN=write` asks for it.
#[tokio::test]
async fn the_golden_folder_of_a_new_format_is_written_once() {
    if std::env::var("MILLRACE_GOLDEN").is_err() {
        return;
    }
    assert!(!golden().exists(), "what was once released is never written again");
    let options = Options { segment_bytes: 2048, ..Options::new(golden(), 2) };
    let log = EmbeddedLog::open(options).expect("it opens");
    for offset in 0..12 {
        let batch = partitions().into_iter().map(|p| (p, expected(p, offset)));
        log.append(batch.collect()).await.expect("room");
    }
    drop(log);
    std::fs::remove_file(golden().join("LOCK")).expect("a file");
}
