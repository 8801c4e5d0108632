//! Executions of a partition, from Task History.

use super::{Found, Piece};
use crate::history::{History, HistoryReader, Span};
use crate::runner;
use crate::world::World;
use domain::event::ExecutionsReplayRequested;
use domain::id::{EventId, ExecutionId};
use domain::key::Key;
use ports::Error;
use std::sync::Arc;

/// `None`: history has not come so far.
pub(super) async fn find(
    piece: &Piece,
    world: &World,
    asked: &ExecutionsReplayRequested,
) -> Result<Option<Found>, Error> {
    if runner::applied(world.store.as_ref(), &History, piece.seat).await? < piece.from {
        return Ok(None);
    }
    let history = HistoryReader::new(Arc::clone(&world.log), Arc::clone(&world.store));
    let behind = piece.replaying.until.map(|(at, id)| (at, ExecutionId(id.0)));
    let span = Span { asked, behind, limit: piece.replaying.page_len() };
    let (project, _) = piece.address;
    let page = history.page(piece.seat.number(), project, &span).await?;
    let (mut commands, mut skipped) = (Vec::new(), 0);
    for run in &page.runs {
        let from = asked.from_failed.then(|| run.failed_step()).flatten();
        match history.replay(project, run, from).await? {
            Ok(mut command) => {
                command.replay = Some(piece.replay);
                if asked.current {
                    command.version = None;
                }
                let key = Key::User(project, run.execution.user.clone());
                commands.push((EventId(run.execution.id.0), key, command.into()));
            }
            Err(_) => skipped += 1,
        }
    }
    let until = page.until.map(|(at, id)| (at, EventId(id.0)));
    Ok(Some(Found { commands, skipped, until, is_last: page.is_last }))
}
