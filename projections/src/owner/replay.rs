//! Replays of many webhooks: which of them go on now.
//!
//! What passes a replay's filter is read from the inbox, which takes its time, so it is done beside
//! the owner ([`crate::replay`]). A piece that is sent twice, by a node that was not gone, changes
//! nothing.

use super::table::{self, REPLAYS};
use super::{Decided, Owner};
use crate::queue::after;
use crate::replay::Piece;
use bytes::Bytes;
use domain::event::Event;
use domain::id::{CommandId, EventId, IntegrationId, ProjectId};
use domain::state::{Replaying, Row};
use domain::time::Timestamp;
use ports::{Error, Offset, Range};
use std::collections::BTreeMap;

/// Addresses whose replays are looked at, at most.
const ADDRESSES_MAX: usize = 10_000;

/// The replays of a partition.
#[derive(Default)]
pub(super) struct Replays {
    /// Whether the rows were read since one changed.
    is_known: bool,
    known: BTreeMap<CommandId, Known>,
}

struct Known {
    address: (ProjectId, IntegrationId),
    replaying: Replaying,
    /// Up to where the inbox has to be before a piece is right: where the log was when the replay was
    /// first seen.
    from: Offset,
    /// What was sent already.
    sent: Option<Option<(Timestamp, EventId)>>,
}

impl Replays {
    /// Learns of a decision.
    pub(super) fn heard(&mut self, decided: &Decided) {
        let changes = |event: &Event| {
            matches!(
                event,
                Event::ReplayRequested(_)
                    | Event::ExecutionsReplayRequested(_)
                    | Event::ReplayContinued(_)
            )
        };
        if decided.run.iter().any(|event| changes(&event.body)) {
            self.is_known = false;
        }
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let waits = self.known.values().filter(|known| !known.is_sent());
        waits.map(|known| known.replaying.due).min()
    }
}

impl Known {
    fn is_sent(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| *sent == self.replaying.until)
    }
}

impl Owner {
    /// Pieces of replays whose time has come. Each is given once, until it is decided or the partition
    /// is held anew.
    ///
    /// # Errors
    /// As [`Owner::turn`].
    pub async fn take_replays(&mut self) -> Result<Vec<Piece>, Error> {
        let Some(held) = &self.held else { return Ok(Vec::new()) };
        let (now, end) = (held.now.max(self.world.clock.now()), held.applied);
        if !self.replays.is_known {
            self.save().await?;
            self.read_replays(end).await?;
        }
        let mut pieces = Vec::new();
        for (replay, known) in &mut self.replays.known {
            if known.replaying.due > now || known.is_sent() {
                continue;
            }
            known.sent = Some(known.replaying.until);
            pieces.push(Piece {
                seat: self.seat,
                address: known.address,
                replay: *replay,
                replaying: known.replaying.clone(),
                from: known.from,
            });
        }
        Ok(pieces)
    }

    async fn read_replays(&mut self, end: Offset) -> Result<(), Error> {
        let from = Bytes::copy_from_slice(&self.seat.number().to_be_bytes());
        let until = after(&from);
        let range = Range { from, until, limit: ADDRESSES_MAX, backwards: false };
        let mut before = std::mem::take(&mut self.replays.known);
        for (key, value) in self.world.store.scan(REPLAYS, range).await? {
            let (Some(address), Row::Replays(rows)) =
                (table::parse_replays(&key), table::decode(&value)?)
            else {
                return Err(Error::Corrupt("a row of replays is none".into()));
            };
            for (replay, replaying) in rows {
                let old = before.remove(&replay);
                let from = old.as_ref().map_or(end, |old| old.from);
                let sent = old.and_then(|old| old.sent);
                self.replays.known.insert(replay, Known { address, replaying, from, sent });
            }
        }
        self.replays.is_known = true;
        Ok(())
    }
}
