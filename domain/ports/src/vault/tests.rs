use super::*;
use crate::log::{Partition, Stored};
use crate::model::blob::ModelBlob;
use crate::model::log::ModelLog;
use crate::model::random::SeededRandom;
use async_trait::async_trait;
use domain::id::ProjectId;
use futures_util::future::join;
use std::task::{Context, Poll, Waker};
use uuid::Uuid;

/// A log whose appends take a turn of everyone else, and whose waits end with a record.
struct Patient(ModelLog);

async fn turn() {
    let mut waited = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

#[async_trait]
impl Log for Patient {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }
    fn identity(&self) -> Uuid {
        self.0.identity()
    }
    fn exclusive(&self) -> bool {
        true
    }
    async fn append(&self, records: Vec<(Partition, Record)>) -> Result<Vec<Offset>, Error> {
        let offsets = self.0.append(records).await;
        turn().await;
        offsets
    }
    async fn read(&self, from: Partition, at: Offset, most: usize) -> Result<Vec<Stored>, Error> {
        self.0.read(from, at, most).await
    }
    async fn changed(&self, partition: Partition, from: Offset) -> Result<(), Error> {
        while self.0.end(partition).await? <= from {
            turn().await;
        }
        Ok(())
    }
    async fn end(&self, partition: Partition) -> Result<Offset, Error> {
        self.0.end(partition).await
    }
}

#[test]
fn two_keys_minted_at_once_are_both_ready() {
    let (log, blob) = (Arc::new(Patient(ModelLog::kind(8))), Arc::new(ModelBlob::new()));
    let random = Arc::new(SeededRandom::new(1));
    let vault = Vault::new(log, blob, random, MasterKey::new([7; 32]));
    let key = |user: &str| Key::User(ProjectId(Uuid::from_u128(1)), user.into());
    let (one, other) = (key("one"), key("other"));
    let mut both = Box::pin(join(vault.prepare(&one), vault.prepare(&other)));
    let context = &mut Context::from_waker(Waker::noop());
    let done = (0..100).any(|_| match both.as_mut().poll(context) {
        Poll::Ready((one, other)) => {
            one.unwrap();
            other.unwrap();
            true
        }
        Poll::Pending => false,
    });
    assert!(done, "a caller waits for a record behind its own");
}
