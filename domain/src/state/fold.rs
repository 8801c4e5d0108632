//! Events into rows. Folding a run twice gives the same rows as folding it once.

mod fan_out;
mod replay;
pub(crate) mod user;

use super::*;
use crate::answer;
use crate::decide::REUSED;
use crate::event::{
    CredentialLinked, Event, ExecutionStarted, SlotsAsked, SlotsGranted, StepPaused, StepReady,
    StepSucceeded, StepsStarted, WebhookReceived,
};
use crate::meta::Meta;

/// Folds one complete decision. The rows that [`touched`] named for its command are loaded.
pub fn fold(rows: &mut Rows, run: &[Recorded<Event>]) {
    let Some(first) = run.first() else { return };
    if let Some(tell) = first.meta.command_id.told() {
        heard(rows, tell);
    } else if remembered(&first.body) {
        let bodies: Vec<Event> = run.iter().map(|recorded| recorded.body.clone()).collect();
        let seen = Seen {
            at: first.meta.occurred_at,
            body_hash: first.meta.body_hash,
            answer: answer::of(&bodies),
        };
        rows.put_for_a_while(RowKey::Seen(first.meta.command_id), Row::Seen(seen));
    }
    for recorded in run {
        fold_one(rows, &recorded.meta, &recorded.body);
    }
}

/// A repeat, which comes late, changes nothing.
fn heard(rows: &mut Rows, tell: Telling) {
    if rows.heard(tell.partition).is_none_or(|last| last < tell) {
        rows.put(RowKey::Heard(tell.partition), Row::Heard(tell));
    }
}

/// Whether a repeat of the command would otherwise be decided anew. Outcomes, timers, asks and grants
/// are recognised by the state that they change.
pub(super) fn remembered(first: &Event) -> bool {
    match first {
        Event::EventReceived(_)
        | Event::ExecutionStarted(_)
        | Event::CredentialConnected(_)
        | Event::CredentialRemoved(_)
        | Event::WorkflowSwitched(_)
        | Event::SettingsSaved(_)
        | Event::UserDescribed(_)
        | Event::UserSwitched(_)
        | Event::UserDeleted(_)
        | Event::WebhookReceived(_)
        | Event::WebhookReplayed(_)
        | Event::ReplayRequested(_)
        | Event::ExecutionsReplayRequested(_)
        | Event::ExecutionPaused(_)
        | Event::ExecutionResumed(_)
        // An apply that arrives again, late, would revert a newer one.
        | Event::ProjectConfigured(_)
        | Event::IntegrationConfigured(_)
        | Event::WorkflowSaved(_)
        | Event::WorkflowReleased(_)
        | Event::VersionNamed(_)
        | Event::ParkedSettled(_)
        | Event::AppEventDefined(_)
        | Event::SecretSet(_)
        | Event::ApiKeySet(_)
        // A cancel begins so, or what ends a run that cannot go on.
        | Event::ExecutionFinished(_) => true,
        // The first answer of the key stays.
        Event::CommandRejected(e) if e.code == REUSED => false,
        // What cannot be read has no name, and may be a damaged repeat.
        Event::CommandRejected(e) if e.command.is_empty() => false,
        Event::CommandRejected(e) => {
            !matches!(
                e.command.as_str(),
                "RecordOutcome"
                    | "RecordPage"
                    | "FireTimer"
                    | "PauseStep"
                    | "ResumeStep"
                    | "LoseStep"
                    | "AskSlots"
                    | "SetSchedule"
                    | "FireSchedule"
                    | "ContinueReplay"
            )
        }
        _ => false,
    }
}

