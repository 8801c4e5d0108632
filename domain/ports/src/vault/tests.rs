use super::*;
use crate::log::{Partition, Stored};
use crate::model::blob::ModelBlob;
use crate::model::log::ModelLog;
use crate::model::random::SeededRandom;
use async_trait::async_trait;
use domain::id::ProjectId;
use futures_util::FutureExt as _;
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

/// A vault over models of its own, and what it writes to.
struct World {
    vault: Vault,
    log: Arc<ModelLog>,
    blob: Arc<ModelBlob>,
}

fn world() -> World {
    let (log, blob) = (Arc::new(ModelLog::kind(8)), Arc::new(ModelBlob::new()));
    let random = Arc::new(SeededRandom::new(1));
    let vault = Vault::new(log.clone(), blob.clone(), random, MasterKey::new([7; 32]));
    World { vault, log, blob }
}

/// The models never pend.
fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().unwrap()
}

fn user(name: &str) -> Key {
    Key::User(ProjectId(Uuid::from_u128(1)), name.into())
}

/// One byte more than stays in the record.
fn large() -> Vec<u8> {
    b"what nobody may read ".iter().copied().cycle().take(INLINE_BYTES_MAX + 1).collect()
}

impl World {
    fn store(&self, name: &str, clear: &[u8]) -> Payload {
        now(self.vault.store(&user(name), clear)).unwrap()
    }

    /// The blob that a payload of a user names.
    fn named(&self, name: &str, payload: &Payload) -> BlobId {
        let (kind, id) = self.vault.decrypt(&user(name), payload).unwrap();
        assert_eq!(kind, seal::APART);
        BlobId(id.as_ref().try_into().unwrap())
    }

    fn blob(&self, name: &str, id: BlobId) -> Option<Bytes> {
        now(self.blob.get(&seal::scope(&user(name).name()), id)).unwrap()
    }
}

#[test]
fn up_to_32_kib_a_payload_stays_in_the_record_and_above_it_does_not() {
    let world = world();
    let clear = large();
    let inline = world.store("anna", &clear[1..]);
    assert_eq!(inline.sealed().unwrap().len(), INLINE_BYTES_MAX + 33);
    assert_eq!(world.vault.open(&user("anna"), &inline).unwrap(), clear[1..]);
    let apart = world.store("anna", &clear);
    assert_eq!(apart.sealed().unwrap().len(), 32 + 33, "the record holds the id of a blob");
    let refused = world.vault.seal(&user("anna"), &clear);
    assert!(matches!(refused, Err(VaultError::Apart)), "{refused:?}");
    let refused = world.vault.open(&user("anna"), &apart);
    assert!(matches!(refused, Err(VaultError::Apart)), "{refused:?}");
    assert_eq!(now(world.vault.fetch(&user("anna"), &apart)).unwrap(), clear);
}

#[test]
fn a_blob_is_encrypted_and_named_by_its_ciphertext() {
    let world = world();
    let clear = large();
    let payload = world.store("anna", &clear);
    let id = world.named("anna", &payload);
    let stored = world.blob("anna", id).unwrap();
    assert_eq!(BlobId::of(&stored), id);
    assert_eq!(stored.len(), clear.len() + 33);
    assert!(!stored.windows(8).any(|window| window == &clear[..8]), "it lies there in clear");
    // The same again is another ciphertext: whoever sees the names learns nothing of the contents.
    let again = world.store("anna", &clear);
    assert_ne!(world.named("anna", &again), id);
}

#[test]
fn a_blob_is_its_users_alone() {
    let world = world();
    let clear = large();
    let payload = world.store("anna", &clear);
    let id = world.named("anna", &payload);
    assert_eq!(world.blob("bert", id), None, "scopes are per user");
    // Without a key of his own, and with one.
    let nothing = now(world.vault.fetch(&user("bert"), &payload));
    assert!(matches!(nothing, Err(VaultError::KeyGone { .. })), "{nothing:?}");
    now(world.vault.prepare(&user("bert"))).unwrap();
    let forged = now(world.vault.fetch(&user("bert"), &payload));
    assert!(matches!(forged, Err(VaultError::Forged { .. })), "{forged:?}");
    // Nor if he gets hold of the blob, and of a reference to it under his own key.
    let stored = world.blob("anna", id).unwrap();
    let name = user("bert").name();
    now(world.blob.put(&seal::scope(&name), stored)).unwrap();
    let reference = Payload::Sealed(world.vault.encrypt(&name, seal::APART, &id.0).unwrap());
    let forged = now(world.vault.fetch(&user("bert"), &reference));
    assert!(matches!(forged, Err(VaultError::Forged { .. })), "{forged:?}");
}

