//! Wishes to act on the world, read from events that stand.

use crate::command::{Command, DeliverWebhook, HoldSlots, LinkCredential};
use crate::event::{Event, Recipient, WebhookReceived};
use crate::id::{CommandId, CredentialId, ExecutionId, IntegrationId, ProjectId, StepId};
use crate::key::Key;
use crate::meta::Recorded;
use serde::{Deserialize, Serialize};

/// What makes asking twice harmless: attempts share it, and a provider that can deduplicate gets it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EffectKey {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
}

/// A step that wants to be performed: request, integration request or function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What makes asking twice harmless.
    pub key: EffectKey,
    /// The project.
    pub project: ProjectId,
    /// The user.
    pub user: String,
    /// Position of the step in its version, from 0.
    pub index: u16,
    /// The attempt, from 1.
    pub attempt: i32,
}

/// A command for another key: the only way across (design §3).
#[derive(Clone, PartialEq, Debug)]
pub struct Tell {
    /// Who is told.
    pub to: Key,
    /// The id of the command, derived from cause and recipient, so that a repeat is recognised.
    pub id: CommandId,
    /// What is asked of the recipient. A payload in it is still sealed for the sender's key.
    pub command: Command,
}

/// What the event wants told to other keys.
pub fn tells(event: &Recorded<Event>, partitions: u16) -> Vec<Tell> {
    let project = event.meta.project;
    match &event.body {
        Event::WebhookReceived(e) => e.recipients.iter().map(|r| deliver(event, e, r)).collect(),
        Event::CredentialConnected(e) => {
            let link = (e.integration, e.credential, e.provider_id.as_str());
            vec![link_tell(event, link, true)]
        }
        Event::CredentialRemoved(e) => {
            let link = (e.integration, e.credential, e.provider_id.as_str());
            vec![link_tell(event, link, false)]
        }
        Event::SlotsGranted(e) => {
            let lane = u16::try_from(e.lane).unwrap_or(0);
            let command =
                HoldSlots { project: e.project, lane: e.lane, held: e.held, serial: e.serial };
            vec![tell(event, Key::Lane(project, lane, partitions), command.into())]
        }
        _ => Vec::new(),
    }
}

fn tell(event: &Recorded<Event>, to: Key, command: Command) -> Tell {
    let id = CommandId::derived(&event.meta.event_id.0, &to, 0);
    Tell { to, id, command }
}

fn deliver(event: &Recorded<Event>, e: &WebhookReceived, to: &Recipient) -> Tell {
    let command = DeliverWebhook {
        integration: e.integration,
        credential: to.credential,
        name: e.name.clone(),
        size: e.size,
        sealed: e.sealed.clone(),
    };
    let key = Key::User(event.meta.project, to.user.clone());
    // Two accounts of one user are two deliveries: the credential is part of the id.
    let id = CommandId::derived(&event.meta.event_id.0, &key, fold32(to.credential.bytes()));
    Tell { to: key, id, command: command.into() }
}

fn fold32(bytes: &[u8; 16]) -> u32 {
    bytes.chunks_exact(4).fold(0, |sum, b| sum ^ u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

fn link_tell(
    event: &Recorded<Event>,
    (integration, credential, provider_id): (IntegrationId, CredentialId, &str),
    linked: bool,
) -> Tell {
    let user = event.meta.parsed_key().and_then(|key| key.user().map(str::to_owned));
    let command = LinkCredential {
        integration,
        provider_id: provider_id.to_owned(),
        recipient: Recipient { user: user.unwrap_or_default(), credential },
        linked,
    };
    tell(event, Key::App(event.meta.project, integration), command.into())
}