fn fold_one(rows: &mut Rows, meta: &Meta, event: &Event) {
    match event {
        Event::CredentialConnected(_)
        | Event::CredentialRemoved(_)
        | Event::WorkflowSwitched(_)
        | Event::SettingsSaved(_)
        | Event::IntegrationEnabled(_)
        | Event::UserDescribed(_)
        | Event::UserSwitched(_)
        | Event::UserDeleted(_) => user::fold(rows, meta, event),
        Event::ExecutionStarted(e) => started(rows, meta, e),
        Event::FanOutStarted(_)
        | Event::ItemsPaged(_)
        | Event::ItemStarted(_)
        | Event::ItemFinished(_)
        | Event::PageFetched(_) => fan_out::fold(rows, meta, event),
        Event::StepReady(e) => ready(rows, meta, e),
        Event::StepPaused(e) => paused(rows, meta, e),
        Event::ExecutionTested(e) => fan_out::tested(rows, e),
        Event::ExecutionPaused(e) => fan_out::set_paused(rows, e.execution, true),
        Event::ExecutionResumed(e) => fan_out::set_paused(rows, e.execution, false),
        Event::StepKept(e) => {
            ended(rows, e.execution, e.index, Some(e.sealed.clone()));
        }
        Event::StepsStarted(e) => begun(rows, meta, e),
        Event::StepSucceeded(e) => succeeded(rows, e),
        Event::StepFailed(e) => {
            let output = e.continued.then(|| e.sealed.clone());
            ended(rows, e.execution, e.index, output);
        }
        Event::Responded(e) => {
            let answer = answer::responded(std::slice::from_ref(event));
            responded(rows, meta, e.execution, answer);
        }
        Event::ExecutionFinished(e) => {
            let answer = answer::responded(std::slice::from_ref(event));
            responded(rows, meta, e.execution, answer);
            fan_out::over(rows, e.execution);
        }
        Event::ScheduleSet(e) => schedule::set(rows, meta, e),
        Event::WebhookReceived(e) => webhook(rows, meta, e),
        Event::CredentialLinked(e) => linked(rows, meta, e),
        Event::ReplayRequested(_)
        | Event::ExecutionsReplayRequested(_)
        | Event::ReplayContinued(_) => replay::fold(rows, meta, event),
        Event::SlotsAsked(e) => asked(rows, meta, e),
        Event::SlotsGranted(e) => granted(rows, e),
        Event::OwnershipClaimed(_)
        | Event::CommandRejected(_)
        | Event::CommandRepeated(_)
        | Event::EventReceived(_)
        | Event::StartsDeferred(_)
        | Event::WebhookSpread(_)
        | Event::ScheduleFired(_)
        | Event::WebhookReplayed(_)
        | Event::ExecutionReplayed(_)
        | Event::SlotsHeld(_)
        | Event::OutcomesAdmitted(_)
        | Event::ProjectConfigured(_)
        | Event::IntegrationConfigured(_)
        | Event::WorkflowSaved(_)
        | Event::WorkflowReleased(_)
        | Event::VersionNamed(_)
        | Event::ParkedSettled(_)
        | Event::AppEventDefined(_)
        | Event::SecretSet(_)
        | Event::ApiKeySet(_)
        | Event::PayloadsUnsealed(_) => {}
    }
}

fn started(rows: &mut Rows, meta: &Meta, e: &ExecutionStarted) {
    let Some(Key::User(project, user)) = meta.parsed_key() else { return };
    let execution = Execution {
        project,
        user,
        workflow: e.workflow,
        version: e.version,
        integration: e.integration,
        credential: e.credential,
        trigger: e.trigger,
        started_at: meta.occurred_at,
        trigger_output: e.sealed.clone(),
        command: meta.command_id,
        body_hash: meta.body_hash,
        correlation_id: meta.correlation_id,
        wants_response: e.wants_response,
        outputs: BTreeMap::new(),
        pending: None,
        task_count: 0,
    };
    rows.put(RowKey::Execution(e.execution), Row::Execution(Box::new(execution)));
}

fn ready(rows: &mut Rows, meta: &Meta, e: &StepReady) {
    let (step, kind, attempt) = (e.step, e.kind, e.attempt);
    let (index, due) = (index_in(e.index), Due::of(e.due));
    let pending = Pending { step, index, kind, attempt, due, since: meta.event_id };
    set_pending(rows, e.execution, Some(pending));
}

fn paused(rows: &mut Rows, meta: &Meta, e: &StepPaused) {
    let (step, kind, attempt) = (e.step, e.kind, e.attempt);
    let (index, due) = (index_in(e.index), Due::Resumed);
    let pending = Pending { step, index, kind, attempt, due, since: meta.event_id };
    set_pending(rows, e.execution, Some(pending));
}

/// Steps that wait for their turn begin. What was appended twice, and comes late, finds them gone on.
fn begun(rows: &mut Rows, meta: &Meta, e: &StepsStarted) {
    for started in &e.steps {
        let key = RowKey::Execution(started.execution);
        let Some(run) = rows.execution(&key) else { continue };
        let waits = |pending: &&Pending| pending.due == Due::Now && pending.since == started.since;
        let Some(pending) = run.pending.as_ref().filter(waits).cloned() else { continue };
        let pending = Pending { due: Due::Begun, ..pending };
        let index = index_of(run, started.execution, &pending);
        set_pending(rows, started.execution, Some(pending));
        let start = Start { node: e.node.clone(), at: meta.occurred_at };
        rows.put(index, Row::Started(start));
    }
}

