//! Webhooks that were kept, handed on once more.

use super::address::recipients;
use super::{Given, Halt, Rejected, project_of};
use crate::command::{Command, ContinueReplay, ReplayWebhook, ReplayWebhooks};
use crate::event::{Event, ReplayContinued, ReplayRequested, Verdict, WebhookReplayed};
use crate::id::IntegrationId;
use crate::meta::Recorded;
use crate::state::{REPLAYED_PER_SECOND_MAX, REPLAYS_MAX, RowKey};

/// It is matched as the address knows accounts now. That it came before does not count: whoever asks
/// for it knows.
pub(super) fn one(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReplayWebhook,
) -> Result<Vec<Event>, Halt> {
    known(given, command, c.integration)?;
    taken(Some(c.verdict), c.despite)?;
    let account = (c.integration, c.credential, c.provider_id.as_str());
    Ok(vec![Event::WebhookReplayed(WebhookReplayed {
        webhook: c.webhook,
        integration: c.integration,
        verdict: c.verdict,
        name: c.name.clone(),
        provider_id: c.provider_id.clone(),
        replay: c.replay,
        recipients: recipients(given, command, account),
        size: c.size,
        sealed: c.sealed.clone(),
    })])
}

/// Only the wish is decided: what passes the filter is found piece by piece, and each piece is a
/// decision of its own.
pub(super) fn many(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReplayWebhooks,
) -> Result<Vec<Event>, Halt> {
    known(given, command, c.integration)?;
    taken(c.verdict, c.despite)?;
    let replays = given.rows.replays(&RowKey::Replays(command.meta.project, c.integration));
    if replays.is_some_and(|replays| replays.len() >= REPLAYS_MAX) {
        let reason = format!("{REPLAYS_MAX} replays of the integration are under way.");
        return Err(Rejected::new("REPLAYS_TOO_MANY", reason).into());
    }
    Ok(vec![Event::ReplayRequested(ReplayRequested {
        replay: command.meta.command_id,
        integration: c.integration,
        verdict: c.verdict,
        unmatched: c.unmatched,
        name: c.name.clone(),
        after: c.after,
        // What was sent before was decided before, also in this millisecond.
        before: c.before.min(given.now.plus_ms(1)),
        despite: c.despite,
        per_second: c.per_second.clamp(1, REPLAYED_PER_SECOND_MAX),
    })])
}

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

/// What was refused is replayed only for somebody who says that it may be.
fn taken(verdict: Option<Verdict>, despite: bool) -> Result<(), Rejected> {
    match verdict {
        None | Some(Verdict::Verified) => Ok(()),
        Some(_) if despite => Ok(()),
        Some(_) => {
            let reason = "The webhook was refused when it came. Say `despiteRefusal` to replay it.";
            Err(Rejected::new("WEBHOOK_REFUSED", reason))
        }
    }
}
