//! What was done is done once more: webhooks that were kept, executions that began.
//!
//! Of a replay of many only the wish is decided: what passes its filter is found piece by piece, and
//! each piece is a decision of its own.

pub(super) mod execution;
pub(super) mod webhook;

use super::{Given, Halt, Rejected, project_of};
use crate::command::{Command, ContinueReplay};
use crate::event::{Event, ReplayContinued};
use crate::id::IntegrationId;
use crate::meta::Recorded;
use crate::state::{REPLAYS_MAX, RowKey};

/// A continuation that comes twice finds the replay gone on.
pub(super) fn go_on(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ContinueReplay,
) -> Result<Vec<Event>, Halt> {
    let replays = given.rows.replays(&RowKey::Replays(command.meta.project, c.integration));
    let known = replays.and_then(|replays| replays.get(&c.replay));
    let reached = (c.until_at, c.until);
    // The last piece may have found nothing more to look at.
    let is_behind = |until| reached < until || (reached == until && !c.done);
    if known.is_none_or(|known| known.until.is_some_and(is_behind)) {
        let reason = "The replay had gone on before.";
        return Err(Rejected::new("REPLAY_LATE", reason).into());
    }
    Ok(vec![Event::ReplayContinued(ReplayContinued {
        replay: c.replay,
        integration: c.integration,
        until_at: c.until_at,
        until: c.until,
        replayed: c.replayed,
        skipped: c.skipped,
        done: c.done,
    })])
}

fn known(
    given: &Given<'_>,
    command: &Recorded<Command>,
    integration: IntegrationId,
) -> Result<(), Rejected> {
    let project = project_of(given, command)?;
    let reason = || format!("No integration {integration} in this project.");
    let known = project.integrations.contains_key(&integration);
    known.then_some(()).ok_or_else(|| Rejected::new("INTEGRATION_UNKNOWN", reason()))
}

/// Whether a further replay of many may be begun.
fn room(
    given: &Given<'_>,
    command: &Recorded<Command>,
    integration: IntegrationId,
) -> Result<(), Rejected> {
    let replays = given.rows.replays(&RowKey::Replays(command.meta.project, integration));
    if replays.is_some_and(|replays| replays.len() >= REPLAYS_MAX) {
        let reason = format!("{REPLAYS_MAX} replays of the integration are under way.");
        return Err(Rejected::new("REPLAYS_TOO_MANY", reason));
    }
    Ok(())
}
