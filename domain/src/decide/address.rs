//! Webhooks at the address of their integration.

use super::Given;
use crate::command::{Command, LinkCredential, ReceiveWebhook};
use crate::event::{CredentialLinked, Event, Recipient, Verdict, WebhookReceived};
use crate::meta::Recorded;
use crate::state::{Account, RowKey};

/// One delivery is told to at most so many accounts.
const RECIPIENTS_MAX: usize = 1_000;

pub(super) fn receive(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReceiveWebhook,
) -> Vec<Event> {
    let project = command.meta.project;
    let delivery = RowKey::Delivery(project, c.integration, c.delivery.clone());
    let repeated = !c.delivery.is_empty() && given.rows.contains(&delivery);
    let recipients = match c.verdict {
        Verdict::Verified if !repeated => recipients(given, command, c),
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

fn recipients(
    given: &Given<'_>,
    command: &Recorded<Command>,
    c: &ReceiveWebhook,
) -> Vec<Recipient> {
    let account = match c.credential {
        Some(credential) => Account::Credential(credential),
        None => Account::Provider(c.provider_id.clone()),
    };
    let key = RowKey::Link(command.meta.project, c.integration, account);
    let link = given.rows.link(&key);
    link.into_iter().flatten().take(RECIPIENTS_MAX).cloned().collect()
}

pub(super) fn link(c: &LinkCredential) -> Vec<Event> {
    vec![Event::CredentialLinked(CredentialLinked {
        integration: c.integration,
        provider_id: c.provider_id.clone(),
        recipient: c.recipient.clone(),
        linked: c.linked,
    })]
}
