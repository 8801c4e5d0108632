//! A piece of a replay of many: read from what was kept, sent as commands.
//!
//! A piece is a command for each webhook or execution and one that says how far the replay has come,
//! appended in one go. Their ids name the replay and what they are about, so a piece that is sent
//! again, after a crash or by another node, is recognised.

mod executions;
mod webhooks;

pub(crate) use webhooks::is_replayable;

use crate::owner::Seat;
use crate::owner::stamp::{Cause, own_command, record};
use crate::world::World;
use domain::command::{Command, ContinueReplay};
use domain::id::{CommandId, EventId, IntegrationId, ProjectId};
use domain::key::Key;
use domain::state::{Replaying, Wanted};
use domain::time::Timestamp;
use ports::{Error, Offset};
use std::time::Duration;
use uuid::Uuid;

/// Pause while what is replayed has not been kept so far, or after an error that may pass.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between tries.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The next piece of a replay.
#[derive(Debug)]
pub struct Piece {
    pub(crate) seat: Seat,
    pub(crate) address: (ProjectId, IntegrationId),
    pub(crate) replay: CommandId,
    pub(crate) replaying: Replaying,
    /// Up to where what was kept has to go.
    pub(crate) from: Offset,
}

/// What a piece has.
struct Found {
    /// For each that is replayed what it is, whose it is, and the command.
    commands: Vec<(EventId, Key, Command)>,
    /// How many cannot be replayed.
    skipped: i32,
    /// The last one that was looked at; `None`: there was none.
    until: Option<(Timestamp, EventId)>,
    /// Whether there are no more behind it.
    is_last: bool,
}

/// Sends the piece, however long it takes.
pub async fn send(world: World, piece: Piece) {
    let mut pause = PAUSE;
    loop {
        match piece.send(&world).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::warn!(replay = %piece.replay, %error, "a replay waits"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

impl Piece {
    /// `false`: what was kept does not go so far.
    async fn send(&self, world: &World) -> Result<bool, Error> {
        let (found, own, before) = match &self.replaying.wanted {
            Wanted::Webhooks(asked) => {
                (webhooks::find(self, world, asked).await?, self.app(), asked.before)
            }
            Wanted::Executions(asked) => {
                (executions::find(self, world, asked).await?, self.lane(world), asked.before)
            }
        };
        let Some(Found { commands, skipped, until, is_last: done }) = found else {
            return Ok(false);
        };
        let (integration, replay) = (self.address.1, self.replay);
        let last = self.replaying.until.unwrap_or((before, EventId(Uuid::nil())));
        let (until_at, until) = until.unwrap_or(last);
        let replayed = i32::try_from(commands.len()).unwrap_or(i32::MAX);
        let go_on =
            ContinueReplay { integration, replay, until_at, until, replayed, skipped, done };
        let mut records = Vec::with_capacity(commands.len() + 1);
        for (about, key, command) in commands {
            records.push(self.record(world, &key, self.id("of", about), command)?);
        }
        // Where it ends says nothing of whether it does.
        let end = if done { EventId(Uuid::max()) } else { until };
        records.push(self.record(world, &own, self.id("until", end), go_on.into())?);
        world.log.append(records).await?;
        Ok(true)
    }

    fn app(&self) -> Key {
        Key::App(self.address.0, self.address.1)
    }

    fn lane(&self, world: &World) -> Key {
        Key::Lane(self.address.0, self.seat.number(), world.log.partitions())
    }

    /// The id of a command of this replay about something: `of` it, or `until` it.
    fn id(&self, what: &str, about: EventId) -> CommandId {
        let (project, integration) = self.address;
        let place = self.seat.number();
        let route = format!("replay {} {integration} {place} {what}", self.replay);
        CommandId::idempotent(&project, "", &route, &about.to_string())
    }

    fn record(
        &self,
        world: &World,
        key: &Key,
        id: CommandId,
        command: Command,
    ) -> Result<(ports::Partition, ports::Record), Error> {
        let cause = Cause {
            causation_id: Some(self.replay.0),
            correlation_id: self.replay.0,
            execution: None,
        };
        Ok((self.seat.commands, record(&own_command(world, key, id, &cause, command))?))
    }
}
