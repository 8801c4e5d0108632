//! Decisions on outcomes that this node hands to its own owner.

use super::stamp::own_event;
use super::{Decided, Owner, Seat};
use crate::handover::Handed;
use domain::codec::Family;
use domain::effect;
use domain::event::{Event, OutcomesAdmitted};
use domain::meta::Recorded;
use ports::{Error, Offset};

/// Where a command stands that was handed over: nowhere.
const NOWHERE: Offset = -1;

impl Owner {
    /// Lets outcomes be handed over, once every build at the log can read what is decided of them.
    pub(super) fn open_inbox(&mut self) {
        if self.inbox.is_none()
            && self.seat != Seat::CONFIG
            && self.world.level.allows(self.admitted().schema().id)
        {
            self.inbox = Some(self.world.handover.open(self.seat.number()));
        }
    }

    fn admitted(&self) -> Event {
        OutcomesAdmitted { node: self.node.clone() }.into()
    }

    /// What the log is told before the first decision that names no command.
    pub(super) fn admission(&mut self, handed: &[Handed]) -> Option<Recorded<Event>> {
        let is_admitted = self.inbox.as_ref().is_none_or(|inbox| inbox.is_admitted);
        if is_admitted || handed.is_empty() {
            return None;
        }
        let body = self.admitted();
        self.held.as_mut().map(|held| own_event(&self.world, held, body))
    }

    /// `None`: it has to go through the log. A refusal names the command that it refuses, and so does
    /// what others are told.
    pub(super) async fn decide_handed(&mut self, handed: Handed) -> Result<Option<Decided>, Error> {
        let run = self.consider(NOWHERE, &handed.command).await?;
        let partitions = self.world.log.partitions();
        let needs_place = |event: &Recorded<Event>| {
            let is_refusal =
                matches!(event.body, Event::CommandRejected(_) | Event::CommandRepeated(_));
            is_refusal || !effect::tells(event, partitions).is_empty()
        };
        if run.iter().any(needs_place) {
            return Ok(None);
        }
        let decided = self.conclude(&handed.command.meta, run).await?;
        Ok(Some(Decided { handed: Some(handed.stands), ..decided }))
    }
}
