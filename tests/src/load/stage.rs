//! The project of the load, and the receivers that its workflows call.

use super::parcel::fresh;
use super::workflows::{HOLD, TICKS, workflows};
use super::{KIND, TICKING, USERS, user};
use crate::harness::{Api, Node};
use crate::project::{self, API_KEY, Plan};
use crate::receiver::{Arrival, Receiver, Temper};
use anyhow::{Context, Result, bail};
use hyper::Method;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Executions of each user that replays of many repeat.
const ORIGINALS: usize = 2;
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// The project by one node, and the receivers.
pub(crate) struct Stage {
    /// The project by the node that it was applied to.
    pub(crate) api: Api,
    /// Tokens of the users, in their order.
    pub(crate) tokens: Vec<String>,
    pub(super) admin_key: String,
    /// What replays of many repeat, with the id that each delivers.
    pub(super) originals: Vec<(String, String)>,
    /// They had ended by then, and nothing else of their workflow had begun.
    pub(super) begun_before: String,
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
        let mut file = project::file(&plan);
        let all = file["workflows"].as_array_mut().context("the project has no workflows")?;
        all.extend(workflows(&warehouse.url("")));
        let (api, signer) = Api::apply(node, data, &file).await?;
        let users: Vec<String> = (0..USERS).map(user).collect();
        let tokens = project::connect(&api, &signer, &users).await?;
        let admin_key = std::fs::read_to_string(data.join("admin.key"))?.trim().to_owned();
        let (originals, begun_before) = (Vec::new(), String::new());
        let mut stage =
            Self { api, tokens, admin_key, originals, begun_before, warehouse, tracker };
        stage.calm(true);
        stage.begin_originals().await?;
        stage.calm(false);
        for (token, (workflow, _)) in stage.ticking() {
            let path = format!("/sdk/workflows/{workflow}");
            let answer = stage.api.call(Method::POST, &path, token, None).await?;
            if answer.status != 200 {
                bail!("switching on a schedule: {}", answer.shown());
            }
        }
        Ok(stage)
    }

    /// Whose schedules run, and which.
    pub(super) fn ticking(&self) -> impl Iterator<Item = (&String, (&'static str, &'static str))> {
        let users = self.tokens.iter().take(TICKING);
        users.flat_map(|token| TICKS.map(|tick| (token, tick)))
    }

    /// Runs what is to be repeated, to its end.
    async fn begin_originals(&mut self) -> Result<()> {
        for token in self.tokens.iter().cycle().take(USERS * ORIGINALS) {
            let id = fresh();
            let answer = self.api.request(token, HOLD, &json!({ "id": id })).await?;
            let json = answer.json();
            let execution = json["executionId"].as_str();
            let execution = execution.with_context(|| format!("no run: {}", answer.shown()))?;
            self.originals.push((execution.to_owned(), id));
        }
        let filter = format!("workflowId={HOLD}&status=SUCCEEDED&limit=100");
        let path = format!("/task-history/workflow-executions?{filter}");
        loop {
            let page = self.api.call(Method::GET, &path, API_KEY, None).await?.json();
            let rows = page["workflowExecutions"].as_array().cloned().unwrap_or_default();
            if rows.len() == self.originals.len() {
                let ends = rows.iter().filter_map(|row| row["dateEnded"].as_str());
                let last = ends.max().context("what has ended has no end")?;
                last.clone_into(&mut self.begun_before);
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
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
}
