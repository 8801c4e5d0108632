//! Workflows, tried out.

use super::advance::{Walk, advance};
use super::replay::execution::{kept, place};
use super::run::{Start, begun};
use super::{Given, Halt, Open, Rejected, project_of, user_key};
use crate::command::{Command, TestWorkflow};
use crate::event::{Event, ExecutionTested};
use crate::id::ExecutionId;
use crate::meta::Recorded;
use crate::state::{Lineage, Nest, RowKey, TestRun};

/// Its user needs an account of the integration, and nothing else: what is tried out is not deployed
/// yet.
pub(super) fn run(
    given: &Given<'_>,
    open: &mut dyn Open,
    command: &Recorded<Command>,
    c: &TestWorkflow,
) -> Result<Vec<Event>, Halt> {
    let (key, user) = user_key(command)?;
    let project = project_of(given, command)?;
    let Some(workflow) = project.workflow(c.workflow, c.version) else {
        let reason = format!("The workflow has no version {}.", c.version);
        return Err(Rejected::new("VERSION_UNKNOWN", reason).into());
    };
    let row = given.rows.user(&RowKey::User(command.meta.project, user));
    let account = row.and_then(|user| user.accounts_at(workflow.integration).next());
    let Some((credential, _)) = account else {
        let reason = "The project's test user has not connected the integration.";
        return Err(Rejected::new("CREDENTIAL_UNKNOWN", reason).into());
    };
    let only = c.only.map(|step| place(workflow, step)).transpose()?;
    let start = Start {
        workflow,
        version: c.version,
        credential: *credential,
        trigger: workflow.trigger.kind(),
        detail: &workflow.name,
        wants_response: false,
        size: c.size,
        sealed: &c.sealed,
    };
    let id = ExecutionId::derived(command.meta.command_id, &key, 0);
    let (started, mut run) = begun(given, command, id, &start, c.sealed.clone())?;
    let tested = ExecutionTested { execution: id, only: only.map(i32::from) };
    let mut events = vec![Event::ExecutionStarted(started), Event::ExecutionTested(tested)];
    events.extend(kept(workflow, id, &c.kept, &mut run));
    let nest = Nest { test: Some(TestRun { only }), ..Nest::default() };
    let lineage = Lineage { id, run: &run, nest: Some(&nest), within: Vec::new() };
    let (now, config, rows) = (given.now, given.config, given.rows);
    let walk = Walk { lineage, workflow, now, config, rows, wakes: true };
    let first = only.or((!workflow.steps.is_empty()).then_some(0));
    advance(&walk, open, first, &mut events)?;
    Ok(events)
}
