//! What a call waits for: its timers and its requests.

use super::Call;
use super::alarm::Alarm;
use super::host::{Arguments, failed};
use super::pool::Pool;
use crate::http::{self, Client};
use domain::id::ProjectId;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use rquickjs::Ctx;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use url::Url;

/// Timers of a call at a time.
const TIMERS_MAX: usize = 10_000;
/// Requests of a call.
const REQUESTS_MAX: usize = 1000;
/// Requests of a call at a time; more wait.
const UNDER_WAY_MAX: usize = 8;
/// How long a call waits before it looks whether anybody waits for it.
const PATIENCE: Duration = Duration::from_millis(20);

/// The way to the network: the client, and the threads that its work is done on.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) client: Client,
    pub(super) handle: Handle,
}

/// Where a call's requests go, and whose thread waits for them.
pub(super) struct Way {
    pub(super) network: Option<Network>,
    pub(super) pool: Arc<Pool>,
}

/// What a call waits for.
pub(super) struct Outside {
    network: Option<Network>,
    pool: Arc<Pool>,
    project: ProjectId,
    bytes_max: usize,
    timeout_ms: u32,
    runs: u8,
    state: RefCell<State>,
    happened: Receiver<(u32, Answered)>,
    tell: Sender<(u32, Answered)>,
}

type Answered = Result<http::Answer, http::Error>;

#[derive(Default)]
struct State {
    due: BTreeSet<(Instant, u32)>,
    timers: HashMap<u32, Instant>,
    waiting: VecDeque<(u32, http::Call)>,
    under_way: HashMap<u32, AbortHandle>,
    asked: usize,
}

/// Something that a call waited for.
pub(super) enum Happening {
    /// A timer is due.
    Timer(u32),
    /// A request was answered.
    Answer(u32, Box<Answered>),
}

impl Outside {
    /// Nothing to wait for yet. All answers under way hold at most `bytes_max` bytes, as does
    /// whatever the host unpacks at a time.
    pub(super) fn new(way: &Way, call: &Call) -> Self {
        let (tell, happened) = channel();
        Self {
            network: way.network.clone(),
            pool: Arc::clone(&way.pool),
            project: call.tenant.project,
            bytes_max: way.pool.options.limits.memory_bytes_max / 4,
            timeout_ms: call.timeout_ms,
            runs: call.runs,
            state: RefCell::default(),
            happened,
            tell,
        }
    }

    /// Largest piece that the host hands to the engine, in bytes.
    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Starts a timer.
    pub(super) fn start_timer(&self, ctx: &Ctx<'_>, id: u32, ms: u32) -> rquickjs::Result<()> {
        let mut state = self.state.borrow_mut();
        if state.timers.len() >= TIMERS_MAX {
            return Err(failed(ctx, "the function has too many timers"));
        }
        let at = Instant::now() + Duration::from_millis(u64::from(ms));
        state.timers.insert(id, at);
        state.due.insert((at, id));
        Ok(())
    }

    /// Starts a request, or lets it wait for its turn: id, method, URL, headers, body.
    pub(super) fn start_request<'js>(
        &self,
        ctx: &Ctx<'js>,
        given: &Arguments<'_, 'js>,
    ) -> rquickjs::Result<()> {
        let mut state = self.state.borrow_mut();
        state.asked += 1;
        if self.network.is_none() || state.asked > REQUESTS_MAX {
            return Err(failed(ctx, "the function cannot send any more requests"));
        }
        let url = Url::parse(&given.text(3)?).map_err(|_| failed(ctx, "Invalid URL"))?;
        let method = Method::from_bytes(given.text(2)?.as_bytes());
        let mut headers = HeaderMap::new();
        for pair in given.texts(4)?.chunks_exact(2) {
            let name = HeaderName::from_bytes(pair[0].as_bytes());
            let value = HeaderValue::from_bytes(pair[1].as_bytes());
            match (name, value) {
                (Ok(name), Ok(value)) => headers.append(name, value),
                _ => return Err(failed(ctx, "Invalid character in header content")),
            };
        }
        let call = http::Call {
            method: method.map_err(|_| failed(ctx, "Invalid method"))?,
            url,
            headers,
            body: given.bytes(5)?.into(),
            // The library that asked follows them, one by one.
            follows_redirects: false,
            runs: self.runs,
            timeout_ms: self.timeout_ms,
            body_bytes_max: (self.bytes_max / UNDER_WAY_MAX) as u64,
        };
        state.waiting.push_back((given.number(1)?, call));
        self.send_waiting(&mut state);
        Ok(())
    }

    fn send_waiting(&self, state: &mut State) {
        let Some(network) = &self.network else { return };
        while state.under_way.len() < UNDER_WAY_MAX {
            let Some((id, call)) = state.waiting.pop_front() else { return };
            let (client, tell) = (network.client.clone(), self.tell.clone());
            let task = network.handle.spawn(async move {
                let answer = client.send(call).await;
                // A call that has ended does not listen any more.
                let _ = tell.send((id, answer));
            });
            state.under_way.insert(id, task.abort_handle());
        }
    }

    /// Ends a timer or a request.
    pub(super) fn cancel(&self, id: u32) {
        let mut state = self.state.borrow_mut();
        if let Some(at) = state.timers.remove(&id) {
            state.due.remove(&(at, id));
        }
        state.waiting.retain(|(waiting, _)| *waiting != id);
        if let Some(task) = state.under_way.remove(&id) {
            task.abort();
        }
        self.send_waiting(&mut state);
    }

    /// Waits for the next thing to happen; `None`: nothing can, or the call's time is over. While it
    /// waits, its thread does not count.
    pub(super) fn next(&self, alarm: &Alarm) -> Option<Happening> {
        let mut resting = None;
        while !alarm.rings() {
            let now = Instant::now();
            let (first, is_idle) = {
                let state = self.state.borrow();
                (state.due.first().copied(), state.under_way.is_empty())
            };
            if let Some((at, id)) = first.filter(|(at, _)| *at <= now) {
                let mut state = self.state.borrow_mut();
                state.due.remove(&(at, id));
                state.timers.remove(&id);
                return Some(Happening::Timer(id));
            }
            if first.is_none() && is_idle {
                return None;
            }
            let patience = first.map_or(PATIENCE, |(at, _)| PATIENCE.min(at - now));
            match self.happened.try_recv() {
                Ok(told) => return Some(self.answered(told)),
                Err(_) => {
                    resting = resting.or_else(|| self.pool.rest(self.project));
                    match self.happened.recv_timeout(patience) {
                        Ok(told) => return Some(self.answered(told)),
                        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                    }
                }
            }
        }
        None
    }

    fn answered(&self, (id, answer): (u32, Answered)) -> Happening {
        let mut state = self.state.borrow_mut();
        state.under_way.remove(&id);
        self.send_waiting(&mut state);
        Happening::Answer(id, Box::new(answer))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        for task in self.state.get_mut().under_way.values() {
            task.abort();
        }
    }
}