/// A number of a page or an item, as events have it.
fn number_in(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// The position of a step, as events have it.
fn index_in(index: i32) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn succeeded(rows: &mut Rows, e: &StepSucceeded) {
    let is_new = ended(rows, e.execution, e.index, Some(e.sealed.clone()));
    if is_new && let Some(run) = rows.execution_mut(&RowKey::Execution(e.execution)) {
        run.task_count += e.kind.tasks();
    }
}

/// A step is over: it waits no more, and what it gave can be referred to. Whether that is new: a
/// step gives something once, so a success that is folded again is not counted again.
fn ended(rows: &mut Rows, execution: ExecutionId, index: i32, output: Option<Payload>) -> bool {
    let index = index_in(index);
    let key = RowKey::Execution(execution);
    let waits = rows.execution(&key).and_then(|run| run.pending.as_ref());
    if waits.is_some_and(|pending| pending.index == index) {
        set_pending(rows, execution, None);
    }
    match (output, rows.execution_mut(&key)) {
        (Some(output), Some(run)) => run.outputs.insert(index, output).is_none(),
        _ => false,
    }
}

/// Sets what the run waits for, with the rows that find it: the queue's or the timers'.
fn set_pending(rows: &mut Rows, id: ExecutionId, pending: Option<Pending>) {
    let key = RowKey::Execution(id);
    let Some(run) = rows.execution_mut(&key) else { return };
    let old = run.pending.as_ref().map(|old| index_of(run, id, old));
    let new = pending.as_ref().map(|new| index_of(run, id, new));
    run.pending = pending;
    if let Some(old) = old {
        rows.remove(&old);
    }
    if let Some(new) = new {
        rows.put(new, Row::Waits);
    }
}

fn index_of(run: &Execution, id: ExecutionId, pending: &Pending) -> RowKey {
    match pending.due {
        Due::Now => RowKey::Ready(run.project, run.user.clone(), pending.since, id),
        Due::At(due) => RowKey::Timer(due, id),
        Due::Resumed => RowKey::Paused(run.integration, id),
        Due::Begun => RowKey::Started(run.project, run.user.clone(), pending.since, id),
    }
}

/// Whether the event may be an answer to the caller of a run.
pub(super) fn may_answer(event: &Event) -> bool {
    matches!(event, Event::Responded(_) | Event::ExecutionFinished(_))
}

/// The caller of the run got its answer: a repeat of the call gets the same.
fn responded(rows: &mut Rows, meta: &Meta, id: ExecutionId, answer: Option<answer::Answer>) {
    let Some(run) = rows.execution_mut(&RowKey::Execution(id)) else { return };
    if !run.wants_response {
        return;
    }
    run.wants_response = false;
    let (command, body_hash) = (run.command, run.body_hash);
    let seen = Seen { at: meta.occurred_at, body_hash, answer };
    rows.put_for_a_while(RowKey::Seen(command), Row::Seen(seen));
}

fn webhook(rows: &mut Rows, meta: &Meta, e: &WebhookReceived) {
    if e.repeated || e.delivery.is_empty() || e.verdict != crate::event::Verdict::Verified {
        return;
    }
    let key = RowKey::Delivery(meta.project, e.integration, e.delivery.clone());
    rows.put_for_a_while(key, Row::Delivery(meta.occurred_at));
}

fn linked(rows: &mut Rows, meta: &Meta, e: &CredentialLinked) {
    let mut accounts = vec![Account::Credential(e.recipient.credential)];
    if !e.provider_id.is_empty() {
        accounts.push(Account::Provider(e.provider_id.clone()));
    }
    for account in accounts {
        let key = RowKey::Link(meta.project, e.integration, account);
        let mut link = rows.link(&key).cloned().unwrap_or_default();
        if e.linked {
            link.insert(e.recipient.clone());
        } else {
            link.remove(&e.recipient);
        }
        if link.is_empty() {
            rows.remove(&key);
        } else {
            rows.put(key, Row::Link(link));
        }
    }
}

/// The lane said what it uses: what it was promised beyond that is free again.
fn asked(rows: &mut Rows, meta: &Meta, e: &SlotsAsked) {
    let key = RowKey::Budget(e.project);
    let mut budget = rows.budget(&key).cloned().unwrap_or_default();
    let lane = budget.lanes.entry(e.lane).or_default();
    lane.wanted = e.wanted;
    lane.promised = e.busy;
    lane.held = e.busy;
    lane.asked = meta.command_id.asked();
    rows.put(key, Row::Budget(budget));
}

fn granted(rows: &mut Rows, e: &SlotsGranted) {
    let Some(budget) = rows.budget_mut(&RowKey::Budget(e.project)) else { return };
    budget.serial = e.serial;
    let lane = budget.lanes.entry(e.lane).or_default();
    lane.promised = lane.promised.max(e.held);
    lane.held = e.held;
}
