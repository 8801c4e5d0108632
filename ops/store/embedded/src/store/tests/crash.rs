//! A process that is killed while it commits.

use super::*;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

const FOLDER: &str = "STORE_EMBEDDED_TEST_FOLDER";
const SYNC_EVERY: u32 = 50;
const COUNTER: u32 = u32::MAX;

/// The rows of one commit: a few in each of two tables, and how many commits there were.
fn batch(number: u32) -> Vec<Write> {
    let row = [&number.to_be_bytes()[..], &[7; 156]].concat();
    let rows =
        (0..5).flat_map(|i| [put(ROWS, number * 5 + i, &row), put(INDEX, number * 5 + i, b"")]);
    rows.chain([put(ROWS, COUNTER, &number.to_be_bytes())]).collect()
}

/// Not a test of its own: the process that gets killed, started by the test below.
#[tokio::test]
async fn child_that_commits() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = open(Path::new(&folder));
    let counter = [Bytes::copy_from_slice(&COUNTER.to_be_bytes())];
    let found = store.get(ROWS, &counter).await.unwrap().remove(0);
    let mut number = found.map_or(0, |row| u32::from_be_bytes(row.as_ref().try_into().unwrap()));
    loop {
        number += 1;
        store.commit(batch(number)).await.unwrap();
        // After the newline of the test harness, on lines of their own.
        println!("\ncommitted {number}");
        if number % SYNC_EVERY == 0 {
            store.sync().await.unwrap();
        }
    }
}

/// Starts the child and kills it once it has told of `count` commits; the last one told.
fn run_and_kill(folder: &Path, count: usize) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::crash::child_that_commits", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = 0;
    let mut seen = 0;
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        if let Some(number) = line.strip_prefix("committed ") {
            told = number.parse().unwrap();
            seen += 1;
        }
        if seen == count {
            // SIGKILL. What is still in the pipe is read to its end.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= count, "the child ended by itself after {seen}");
    told
}

#[tokio::test]
async fn a_killed_process_loses_no_commit_that_it_told_of_and_keeps_each_whole() {
    let root = tempfile::tempdir().unwrap();
    let mut least = 0;
    for count in [1, 40, 700, 90, 2_500] {
        let told = run_and_kill(root.path(), count);
        assert!(told > least);
        let store = open(root.path());
        let mut rows = keys(&store, ROWS).await;
        assert_eq!(rows.pop(), Some(COUNTER));
        let commits = u32::try_from(rows.len()).unwrap() / 5;
        assert!(commits >= told, "{commits} commits are there of {told} that were told");
        let expected: Vec<u32> = (5..(commits + 1) * 5).collect();
        assert!(rows == expected, "the rows of commits 1 to {commits}, each whole");
        assert!(keys(&store, INDEX).await == expected, "and the same in the other table");
        let counter = [Bytes::copy_from_slice(&COUNTER.to_be_bytes())];
        let counter = store.get(ROWS, &counter).await.unwrap().remove(0).unwrap();
        assert_eq!(counter.as_ref(), commits.to_be_bytes());
        least = commits;
    }
}
