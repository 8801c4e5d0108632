//! What people do with executions while everything else goes on: pause and resume them, and run
//! them again, one by one and many at once. Whoever gets no answer asks again with the same key.

use super::parcel::fresh;
use super::workflows::{HOLD, held};
use super::{Record, Stage, USERS};
use crate::harness::{Answer, Api};
use anyhow::Result;
use fastrand::Rng;
use hyper::Method;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Who pauses, resumes and repeats.
const STEERERS: usize = 6;
/// When an execution is paused, after it was begun; it takes two seconds.
const BEGUN_MS: std::ops::Range<u64> = 0..1_500;
/// How long one stays paused where no node goes away.
const HELD_MS: std::ops::Range<u64> = 500..4_000;
/// Of a replay of many in a second: slow enough that it goes on over kills.
const PER_SECOND: u32 = 24;
/// How long one waits for an answer, before one asks another node.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);
/// How long one asks.
const ASKING_MAX: Duration = Duration::from_secs(240);

/// One who steers.
pub(crate) struct Steerer {
    api: Api,
    admin_key: String,
    tokens: Vec<String>,
    /// Where nodes are; none while there is none.
    doors: watch::Receiver<Vec<SocketAddr>>,
    record: Arc<Record>,
    rng: Rng,
}

/// What is asked for.
enum Wish<'a> {
    /// A run of [`HOLD`] for a user.
    Begin(usize, &'a str),
    /// Something of the admin API.
    Admin(&'a str, Value),
    /// How far replays of many have come.
    Progress,
}

impl Steerer {
    /// Starts all of them; they go on until the record says stop.
    pub(crate) fn start(
        stage: &Stage,
        doors: &watch::Receiver<Vec<SocketAddr>>,
        record: &Arc<Record>,
        rng: &mut Rng,
        tasks: &mut JoinSet<()>,
    ) {
        for (execution, id) in &stage.originals {
            record.wishes().originals.insert(execution.clone());
            held(id).iter().for_each(|id| record.acknowledge("held", id));
        }
        let mut one = || Self {
            api: stage.api.clone(),
            admin_key: stage.admin_key.clone(),
            tokens: stage.tokens.clone(),
            doors: doors.clone(),
            record: Arc::clone(record),
            rng: rng.fork(),
        };
        for original in stage.originals.iter().take(STEERERS) {
            tasks.spawn(one().run(original.clone()));
        }
        let ids = stage.originals.iter().map(|(_, id)| id.clone()).collect();
        tasks.spawn(one().repeat(stage.begun_before.clone(), ids));
    }

    /// Each repeats what it had before; first something that had ended before everything.
    async fn run(mut self, mut last: (String, String)) {
        while !self.record.is_stopped() {
            let id = fresh();
            let Some(execution) = self.begin(&id).await else { return };
            let waited = self.rng.u64(BEGUN_MS);
            tokio::time::sleep(Duration::from_millis(waited)).await;
            if self.pause(&execution).await {
                self.hold().await;
                self.resume(&execution).await;
            }
            let (original, of) = std::mem::replace(&mut last, (execution, id));
            self.replay(&original, &of).await;
        }
    }

    async fn begin(&mut self, id: &str) -> Option<String> {
        let user = self.rng.usize(..USERS);
        let answer = self.ask(id, &Wish::Begin(user, id)).await?;
        let Some(execution) = named(&answer, "executionId").filter(|_| answer.status == 202) else {
            self.odd("begin", &answer);
            return None;
        };
        held(id).iter().for_each(|id| self.record.acknowledge("held", id));
        Some(execution)
    }

    /// Whether it was paused before it ended.
    async fn pause(&mut self, execution: &str) -> bool {
        let path = format!("/executions/{execution}/pause");
        let Some(answer) = self.ask(&fresh(), &Wish::Admin(&path, Value::Null)).await else {
            return false;
        };
        match answer.status {
            200 => self.record.wishes().paused.insert(execution.to_owned()),
            409 if has_ended(&answer) => false,
            _ => {
                self.odd("pause", &answer);
                false
            }
        }
    }

    async fn resume(&mut self, execution: &str) {
        let path = format!("/executions/{execution}/resume");
        let Some(answer) = self.ask(&fresh(), &Wish::Admin(&path, Value::Null)).await else {
            return;
        };
        match answer.status {
            200 => drop(self.record.wishes().resumed.insert(execution.to_owned())),
            // Its last step was at work when it was paused.
            409 if has_ended(&answer) => {}
            _ => self.odd("resume", &answer),
        }
    }

    async fn replay(&mut self, original: &str, id: &str) {
        let path = format!("/executions/{original}/replay");
        let Some(answer) = self.ask(&fresh(), &Wish::Admin(&path, json!({}))).await else { return };
        match named(&answer, "executionId").filter(|_| answer.status == 201) {
            Some(execution) => {
                held(id).iter().for_each(|id| self.record.again(id));
                self.record.wishes().replayed.insert(execution, original.to_owned());
            }
            None => self.odd("replay", &answer),
        }
    }

    /// Until a node has gone away and another is there, or long enough.
    async fn hold(&mut self) {
        let until = Instant::now() + Duration::from_millis(self.rng.u64(HELD_MS));
        self.doors.mark_unchanged();
        while Instant::now() < until && !self.record.is_stopped() {
            let moved = timeout(PAUSE, self.doors.changed()).await;
            if moved.is_ok() && !self.doors.borrow().is_empty() {
                return;
            }
        }
    }

    /// Repeats the same executions, and when that is done, again.
    async fn repeat(mut self, before: String, ids: Vec<String>) {
        let wanted = json!({
            "workflowId": HOLD, "ending": "SUCCEEDED", "beforeDate": before, "perSecond": PER_SECOND,
        });
        loop {
            let wish = Wish::Admin("/executions/replays", wanted.clone());
            let Some(answer) = self.ask(&fresh(), &wish).await else { return };
            let Some(replay) = named(&answer, "id").filter(|_| answer.status == 202) else {
                return self.odd("replay many", &answer);
            };
            ids.iter().flat_map(|id| held(id)).for_each(|id| self.record.again(&id));
            self.record.wishes().many.insert(replay.clone());
            while !self.is_done(&replay).await {
                if self.record.is_stopped() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
            if self.record.is_stopped() {
                return;
            }
        }
    }

    async fn is_done(&mut self, replay: &str) -> bool {
        let Some(answer) = self.ask(&fresh(), &Wish::Progress).await else { return false };
        let json = answer.json();
        let all = json["replays"].as_array().into_iter().flatten();
        let mut of = all.filter(|one| one["id"] == replay).peekable();
        of.peek().is_some() && of.all(|one| one["isDone"] == true)
    }

    /// Asks through one door after the other until a node has decided; `None`: none does for long.
    async fn ask(&mut self, key: &str, wish: &Wish<'_>) -> Option<Answer> {
        let begun = Instant::now();
        for n in self.rng.usize(..usize::MAX / 2).. {
            let door = {
                let doors = self.doors.wait_for(|doors| !doors.is_empty()).await.ok()?;
                doors[n % doors.len()]
            };
            let api = self.api.moved(door).keyed(key);
            match timeout(PATIENCE, self.send(&api, wish)).await {
                Ok(Ok(answer)) if !matches!(answer.status, 429 | 503) => return Some(answer),
                Ok(_) | Err(_) => {}
            }
            if begun.elapsed() > ASKING_MAX {
                self.record.wishes().odd.push(format!("no answer for {key}"));
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    async fn send(&self, api: &Api, wish: &Wish<'_>) -> Result<Answer> {
        match wish {
            Wish::Begin(user, id) => {
                api.request(&self.tokens[*user], HOLD, &json!({ "id": id })).await
            }
            Wish::Admin(path, body) => api.steer(path, &self.admin_key, body).await,
            Wish::Progress => api.admin(Method::GET, "/executions/replays", &self.admin_key).await,
        }
    }

    fn odd(&self, what: &str, answer: &Answer) {
        self.record.wishes().odd.push(format!("{what}: {}", answer.shown()));
    }
}

fn named(answer: &Answer, name: &str) -> Option<String> {
    answer.json()[name].as_str().map(str::to_owned)
}

fn has_ended(answer: &Answer) -> bool {
    answer.json()["meta"]["error"] == "EXECUTION_FINISHED"
}
