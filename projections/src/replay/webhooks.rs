//! Webhooks of an address, from the inbox.

use super::{Found, Piece};
use crate::inbox::{Inbox, InboxReader, Span};
use crate::owner::open::{port_error, unreadable};
use crate::runner;
use crate::world::World;
use domain::command::ReplayWebhook;
use domain::event::{ReplayRequested, Verdict};
use domain::view::{Delivery, DeliveryFilter};
use domain::webhook::Content;
use ports::Error;
use std::sync::Arc;

/// `None`: the inbox has not come so far.
pub(super) async fn find(
    piece: &Piece,
    world: &World,
    asked: &ReplayRequested,
) -> Result<Option<Found>, Error> {
    if runner::applied(world.store.as_ref(), &Inbox, piece.seat).await? < piece.from {
        return Ok(None);
    }
    let inbox = InboxReader::new(Arc::clone(&world.log), Arc::clone(&world.store));
    let page = inbox.page(piece.seat.number(), piece.address.0, &span(piece, asked)).await?;
    let (mut commands, mut skipped) = (Vec::new(), 0);
    for delivery in &page.rows {
        match command(piece, world, &inbox, (delivery, asked)).await? {
            Some(command) => commands.push((delivery.id, piece.app(), command.into())),
            None => skipped += 1,
        }
    }
    let (until, is_last) = (page.until, page.is_last);
    Ok(Some(Found { commands, skipped, until, is_last }))
}

fn span(piece: &Piece, asked: &ReplayRequested) -> Span {
    Span {
        filter: DeliveryFilter {
            integration: Some(piece.address.1),
            verdict: asked.verdict,
            name: Some(asked.name.clone()).filter(|name| !name.is_empty()),
            unmatched: asked.unmatched,
            before: Some(asked.before),
            after: asked.after,
            limit: piece.replaying.page_len(),
            ..DeliveryFilter::default()
        },
        behind: piece.replaying.until,
        despite: asked.despite,
    }
}

/// The command for one webhook; `None`: it cannot be replayed.
async fn command(
    piece: &Piece,
    world: &World,
    inbox: &InboxReader,
    (delivery, asked): (&Delivery, &ReplayRequested),
) -> Result<Option<ReplayWebhook>, Error> {
    let (project, integration) = piece.address;
    let config = world.feed.current();
    let settings = config.project(project).and_then(|p| p.integrations.get(&integration));
    let settings = settings.and_then(|settings| settings.webhook.as_ref());
    let scheme = settings.and_then(|settings| settings.scheme());
    let Some((settings, scheme)) = settings.zip(scheme) else { return Ok(None) };
    let Some((_, sealed)) = inbox.read(project, delivery.id).await? else { return Ok(None) };
    let key = piece.app();
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
        despite: asked.despite,
        name: said.name,
        provider_id: said.provider_id,
        credential: said.credential,
        replay: Some(piece.replay),
        size: i32::try_from(delivery.size).unwrap_or(i32::MAX),
        sealed,
    }))
}

/// Whether a webhook is replayed together with others: none that is a replay itself, or came before,
/// and none that was refused, unless that was said.
pub(crate) fn is_replayable(delivery: &Delivery, despite: bool) -> bool {
    let is_taken = despite || delivery.verdict == Verdict::Verified;
    is_taken && !delivery.repeated && delivery.replay_of.is_none()
}
