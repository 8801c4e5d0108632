//! Webhooks at the address of their integration.

use super::Given;
use crate::command::{Command, LinkCredential, ReceiveWebhook, SpreadWebhook};
use crate::event::{
    CredentialLinked, Event, RECIPIENTS_MAX, Recipient, Verdict, WebhookReceived, WebhookSpread,
};
use crate::id::{CredentialId, IntegrationId};
use crate::meta::Recorded;
use crate::state::{Account, RowKey};
use std::ops::Bound;

pub(super) fn receive(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReceiveWebhook,
) -> Vec<Event> {
    let project = command.meta.project;
    let delivery = RowKey::Delivery(project, c.integration, c.delivery.clone());
    let repeated = !c.delivery.is_empty() && given.rows.contains(&delivery);
    let recipients = match c.verdict {
        Verdict::Verified if !repeated => {
            recipients(given, command, (c.integration, c.credential, &c.provider_id))
        }
        Verdict::Verified
        | Verdict::Unsigned
        | Verdict::Forged
        | Verdict::Stale
        | Verdict::Malformed => Vec::new(),
    };
    vec![Event::WebhookReceived(WebhookReceived {
        integration: c.integration,
        verdict: c.verdict,
        delivery: c.delivery.clone(),
        name: c.name.clone(),
        provider_id: c.provider_id.clone(),
        repeated,
        recipients,
        size: c.size,
        sealed: c.sealed.clone(),
    })]
}

/// Whose the account is that a webhook is about, as far as one decision tells.
pub(super) fn recipients(
    given: &Given<'_>,
    command: &Recorded<Command>,
    (integration, credential, provider_id): (IntegrationId, Option<CredentialId>, &str),
) -> Vec<Recipient> {
    let account = Account::named(credential, provider_id);
    let key = RowKey::Link(command.meta.project, integration, account);
    let link = given.rows.link(&key);
    link.into_iter().flatten().take(RECIPIENTS_MAX).cloned().collect()
}

/// Goes on behind the last recipient that was told, with those there are now.
pub(super) fn spread(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &SpreadWebhook,
) -> Vec<Event> {
    let account = Account::Provider(c.provider_id.clone());
    let link = given.rows.link(&RowKey::Link(command.meta.project, c.integration, account));
    let behind = (Bound::Excluded(&c.after), Bound::Unbounded);
    let recipients = link.into_iter().flat_map(|link| link.range::<Recipient, _>(behind));
    vec![Event::WebhookSpread(WebhookSpread {
        webhook: c.webhook,
        received_at: c.received_at,
        integration: c.integration,
        name: c.name.clone(),
        provider_id: c.provider_id.clone(),
        recipients: recipients.take(RECIPIENTS_MAX).cloned().collect(),
        size: c.size,
        sealed: c.sealed.clone(),
    })]
}

pub(super) fn link(c: &LinkCredential) -> Vec<Event> {
    vec![Event::CredentialLinked(CredentialLinked {
        integration: c.integration,
        provider_id: c.provider_id.clone(),
        recipient: c.recipient.clone(),
        linked: c.linked,
    })]
}
