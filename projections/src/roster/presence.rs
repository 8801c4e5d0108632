//! A node that says it is there, and hears the others.

use super::{Roster, View};
use crate::owner::stamp::notice;
use crate::world::World;
use domain::cluster::{NodeLeft, NodeSeen, Notice};
use domain::codec;
use ports::{Error, Offset, Partition};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often a node says that it is there.
const BEAT: Duration = Duration::from_millis(300);
/// Pause after an error that may pass.
const PAUSE: Duration = Duration::from_millis(200);
const READ_BYTES_MAX: usize = 256 * 1024;

/// What a node says about itself.
pub struct Presence {
    node: String,
    version: &'static str,
    address: Mutex<String>,
    /// Seats whose rows have not caught up.
    cold: AtomicUsize,
    /// Whether it takes nothing over any more.
    leaves: AtomicBool,
}

impl Presence {
    /// A node with so many seats to catch up with.
    pub fn new(node: impl Into<String>, version: &'static str, seats: usize) -> Self {
        let (address, cold) = (Mutex::default(), AtomicUsize::new(seats));
        Self { node: node.into(), version, address, cold, leaves: AtomicBool::new(false) }
    }

    /// Its name, which no other process has.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// It answers here.
    pub fn listens(&self, address: String) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// The rows of one more seat have caught up.
    pub fn caught_up(&self) {
        self.cold.fetch_sub(1, Ordering::AcqRel);
    }

    fn seen(&self) -> Notice {
        Notice::NodeSeen(NodeSeen {
            node: self.node.clone(),
            address: self.address.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ready: self.cold.load(Ordering::Acquire) == 0 && !self.leaves.load(Ordering::Acquire),
            version: self.version.to_owned(),
            schema_max: i32::try_from(codec::schema_max()).unwrap_or(i32::MAX),
        })
    }
}

/// Takes part until `stopped` becomes true: beats, hears the others, and says which seats this node
/// should hold. From when `leaving` becomes true it holds none, and is still there: what it performs
/// is its own until it stops.
///
/// # Errors
/// `Corrupt`: what nodes say cannot be read, or what may be written to the log.
pub async fn attend(
    world: World,
    presence: Arc<Presence>,
    (all, views): (Vec<u16>, watch::Sender<View>),
    (mut leaving, mut stopped): (watch::Receiver<bool>, watch::Receiver<bool>),
) -> Result<(), Error> {
    let beating =
        tokio::spawn(beat(world.clone(), presence.clone(), (leaving.clone(), stopped.clone())));
    let mut roster = Roster::new(presence.node());
    let mut next = None;
    while !*stopped.borrow() {
        let leaves = *leaving.borrow_and_update();
        match hear(&world, &mut roster, next).await {
            Ok(heard) => next = Some(heard),
            Err(Error::Corrupt(reason)) => return Err(Error::Corrupt(reason)),
            Err(error) => {
                tracing::warn!(%error, "other nodes cannot be heard");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        }
        let (level, ours) = (roster.level(), codec::schema_max());
        if level > ours {
            return Err(Error::Corrupt(format!(
                "the log may hold records up to schema {level} from now on, this build reads up to \
                 {ours}: update it"
            )));
        }
        world.level.raise(level);
        if let Some(mut view) = roster.view(&all) {
            if leaves {
                view.seats.clear();
            }
            publish(&views, view);
        }
        tokio::select! {
            _ = world.log.changed(Partition::CLUSTER, next.unwrap_or(0)) => {}
            _ = leaving.changed() => {}
            _ = stopped.changed() => {}
        }
    }
    beating.abort();
    let left = Notice::NodeLeft(NodeLeft { node: presence.node.clone() });
    if let Err(error) = say(&world, &presence, left).await {
        tracing::warn!(%error, "the others find out by themselves that this node stops");
    }
    Ok(())
}

fn publish(views: &watch::Sender<View>, view: View) {
    views.send_if_modified(|known| {
        if known.seats != view.seats {
            tracing::info!(seats = ?view.seats, "this node should hold");
        }
        let is_new = *known != view;
        *known = view;
        is_new
    });
}

/// Hears what was said since; at first, what still holds of all that was said before.
async fn hear(world: &World, roster: &mut Roster, next: Option<Offset>) -> Result<Offset, Error> {
    let (mut next, before) = match next {
        Some(next) => (next, 0),
        None => {
            let start = world.log.start(Partition::CLUSTER).await?;
            (start, world.log.end(Partition::CLUSTER).await?)
        }
    };
    loop {
        let batch = world.log.read(Partition::CLUSTER, next, READ_BYTES_MAX).await?;
        let Some(last) = batch.last() else { return Ok(next) };
        next = last.offset + 1;
        for stored in &batch {
            match codec::decode::<Notice>(&stored.record.value) {
                Ok(notice) if stored.offset < before => roster.recall(&notice.body),
                Ok(notice) => roster.hear(&notice.body),
                // A newer node says something that this build does not know.
                Err(error) => tracing::debug!(%error, "not understood"),
            }
        }
    }
}

async fn beat(
    world: World,
    presence: Arc<Presence>,
    (mut leaving, stopped): (watch::Receiver<bool>, watch::Receiver<bool>),
) {
    while !*stopped.borrow() {
        presence.leaves.store(*leaving.borrow_and_update(), Ordering::Release);
        if let Err(error) = say(&world, &presence, presence.seen()).await {
            tracing::warn!(%error, "this node cannot say that it is there");
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            // The others should know at once.
            Ok(()) = leaving.changed() => {}
        }
    }
}

async fn say(world: &World, presence: &Presence, body: Notice) -> Result<(), Error> {
    let record = notice(world, &presence.node, body)?;
    world.log.append(vec![(Partition::CLUSTER, record)]).await.map(|_| ())
}
