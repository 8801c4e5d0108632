//! Schedules: set when their workflow is switched on, and again whenever they fire.
//!
//! What a schedule would start is looked at when its moment comes: one whose workflow, account,
//! user or integration is gone or off waits for no further moment, until it is set again.

use super::permission::Permissions;
use super::run::{Start, start};
use super::user::user_row;
use super::{DECISION_EVENTS_MAX, Given, Halt, Open, Rejected, project_of, user_key};
use crate::command::{Command, FireSchedule, SetSchedule};
use crate::config::Project;
use crate::event::{Event, ScheduleFired, ScheduleSet, TriggerKind};
use crate::id::{CredentialId, WorkflowId};
use crate::meta::Recorded;
use crate::payload::Payload;
use crate::state::{Credential, Execution, Lineage, User, apply, schedule_id};
use crate::time::Timestamp;
use crate::workflow::reference::Needs;
use crate::workflow::schedule::Unscheduled;
use crate::workflow::{Schedule, Scope, Trigger, Workflow};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a schedule runs, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    workflow: &'a Arc<Workflow>,
    version: i32,
    schedule: &'a Schedule,
    credential: CredentialId,
    /// The user's account.
    account: &'a Credential,
}

/// The schedule of a workflow, if it is deployed and has one.
fn scheduled(project: &Project, workflow: WorkflowId) -> Option<(i32, &Arc<Workflow>, &Schedule)> {
    let (version, workflow) = project.released(workflow)?;
    match &workflow.trigger {
        Trigger::Schedule(schedule) => Some((version, workflow, schedule)),
        _ => None,
    }
}

impl<'a> Wanted<'a> {
    /// What a schedule of the user would run now; `None`: nothing.
    fn of(
        project: &'a Project,
        user: &'a User,
        (workflow, credential): (WorkflowId, CredentialId),
    ) -> Option<Self> {
        let account = user.credentials.get(&credential)?;
        let is_on = !user.disabled && account.enabled.contains(&workflow);
        let integration = project.integrations.get(&account.integration)?;
        let (version, workflow, schedule) =
            scheduled(project, workflow).filter(|_| is_on && integration.active)?;
        let missing = account.missing(workflow.id, (&integration.inputs, &workflow.inputs));
        missing.is_empty().then_some(Self { workflow, version, schedule, credential, account })
    }

