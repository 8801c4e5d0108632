//! The project of the load, and the receivers that its workflows call.

use super::{Count, KIND, Record, USERS, user};
use crate::harness::{Api, Node};
use crate::project::{self, API_KEY, Plan};
use crate::receiver::{Arrival, Receiver, Temper};
use anyhow::Result;
use hyper::Method;
use indicatif::ProgressBar;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(200);

/// The project by one node, and the receivers.
pub(crate) struct Stage {
    /// The project by the node that it was applied to.
    pub(crate) api: Api,
    /// Tokens of the users, in their order.
    pub(crate) tokens: Vec<String>,
    warehouse: Receiver,
    tracker: Receiver,
}

impl Stage {
    /// Starts the receivers, applies the project, and connects the users' accounts.
    ///
    /// # Errors
    /// The node refuses something.
    pub(crate) async fn prepare(node: &Node, data: &Path) -> Result<Self> {
        let warehouse = Receiver::start(Temper::Moody { every: 150, failures_max: 100 }).await?;
        let tracker = Receiver::start(Temper::Slow { wait_ms: 20 }).await?;
        let plan = Plan {
            warehouse: &warehouse.url(""),
            tracker: &tracker.url(""),
            kinds: &[KIND.to_owned()],
            pause_s: 2,
        };
        let (api, signer) = Api::apply(node, data, &project::file(&plan)).await?;
        let users: Vec<String> = (0..USERS).map(user).collect();
        let tokens = project::connect(&api, &signer, &users).await?;
        Ok(Self { api, tokens, warehouse, tracker })
    }

    /// Waits until the node at an address knows the accounts of every user.
    pub(crate) async fn known_at(&self, at: SocketAddr) {
        let api = self.api.moved(at);
        for token in &self.tokens {
            loop {
                let me = api.call(Method::GET, "/sdk/me", token, None).await;
                if me.is_ok_and(|me| me.json()["integrations"]["custom.tracker"]["enabled"] == true)
                {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// What the receivers do must not show in what is measured, or may again.
    pub(crate) fn calm(&self, is_calm: bool) {
        self.warehouse.calm(is_calm);
        self.tracker.calm(is_calm);
    }

    /// Looks at everything that came to either receiver.
    pub(crate) fn journals(&self, mut look: impl FnMut(&[Arrival])) {
        for receiver in [&self.warehouse, &self.tracker] {
            receiver.journal(&mut look);
        }
    }

    /// Waits until nothing is on its way any more, as one node tells; what then is missing, the
    /// count shows.
    ///
    /// # Errors
    /// The node does not tell.
    pub(crate) async fn settle(&self, api: &Api, record: &Record, most: Duration) -> Result<()> {
        let bar = ProgressBar::new_spinner();
        let begun = Instant::now();
        while begun.elapsed() < most {
            let open = api.executions(API_KEY, "EXECUTING").await?
                + api.executions(API_KEY, "DELAYED").await?;
            let missing = Count::missing(self, record).len();
            if open == 0 && missing == 0 {
                break;
            }
            bar.set_message(format!("{open} executions open, {missing} deliveries awaited"));
            bar.tick();
            tokio::time::sleep(LOOK).await;
        }
        bar.finish_and_clear();
        Ok(())
    }
}
