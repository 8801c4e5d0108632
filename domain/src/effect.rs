//! Wishes to act on the world, read from events that stand.

use crate::command::{
    Command, ContinueStarts, DeliverWebhook, HoldSlots, LinkCredential, SpreadWebhook, StartEnabled,
};
use crate::event::{Event, RECIPIENTS_MAX, Recipient, StartsDeferred, WebhookSpread};
use crate::id::{CommandId, CredentialId, ExecutionId, IntegrationId, ProjectId, StepId, Telling};
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
    /// The page of a paginated request, from 0; 0 of every other step.
    pub page: u32,
    /// How many runs, each started by the one before it, it is the work of: from 1.
    pub runs: u8,
}

/// The header that tells this installation, when a run calls it, how many runs have led to that.
pub const RUNS_HEADER: &str = "millrace-runs";

/// A command for another key: the only way across (design §3).
#[derive(Clone, PartialEq, Debug)]
pub struct Tell {
    /// Who is told.
    pub to: Key,
    /// The id of the command: it names the decision that wanted it, so that a repeat is recognised.
    pub id: CommandId,
    /// What is asked of the recipient. A payload in it is still sealed for the sender's key.
    pub command: Command,
}

/// What the event wants told to other keys, in a fixed order.
pub fn tells(event: &Recorded<Event>, partitions: u16) -> Vec<Tell> {
    let Some(from) = event.meta.parsed_key() else { return Vec::new() };
    let told = wishes(event, &from, partitions).into_iter().zip(0..);
    let partition = from.partition(partitions);
    let (offset, at) = (event.meta.command_offset, event.meta.i as u16);
    told.map(|((to, command), number)| {
        let tell = Telling { partition, offset, event: at, number };
        Tell { id: CommandId::telling(tell, &to), to, command }
    })
    .collect()
}

fn wishes(event: &Recorded<Event>, from: &Key, partitions: u16) -> Vec<(Key, Command)> {
    let project = event.meta.project;
    match &event.body {
        Event::WebhookReceived(e) => {
            let (integration, provider_id) = (e.integration, e.provider_id.clone());
            let (name, size, sealed) = (e.name.clone(), e.size, e.sealed.clone());
            let (webhook, received_at) = (event.meta.event_id, event.meta.occurred_at);
            let recipients = e.recipients.clone();
            spread(
                project,
                &WebhookSpread {
                    webhook,
                    received_at,
                    integration,
                    name,
                    provider_id,
                    recipients,
                    size,
                    sealed,
                },
            )
        }
        Event::WebhookSpread(e) => spread(project, e),
        Event::WebhookReplayed(e) => spread(
            project,
            &WebhookSpread {
                webhook: event.meta.event_id,
                received_at: event.meta.occurred_at,
                integration: e.integration,
                name: e.name.clone(),
                provider_id: e.provider_id.clone(),
                recipients: e.recipients.clone(),
                size: e.size,
                sealed: e.sealed.clone(),
            },
        ),
        Event::StartsDeferred(e) => vec![(from.clone(), continue_starts(e).into())],
        Event::CredentialConnected(e) => {
            let link = (e.integration, e.credential, e.provider_id.as_str());
            vec![link_credential(from, link, true)]
        }
        Event::IntegrationEnabled(e) if e.workflows > 0 => {
            let command = StartEnabled { integration: e.integration, credential: e.credential };
            vec![(from.clone(), command.into())]
        }
        Event::CredentialRemoved(e) => {
            let link = (e.integration, e.credential, e.provider_id.as_str());
            vec![link_credential(from, link, false)]
        }
        Event::SlotsGranted(e) => {
            let lane = u16::try_from(e.lane).unwrap_or(0);
            let command =
                HoldSlots { project: e.project, lane: e.lane, held: e.held, serial: e.serial };
            vec![(Key::Lane(project, lane, partitions), command.into())]
        }
        _ => Vec::new(),
    }
}

/// Each recipient is told; and the address itself, if there may be more.
fn spread(project: ProjectId, e: &WebhookSpread) -> Vec<(Key, Command)> {
    let mut tells: Vec<_> = e.recipients.iter().map(|to| deliver(project, e, to)).collect();
    if let Some(last) = e.recipients.last().filter(|_| e.recipients.len() >= RECIPIENTS_MAX) {
        let command = SpreadWebhook {
            webhook: e.webhook,
            received_at: e.received_at,
            integration: e.integration,
            name: e.name.clone(),
            provider_id: e.provider_id.clone(),
            after: last.clone(),
            size: e.size,
            sealed: e.sealed.clone(),
        };
        tells.push((Key::App(project, e.integration), command.into()));
    }
    tells
}

fn continue_starts(e: &StartsDeferred) -> ContinueStarts {
    ContinueStarts {
        name: e.name.clone(),
        integration: e.integration,
        credential: e.credential,
        after_workflow: e.after_workflow,
        after_credential: e.after_credential,
        size: e.size,
        sealed: e.sealed.clone(),
    }
}

fn deliver(project: ProjectId, e: &WebhookSpread, to: &Recipient) -> (Key, Command) {
    let command = DeliverWebhook {
        integration: e.integration,
        credential: to.credential,
        name: e.name.clone(),
        size: e.size,
        sealed: e.sealed.clone(),
    };
    (Key::User(project, to.user.clone()), command.into())
}

fn link_credential(
    from: &Key,
    (integration, credential, provider_id): (IntegrationId, CredentialId, &str),
    linked: bool,
) -> (Key, Command) {
    let user = from.user().unwrap_or_default().to_owned();
    let command = LinkCredential {
        integration,
        provider_id: provider_id.to_owned(),
        recipient: Recipient { user, credential },
        linked,
    };
    (Key::App(from.project(), integration), command.into())
}