    /// What it waits for next.
    fn next(
        self,
        given: &Given<'_>,
        open: &mut dyn Open,
        command: &Recorded<Command>,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<Event, Halt> {
        self.next_since(given, open, command, (given.now, metadata)).map(|(next, _)| next)
    }

    /// What it waits for next, and how many moments have passed since one.
    fn next_since(
        self,
        given: &Given<'_>,
        open: &mut dyn Open,
        command: &Recorded<Command>,
        (since, metadata): (Timestamp, Option<&Map<String, Value>>),
    ) -> Result<(Event, i32), Halt> {
        let scope = match self.schedule.follows_user() {
            true => self.scope(given, open, command, metadata)?,
            false => Scope::default(),
        };
        let id = schedule_id(self.workflow.id, self.credential);
        let lot = xxhash_rust::xxh3::xxh3_64(id.bytes());
        let set = |due, at, code: &str| {
            let (workflow, credential) = (self.workflow.id, self.credential);
            let (version, code) = (self.version, code.to_owned());
            Event::ScheduleSet(ScheduleSet { workflow, credential, version, due, at, code })
        };
        let last = given.now.max(since);
        #[cfg(feature = "canary")]
        let last = match crate::canary::planted(crate::canary::Canary::RepeatedMoment) {
            true => since.plus_ms(-1),
            false => last,
        };
        let next = || -> Result<(Timestamp, Timestamp, i32), Unscheduled> {
            let moments = self.schedule.moments(&self.schedule.zone(&scope)?)?;
            let due = moments.after(last)?;
            Ok((due, moments.spread(due, lot)?, moments.between(since, given.now)))
        };
        Ok(match next() {
            Ok((due, at, missed)) => (set(Some(due), Some(at), ""), missed),
            Err(error) => (set(None, None, error.code()), 0),
        })
    }

    /// What the time zone may refer to. `metadata`: the user's as it is about to be.
    fn scope(
        self,
        given: &Given<'_>,
        open: &mut dyn Open,
        command: &Recorded<Command>,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<Scope, Halt> {
        let (_, user) = user_key(command)?;
        let id = schedule_id(self.workflow.id, self.credential);
        let run = Execution {
            project: command.meta.project,
            user,
            workflow: self.workflow.id,
            version: self.version,
            integration: self.account.integration,
            credential: self.credential,
            trigger: TriggerKind::Schedule,
            started_at: given.now,
            trigger_output: Payload::empty(),
            command: command.meta.command_id,
            body_hash: None,
            correlation_id: command.meta.correlation_id,
            wants_response: false,
            outputs: BTreeMap::new(),
            pending: None,
            task_count: 0,
        };
        let lineage = Lineage { id, run: &run, nest: None, within: Vec::new() };
        let needs = Needs { settings: true, ..Needs::default() };
        let mut scope = open.scope(&lineage, &needs)?;
        if let Some(metadata) = metadata {
            scope.settings.extend(metadata.clone());
            scope.settings.insert("metadata".into(), Value::Object(metadata.clone()));
        }
        Ok(scope)
    }
}

/// A decision on a user, with the schedules that are to be set because of it: of what it switches on
/// or completes, and those whose time zone may follow what it says of the user. What one decision
/// has no room for, an owner finds when it looks through its users.
pub(super) fn after(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    mut events: Vec<Event>,
) -> Result<Vec<Event>, Halt> {
    let project = project_of(given, command)?;
    if project.scheduled().next().is_none() {
        return Ok(events);
    }
    let (key, _) = user_key(command)?;
    let before = user_row(given, &key).cloned().unwrap_or_default();
    let mut user = before.clone();
    events.iter().for_each(|event| apply(&mut user, event, given.now));
    let metadata = events.iter().find_map(described);
    let accounts = user.credentials.iter();
    let places = accounts.flat_map(|(id, account)| account.enabled.iter().map(|on| (*on, *id)));
    for place in places {
        let Some(wanted) = Wanted::of(project, &user, place) else { continue };
        let is_new = Wanted::of(project, &before, place).is_none();
        let may_move = metadata.is_some() && wanted.schedule.follows_user();
        if (is_new || may_move) && events.len() < DECISION_EVENTS_MAX {
            events.push(wanted.next(given, open, command, metadata.as_ref())?);
        }
    }
    Ok(events)
}

/// The user's metadata as it is about to be, if it changes.
fn described(event: &Event) -> Option<Map<String, Value>> {
    match event {
        Event::UserDescribed(e) => match &e.sealed {
            Payload::Open(bytes) => serde_json::from_slice(bytes).ok(),
            Payload::Sealed(_) => None,
        },
        _ => None,
    }
}

/// The configuration has changed, or an owner took over: sets a schedule that is not set as it is
/// deployed.
pub(super) fn set(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &SetSchedule,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let project = project_of(given, command)?;
    let user = user_row(given, &key);
    let wanted = user.and_then(|user| Wanted::of(project, user, (c.workflow, c.credential)));
    let set = given.rows.schedule(schedule_id(c.workflow, c.credential));
    match wanted {
        Some(wanted) if set.is_none_or(|set| is_other(project, set, wanted.version)) => {
            Ok(vec![wanted.next(given, open, command, None)?])
        }
        Some(_) | None => {
            Err(Rejected::new("SCHEDULE_KEPT", "The schedule is set as it is deployed.").into())
        }
    }
}

/// Whether another version of a workflow has another schedule than the one that is set.
pub fn is_other(project: &Project, set: &crate::state::Schedule, version: i32) -> bool {
    let of = |version| project.workflow(set.workflow, version).map(|workflow| &workflow.trigger);
    set.version != version && of(set.version) != of(version)
}

pub(super) fn fire(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &FireSchedule,
) -> Result<Vec<Event>, Halt> {
    let (key, _) = user_key(command)?;
    let set = given.rows.schedule(schedule_id(c.workflow, c.credential));
    let waits = set.is_some_and(|set| set.at == c.at);
    #[cfg(feature = "canary")]
    let waits = waits || crate::canary::planted(crate::canary::Canary::StaleMoment);
    let Some(set) = set.filter(|_| waits) else {
        return Err(Rejected::new("TIMER_LATE", "The schedule has fired.").into());
    };
    let project = project_of(given, command)?;
    let user = user_row(given, &key);
    let wanted = user.and_then(|user| Wanted::of(project, user, (c.workflow, c.credential)));
    let Some(wanted) = wanted else {
        let (workflow, credential, version) = (c.workflow, c.credential, set.version);
        let (due, at, code) = (None, None, "WORKFLOW_DISABLED".to_owned());
        return Ok(vec![ScheduleSet { workflow, credential, version, due, at, code }.into()]);
    };
    let (next, missed) = wanted.next_since(given, open, command, (set.due, None))?;
    // The moment was one of the schedule that was set then; if that is another now, it is gone.
    let is_kept = !is_other(project, set, wanted.version);
    let is_permitted = Permissions::of(given, &key).permit(open, wanted.workflow)?;
    let is_let_go = wanted.schedule.lets_go(given.now.since_ms(set.at));
    let starts = is_kept && is_permitted && !is_let_go;
    let mut events = vec![Event::ScheduleFired(ScheduleFired {
        workflow: c.workflow,
        credential: c.credential,
        due: set.due,
        missed,
        executions: i32::from(starts),
    })];
    if starts {
        let detail = wanted.schedule.in_words();
        let sealed = Payload::json(&json!({}));
        let one = Start {
            workflow: wanted.workflow,
            version: wanted.version,
            credential: wanted.credential,
            trigger: TriggerKind::Schedule,
            detail: &detail,
            wants_response: false,
            size: 2,
            sealed: &sealed,
        };
        start(given, open, command, (0, &one), &mut events)?;
    }
    events.push(next);
    Ok(events)
}
