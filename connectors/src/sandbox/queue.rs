//! Calls that wait for a thread, and who may have the next one.

use super::outside::Network;
use super::{Call, Fault, Tenant};
use domain::id::ProjectId;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::oneshot;

/// A call on its way.
pub(super) struct Task {
    pub(super) call: Call,
    pub(super) ticket: Arc<Ticket>,
    /// What it may send requests by.
    pub(super) network: Option<Network>,
    pub(super) reply: oneshot::Sender<Result<Value, Fault>>,
}

/// What the caller can see of its call.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    /// When it got a thread.
    pub(super) begun: std::sync::OnceLock<Instant>,
    /// Whether nobody waits for it any more.
    pub(super) abandoned: Arc<AtomicBool>,
    /// Whether it was given up although its thread is still in it.
    pub(super) lost: AtomicBool,
}

/// Waiting calls: tenants take turns, and a project has at most `project_threads_max` threads.
#[derive(Default)]
pub(super) struct Queue {
    waiting: HashMap<Tenant, VecDeque<Task>>,
    turn: VecDeque<Tenant>,
    running: HashMap<ProjectId, usize>,
    count: usize,
}

impl Queue {
    /// Calls that wait.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Puts a call at the end of its tenant's line.
    pub(super) fn push(&mut self, task: Task) {
        let tenant = &task.call.tenant;
        match self.waiting.get_mut(tenant) {
            Some(line) => line.push_back(task),
            None => {
                let tenant = tenant.clone();
                self.turn.push_back(tenant.clone());
                self.waiting.insert(tenant, VecDeque::from([task]));
            }
        }
        self.count += 1;
    }

    /// The next call that may run; it counts as running until `done`.
    pub(super) fn pop(&mut self, project_threads_max: usize) -> Option<Task> {
        for _ in 0..self.turn.len() {
            let tenant = self.turn.pop_front()?;
            let running = self.running.get(&tenant.project).copied().unwrap_or(0);
            if running >= project_threads_max {
                self.turn.push_back(tenant);
                continue;
            }
            if let Some(task) = self.take(&tenant) {
                self.running.insert(tenant.project, running + 1);
                return Some(task);
            }
        }
        None
    }

    /// The tenant's first call that somebody still waits for. It goes back in line if it has more.
    fn take(&mut self, tenant: &Tenant) -> Option<Task> {
        let line = self.waiting.get_mut(tenant)?;
        let mut found = None;
        while let Some(task) = line.pop_front() {
            self.count -= 1;
            if !task.ticket.abandoned.load(Ordering::Relaxed) {
                found = Some(task);
                break;
            }
        }
        match line.is_empty() {
            true => drop(self.waiting.remove(tenant)),
            false => self.turn.push_back(tenant.clone()),
        }
        found
    }

    /// A call that was counted out goes on: it counts as running again, whatever the bound.
    pub(super) fn again(&mut self, project: ProjectId) {
        *self.running.entry(project).or_default() += 1;
    }

    /// A call of the project is over.
    pub(super) fn done(&mut self, project: &ProjectId) {
        match self.running.get_mut(project) {
            Some(running) if *running > 1 => *running -= 1,
            Some(_) => drop(self.running.remove(project)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn tenant(project: u128, user: &str) -> Tenant {
        Tenant { project: ProjectId(Uuid::from_u128(project)), user: user.to_owned() }
    }

    fn task(project: u128, user: &str, code: &str) -> Task {
        let call = Call {
            id: uuid::Uuid::nil(),
            tenant: tenant(project, user),
            code: code.to_owned(),
            parameters: "{}".to_owned(),
            timeout_ms: 1,
            output_bytes_max: 1,
            runs: 1,
        };
        Task { call, ticket: Arc::default(), network: None, reply: oneshot::channel().0 }
    }

    fn codes(queue: &mut Queue, threads_max: usize) -> Vec<String> {
        std::iter::from_fn(|| queue.pop(threads_max)).map(|task| task.call.code).collect()
    }

    #[test]
    fn tenants_take_turns() {
        let mut queue = Queue::default();
        for code in ["a1", "a2", "a3"] {
            queue.push(task(1, "a", code));
        }
        queue.push(task(2, "b", "b1"));
        assert_eq!(codes(&mut queue, 9), ["a1", "b1", "a2", "a3"]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_project_at_its_bound_lets_others_pass() {
        let mut queue = Queue::default();
        for code in ["a1", "a2"] {
            queue.push(task(1, code, code));
        }
        queue.push(task(2, "b", "b1"));
        assert_eq!(codes(&mut queue, 1), ["a1", "b1"]);
        queue.done(&ProjectId(Uuid::from_u128(1)));
        assert_eq!(codes(&mut queue, 1), ["a2"]);
    }

    #[test]
    fn a_call_that_nobody_waits_for_is_passed_over() {
        let mut queue = Queue::default();
        let gone = task(1, "a", "a1");
        gone.ticket.abandoned.store(true, Ordering::Relaxed);
        queue.push(gone);
        queue.push(task(1, "a", "a2"));
        assert_eq!(codes(&mut queue, 9), ["a2"]);
        assert_eq!(queue.len(), 0);
    }
}