#[test]
fn a_blob_that_is_damaged_or_lost_is_corrupt() {
    let world = world();
    let payload = world.store("anna", &large());
    let scope = seal::scope(&user("anna").name());
    world.blob.damage(&scope, world.named("anna", &payload));
    let damaged = now(world.vault.fetch(&user("anna"), &payload));
    assert!(matches!(damaged, Err(VaultError::Port(Error::Corrupt(_)))), "{damaged:?}");
    now(world.blob.erase(&scope)).unwrap();
    let lost = now(world.vault.fetch(&user("anna"), &payload));
    assert!(matches!(lost, Err(VaultError::Port(Error::Corrupt(_)))), "{lost:?}");
}

#[test]
fn another_master_key_opens_nothing() {
    let world = world();
    world.store("anna", &large());
    let random = Arc::new(SeededRandom::new(2));
    let other = Vault::new(world.log, world.blob, random, MasterKey::new([8; 32]));
    let refused = now(other.refresh());
    assert!(matches!(refused, Err(VaultError::Forged { .. })), "{refused:?}");
}

#[test]
fn of_two_data_keys_minted_at_once_the_one_that_counts_is_the_latest() {
    let blob = Arc::new(ModelBlob::new());
    let vault = |log: &Arc<ModelLog>, seed| {
        let random = Arc::new(SeededRandom::new(seed));
        Vault::new(log.clone(), blob.clone(), random, MasterKey::new([7; 32]))
    };
    let log = Arc::new(ModelLog::kind(8));
    let (one, other) = (vault(&log, 1), vault(&log, 2));
    let key = Key::User(ProjectId(Uuid::from_u128(1)), "anna".into());
    one.mint(&key.name()).now_or_never().unwrap().unwrap();
    // It has not heard of the first.
    other.mint(&key.name()).now_or_never().unwrap().unwrap();
    let sealed = other.seal(&key, b"clear").unwrap();
    assert_eq!(one.open(&key, &sealed).unwrap(), b"clear"[..]);
    let records = log.read(Partition::KEYS, 0, usize::MAX).now_or_never().unwrap().unwrap();
    let latest = records.last().unwrap().record.clone();
    assert!(records.iter().all(|stored| stored.record.key == latest.key));
    // What compaction leaves of it.
    let compacted = Arc::new(ModelLog::kind(8));
    compacted.append(vec![(Partition::KEYS, latest)]).now_or_never().unwrap().unwrap();
    let later = vault(&compacted, 3);
    later.refresh().now_or_never().unwrap().unwrap();
    assert_eq!(later.open(&key, &sealed).unwrap(), b"clear"[..]);
}

#[test]
fn of_two_nodes_at_a_new_log_the_one_with_another_master_key_cannot_stay() {
    let World { vault: first, log, blob } = world();
    let other = |log: &Arc<ModelLog>| {
        let random = Arc::new(SeededRandom::new(2));
        Vault::new(log.clone(), blob.clone(), random, MasterKey::new([8; 32]))
    };
    // Both look before either has written.
    let late = other(&Arc::new(ModelLog::kind(8)));
    now(late.prove()).unwrap();
    let proof = now(late.log.read(Partition::KEYS, 0, 1 << 20)).unwrap().remove(0).record;
    now(first.prove()).unwrap();
    now(log.append(vec![(Partition::KEYS, proof)])).unwrap();
    assert!(matches!(now(other(&log).prove()), Err(VaultError::Forged { .. })));
    // The first goes on, and its key is again the latest, which compaction keeps.
    now(first.refresh()).unwrap();
    now(first.settle()).unwrap();
    let again = Vault::new(log, blob, Arc::new(SeededRandom::new(3)), MasterKey::new([7; 32]));
    now(again.prove()).unwrap();
    assert_eq!(now(again.log.read(Partition::KEYS, 2, 1 << 20)).unwrap().len(), 1);
}
