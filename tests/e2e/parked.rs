//! A command over which the node dies is set aside, and people see to it. What the decision has to
//! read is made a pipe that nobody writes to: the node is at the decision for as long as it lives.

use crate::project::{on_order, project};
use crate::world::{World, assert_error, text, until};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use serde_json::{Value, json};
use std::fs::{read_dir, rename};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use tests::harness::backend::is_kafka;

/// Over 32 KiB, so that it does not stay in the log.
const PAYLOAD_BYTES: usize = 100_000;

fn file() -> Value {
    let when = json!({ "{{trigger.event.text}}": { "starts_with": "x" } });
    let nothing = json!({ "name": "nothing", "delay": { "value": 1, "unit": "hours" } });
    let choose = json!({ "name": "choose", "if": when, "then": [], "else": [nothing] });
    project("http://127.0.0.1:9", &[on_order("order", &json!([choose]))])
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    found.flatten().collect()
}

/// Something that was kept outside of the log, and cannot be read to its end any more.
struct Hidden {
    at: PathBuf,
    kept: PathBuf,
}

impl Hidden {
    fn hide(world: &World) -> Self {
        let mut found = files(&world.data().join("blobs/scopes"));
        assert_eq!(found.len(), 1, "{found:?}");
        let (at, kept) = (found.remove(0), world.data().join("kept"));
        rename(&at, &kept).unwrap();
        mknodat(CWD, &at, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        Self { at, kept }
    }

    /// Returns when the node has begun to read; what is returned keeps it from coming to an end.
    async fn is_read(&self) -> OwnedFd {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK;
        until("a decision", async || open(&self.at, flags, Mode::empty()).ok()).await
    }

    fn restore(self) {
        rename(self.kept, self.at).unwrap();
    }
}

async fn parked(world: &World) -> Vec<Value> {
    let answer = world.admin("GET", "/parked").await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    answer.json()["parked"].as_array().unwrap().clone()
}

/// A node that was killed twice over the replay of an execution, and once before that.
async fn with_a_parked_replay() -> (World, Value) {
    let world = World::start(&file()).await;
    let token = world.connected("anna").await;
    world.order(&token, &json!({ "text": "x".repeat(PAYLOAD_BYTES) })).await;
    let run = world.ended("", 1).await.remove(0);
    let hidden = Hidden::hide(&world);
    let world = world.killed().await;
    let replay = format!("/executions/{}/replay", text(&run["id"]));
    let reading = tokio::select! {
        answer = world.admin("POST", &replay) => panic!("decided: {}", answer.shown()),
        reading = hidden.is_read() => reading,
    };
    let mut readings = vec![reading];
    let mut world = world.killed().await;
    // Two nodes die over it: of those that took the partition over after it was sent, which the
    // first may have done too.
    let listed = loop {
        let reading = tokio::select! {
            reading = hidden.is_read() => reading,
            listed = until("a parked command", async || parked(&world).await.pop()) => break listed,
        };
        readings.push(reading);
        assert!(readings.len() <= 3, "the node goes on dying over it");
        world = world.killed().await;
    };
    hidden.restore();
    assert_eq!(
        (&listed["command"], &listed["userId"]),
        (&json!("ReplayExecution"), &json!("anna"))
    );
    assert_eq!(listed["settlement"], Value::Null);
    (world, listed)
}

#[tokio::test]
async fn a_command_over_which_the_node_dies_is_set_aside_and_retried() {
    // With other nodes beside it, a node's death proves nothing about a command.
    if is_kafka() {
        return;
    }
    let (world, listed) = with_a_parked_replay().await;
    // The node works on.
    world.order(&world.token("anna"), &json!({ "text": "y" })).await;
    until("another execution", async || {
        let rows = world.history("").await["workflowExecutions"].as_array().map(Vec::len);
        (rows == Some(2)).then_some(())
    })
    .await;
    let retry = format!("/parked/{}/retry", text(&listed["id"]));
    let answer = world.admin("POST", &retry).await;
    assert_eq!(answer.status, 200, "{}", answer.shown());
    let replayed = world.ended("?status=SUCCEEDED", 2).await;
    assert!(replayed.iter().any(|run| run["replayOf"] != Value::Null), "{replayed:?}");
    let settled = until("what became of it", async || {
        parked(&world).await.pop().filter(|row| row["settlement"] != Value::Null)
    });
    assert_eq!(settled.await["settlement"], "RETRIED");
    assert_error(&world.admin("POST", &retry).await, 409, "PARKED_SETTLED");
}

#[tokio::test]
async fn a_parked_command_can_be_left_undone() {
    if is_kafka() {
        return;
    }
    let (world, listed) = with_a_parked_replay().await;
    let discard = format!("/parked/{}/discard", text(&listed["id"]));
    assert_eq!(world.admin("POST", &discard).await.status, 200);
    until("that it is settled", async || {
        let answer = world.admin("POST", &discard).await;
        (answer.status == 409).then(|| assert_error(&answer, 409, "PARKED_SETTLED"))
    })
    .await;
    assert_eq!(world.ended("", 1).await.len(), 1);
}
