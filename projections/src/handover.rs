//! Outcomes of steps on their way to the owner in the same process.
//!
//! An owner that performs a step itself need not read the outcome from the log: what it decides of
//! it is the record. Whoever hands an outcome over keeps it until the decision stands; if it never
//! does, it goes through the log, to whoever owns the partition then.

use domain::command::Command;
use domain::meta::Recorded;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Outcomes that wait for one owner. More go through the log.
const WAITING_MAX: usize = 256;

/// Where outcomes are handed over. Clones share it.
#[derive(Clone, Default, Debug)]
pub struct Handover(Arc<Mutex<BTreeMap<u16, mpsc::Sender<Handed>>>>);

/// An outcome, and who wants to know what became of it.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) command: Recorded<Command>,
    /// Told when the decision stands; dropped, when this owner will not decide it.
    pub(crate) stands: oneshot::Sender<()>,
}

/// What an owner was handed.
#[derive(Debug)]
pub(crate) struct Inbox {
    coming: mpsc::Receiver<Handed>,
    at_hand: VecDeque<Handed>,
    /// Whether the log knows that decisions of this owner may name no command.
    pub(crate) is_admitted: bool,
}

impl Handover {
    /// Takes what is handed over for a partition, in the place of whoever took it before.
    pub(crate) fn open(&self, partition: u16) -> Inbox {
        let (sender, coming) = mpsc::channel(WAITING_MAX);
        self.owners().insert(partition, sender);
        Inbox { coming, at_hand: VecDeque::new(), is_admitted: false }
    }

    /// Hands an outcome over. What is given ends well when the decision stands, and badly when the
    /// outcome has to go through the log; `None`: it has to in any case.
    pub fn hand(
        &self,
        partition: u16,
        command: &Recorded<Command>,
    ) -> Option<oneshot::Receiver<()>> {
        let place = self.owners().get(&partition)?.clone().try_reserve_owned().ok()?;
        let (stands, told) = oneshot::channel();
        place.send(Handed { command: command.clone(), stands });
        Some(told)
    }

    fn owners(&self) -> std::sync::MutexGuard<'_, BTreeMap<u16, mpsc::Sender<Handed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Waits until there is something.
    pub(crate) async fn wait(&mut self) {
        if self.at_hand.is_empty() {
            match self.coming.recv().await {
                Some(handed) => self.at_hand.push_back(handed),
                // Another inbox of the partition was opened.
                None => std::future::pending().await,
            }
        }
    }

    /// Takes what is there.
    pub(crate) fn take(&mut self) -> Vec<Handed> {
        let mut taken = Vec::from(std::mem::take(&mut self.at_hand));
        while taken.len() < WAITING_MAX
            && let Ok(handed) = self.coming.try_recv()
        {
            taken.push(handed);
        }
        taken
    }
}
