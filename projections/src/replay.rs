//! A piece of a replay of many webhooks: read from the inbox, sent as commands.
//!
//! A piece is a command for each webhook and one that says how far the replay has come, appended in
//! one go. Their ids name the replay and what they are about, so a piece that is sent again, after a
//! crash or by another node, is recognised.

use crate::inbox::{Inbox, InboxReader, Span};
use crate::owner::Seat;
use crate::owner::open::{port_error, unreadable};
use crate::owner::stamp::{Cause, own_command, record};
use crate::runner;
use crate::world::World;
use domain::command::{Command, ContinueReplay, ReplayWebhook};
use domain::event::Verdict;
use domain::id::{CommandId, EventId, IntegrationId, ProjectId};
use domain::key::Key;
use domain::state::Replaying;
use domain::view::{Delivery, DeliveryFilter};
use domain::webhook::Content;
use ports::{Error, Offset};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Pause while the inbox has not come so far, or after an error that may pass.
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
    /// Up to where the inbox has to be.
    pub(crate) from: Offset,
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
    /// `false`: the inbox has not come so far.
    async fn send(&self, world: &World) -> Result<bool, Error> {
        if runner::applied(world.store.as_ref(), &Inbox, self.seat).await? < self.from {
            return Ok(false);
        }
        let inbox = InboxReader::new(Arc::clone(&world.log), Arc::clone(&world.store));
        let (project, _) = self.address;
        let page = inbox.page(self.seat.number(), project, &self.span()).await?;
        let (mut commands, mut skipped) = (Vec::new(), 0);
        for delivery in &page.rows {
            match self.command(world, &inbox, delivery).await? {
                Some(command) => commands.push((self.id("of", delivery.id), command.into())),
                None => skipped += 1,
            }
        }
        let last = self.replaying.until.unwrap_or((self.before(), EventId(Uuid::nil())));
        let (until_at, until) = page.until.unwrap_or(last);
        let replayed = i32::try_from(commands.len()).unwrap_or(i32::MAX);
        let (replay, done) = (self.replay, page.is_last);
        let integration = self.address.1;
        let go_on =
            ContinueReplay { integration, replay, until_at, until, replayed, skipped, done };
        // Where it ends says nothing of whether it does.
        let end = if done { EventId(Uuid::max()) } else { until };
        commands.push((self.id("until", end), go_on.into()));
        self.append(world, commands).await?;
        Ok(true)
    }

    fn before(&self) -> domain::time::Timestamp {
        self.replaying.asked.before
    }

    fn span(&self) -> Span {
        let asked = &self.replaying.asked;
        Span {
            filter: DeliveryFilter {
                integration: Some(self.address.1),
                verdict: asked.verdict,
                name: Some(asked.name.clone()).filter(|name| !name.is_empty()),
                unmatched: asked.unmatched,
                before: Some(asked.before),
                after: asked.after,
                limit: self.replaying.page_len(),
                ..DeliveryFilter::default()
            },
            behind: self.replaying.until,
            despite: asked.despite,
        }
    }

    /// The command for one webhook; `None`: it cannot be replayed.
    async fn command(
        &self,
        world: &World,
        inbox: &InboxReader,
        delivery: &Delivery,
    ) -> Result<Option<ReplayWebhook>, Error> {
        let (project, integration) = self.address;
        let config = world.feed.current();
        let settings = config.project(project).and_then(|p| p.integrations.get(&integration));
        let settings = settings.and_then(|settings| settings.webhook.as_ref());
        let scheme = settings.and_then(|settings| settings.scheme());
        let Some((settings, scheme)) = settings.zip(scheme) else { return Ok(None) };
        let Some((_, sealed)) = inbox.read(project, delivery.id).await? else { return Ok(None) };
        let key = Key::App(project, integration);
        let clear = match world.vault.fetch(&key, &sealed).await {
            Ok(clear) => clear,
            Err(error) => return unreadable(error).map(|_| None),
        };
        let kept = serde_json::from_slice(&clear).unwrap_or_default();
        let Some(content) = Content::of(kept, delivery.size) else { return Ok(None) };
        let said = content.said(scheme, settings);
        let sealed = match content.is_restored {
            false => sealed,
            true => {
                let bytes = content.value.to_string();
                world.vault.store(&key, bytes.as_bytes()).await.map_err(port_error)?
            }
        };
        Ok(Some(ReplayWebhook {
            webhook: delivery.id,
            integration,
            verdict: delivery.verdict,
            despite: self.replaying.asked.despite,
            name: said.name,
            provider_id: said.provider_id,
            credential: said.credential,
            replay: Some(self.replay),
            size: i32::try_from(delivery.size).unwrap_or(i32::MAX),
            sealed,
        }))
    }

    /// The id of a command of this replay about a webhook: `of` it, or `until` it.
    fn id(&self, what: &str, about: EventId) -> CommandId {
        let route = format!("replay {} {what}", self.replay);
        CommandId::idempotent(&self.address.0, "", &route, &about.to_string())
    }

    async fn append(
        &self,
        world: &World,
        commands: Vec<(CommandId, Command)>,
    ) -> Result<(), Error> {
        let key = Key::App(self.address.0, self.address.1);
        let cause = Cause {
            causation_id: Some(self.replay.0),
            correlation_id: self.replay.0,
            execution: None,
        };
        let records: Result<Vec<_>, Error> = commands
            .into_iter()
            .map(|(id, command)| {
                let command = own_command(world, &key, id, &cause, command);
                Ok((self.seat.commands, record(&command)?))
            })
            .collect();
        world.log.append(records?).await.map(|_| ())
    }
}

/// Whether a webhook is replayed together with others: none that is a replay itself, or came before,
/// and none that was refused, unless that was said.
pub(crate) fn is_replayable(delivery: &Delivery, despite: bool) -> bool {
    let is_taken = despite || delivery.verdict == Verdict::Verified;
    is_taken && !delivery.repeated && delivery.replay_of.is_none()
}
