//! Webhooks that were kept, handed on once more.

use super::super::address::recipients;
use super::super::{Given, Halt, Rejected};
use super::{known, room};
use crate::command::{Command, ReplayWebhook, ReplayWebhooks};
use crate::event::{Event, ReplayRequested, Verdict, WebhookReplayed};
use crate::meta::Recorded;
use crate::state::REPLAYED_PER_SECOND_MAX;

/// It is matched as the address knows accounts now. That it came before does not count: whoever asks
/// for it knows.
pub(in crate::decide) fn one(
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
pub(in crate::decide) fn many(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReplayWebhooks,
) -> Result<Vec<Event>, Halt> {
    known(given, command, c.integration)?;
    taken(c.verdict, c.despite)?;
    room(given, command, c.integration)?;
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
