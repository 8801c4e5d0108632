//! Until nothing is on its way any more.

use super::parcel::fresh;
use super::stage::LOOK;
use super::workflows::{COLLECT, TICKS, collected};
use super::{Count, Record, Stage, TICKING, user};
use crate::harness::{Answer, Api};
use crate::project::API_KEY;
use anyhow::{Result, bail};
use hyper::Method;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One who waits, with what it waits at.
struct Wait<'a> {
    stage: &'a Stage,
    /// A node.
    api: &'a Api,
    bar: ProgressBar,
    begun: Instant,
    most: Duration,
}

impl Stage {
    /// Waits until nothing is on its way any more, as one node tells; what then is missing, the
    /// count shows. Schedules must fire once more, and are switched off.
    ///
    /// # Errors
    /// The node does not tell, or a schedule fires no more.
    pub(crate) async fn settle(&self, api: &Api, record: &Record, most: Duration) -> Result<()> {
        let bar = ProgressBar::new_spinner();
        let wait = Wait { stage: self, api, bar, begun: Instant::now(), most };
        wait.ticked().await?;
        wait.switched_off().await?;
        wait.delivered(record).await;
        wait.folded(record).await?;
        wait.delivered(record).await;
        wait.ended().await?;
        wait.bar.finish_and_clear();
        Ok(())
    }
}

impl Wait<'_> {
    fn is_over(&self) -> bool {
        self.begun.elapsed() >= self.most
    }

    async fn look(&self, message: String) {
        self.bar.set_message(message);
        self.bar.tick();
        tokio::time::sleep(LOOK).await;
    }

    /// A schedule whose next moment was lost runs no more, whatever is still to come of others.
    async fn ticked(&self) -> Result<()> {
        let places = || {
            let users = (0..TICKING).map(user);
            users.flat_map(|user| TICKS.map(|(id, _)| format!("userId={user}&workflowId={id}")))
        };
        let mut before = Vec::new();
        for place in places() {
            before.push(self.api.executions_of(API_KEY, &place).await?);
        }
        for (place, before) in places().zip(before) {
            while self.api.executions_of(API_KEY, &place).await? <= before {
                if self.is_over() {
                    bail!("a schedule fires no more: {place}");
                }
                self.look("schedules are to fire once more".to_owned()).await;
            }
        }
        Ok(())
    }

    async fn switched_off(&self) -> Result<()> {
        for (token, (workflow, _)) in self.stage.ticking() {
            let path = format!("/sdk/workflows/{workflow}");
            self.taken(200, async || self.api.call(Method::DELETE, &path, token, None).await)
                .await?;
        }
        Ok(())
    }

    async fn delivered(&self, record: &Record) {
        while !self.is_over() {
            let missing = Count::missing(self.stage, record).len();
            if missing == 0 {
                return;
            }
            self.look(format!("{missing} deliveries awaited")).await;
        }
    }

    /// History may be behind: what it shows of each user, it shows of all that began before.
    async fn folded(&self, record: &Record) -> Result<()> {
        let mut last = Vec::new();
        for token in &self.stage.tokens {
            let id = fresh();
            let body = json!({ "id": id });
            let api = self.api.keyed(&id);
            let answer = self.taken(202, async || api.request(token, COLLECT, &body).await).await?;
            last.push(answer.json()["executionId"].as_str().unwrap_or_default().to_owned());
            collected(&id).iter().for_each(|id| record.acknowledge("collected item", id));
        }
        for execution in last {
            let path = format!("/task-history/workflow-executions/{execution}");
            while !self.is_over() {
                let run = self.api.call(Method::GET, &path, API_KEY, None).await?;
                if run.status == 200 && run.json()["dateEnded"] != Value::Null {
                    break;
                }
                self.look("history is to show the last executions".to_owned()).await;
            }
        }
        Ok(())
    }

    async fn ended(&self) -> Result<()> {
        while !self.is_over() {
            let open = self.api.executions(API_KEY, "EXECUTING").await?
                + self.api.executions(API_KEY, "DELAYED").await?;
            if open == 0 {
                return Ok(());
            }
            self.look(format!("{open} executions open")).await;
        }
        Ok(())
    }

    /// Sends until it is answered so: what has just been mended may say that it is busy.
    async fn taken(&self, status: u16, send: impl AsyncFn() -> Result<Answer>) -> Result<Answer> {
        loop {
            let answer = send().await?;
            if answer.status == status {
                return Ok(answer);
            }
            if self.is_over() || !matches!(answer.status, 429 | 503) {
                bail!("at the end: {}", answer.shown());
            }
            self.look("the node is busy".to_owned()).await;
        }
    }
}
