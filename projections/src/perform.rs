//! One step, from its place in the queue to its outcome on the log.

use crate::owner::open::{Fetched, Opener, port_error, unreadable};
use crate::owner::stamp::{Cause, own_command, record};
use crate::queue::Work;
use crate::world::World;
use domain::command::{Command, RecordOutcome, RecordPage};
use domain::decide::{Missing, Open};
use domain::exchange;
use domain::id::CommandId;
use domain::key::Key;
use domain::meta::Recorded;
use domain::workflow::Action;
use domain::workflow::Scope;
use domain::workflow::reference::needs;
use domain::workflow::scope::Names;
use ports::{Error, Failure, Job, Outbound, Outcome, Partition, Record};
use serde_json::{Value, json};
use tokio::sync::oneshot::Receiver;

/// Times that a step may ask for something to be fetched.
const FETCHES_MAX: u32 = 64;

/// Performs a step.
///
/// # Errors
/// What kept the step's values from being opened; it was not performed, and can be asked for again.
pub async fn perform(
    world: &World,
    outbound: &dyn Outbound,
    work: &Work,
) -> Result<Outcome, Error> {
    let mut outcome = match job(world, work).await? {
        Ok(job) => outbound.perform(job).await,
        Err(outcome) => outcome,
    };
    let test = work.lineage().test();
    if test.is_some_and(|test| work.call.page + 1 >= test.pages_max()) {
        outcome.goes_on = false;
    }
    tracing::debug!(
        trace_id = %work.run.correlation_id.simple(),
        execution = %work.call.key.execution,
        step = %work.call.key.step,
        attempt = work.call.attempt,
        code = outcome.failure.as_ref().map_or("", |failure| failure.code),
        "step performed"
    );
    Ok(outcome)
}

/// Everything that the step needs, opened; or the outcome, if it cannot be performed at all.
async fn job(world: &World, work: &Work) -> Result<Result<Job, Outcome>, Error> {
    let config = world.feed.current();
    let Some(project) = config.project(work.call.project) else {
        return Ok(Err(unable(world, "PROJECT_UNKNOWN", "The project is gone.")));
    };
    let Some(workflow) = project.workflow(work.run.workflow, work.run.version) else {
        return Ok(Err(unable(world, "WORKFLOW_UNKNOWN", "The version is gone.")));
    };
    let Some(integration) = project.integrations.get(&work.run.integration) else {
        return Ok(Err(unable(world, "INTEGRATION_UNKNOWN", "The integration is gone.")));
    };
    let Some(step) = workflow.steps.get(usize::from(work.call.index)) else {
        return Ok(Err(unable(world, "STEP_UNKNOWN", "The version has no such step.")));
    };
    let mut wanted = needs(step, &workflow.names());
    // The integration's own headers may refer to what the user gave.
    wanted.settings = true;
    if matches!(step.action, Action::IntegrationRequest(_)) {
        wanted.add_authorization(&integration.authorization);
        let texts = integration.headers.values().chain([&integration.base_url]);
        texts.for_each(|text| wanted.add_text(text, &Names::new()));
    }
    let mut opener = Opener::new(world, work.user.as_ref(), Some(project));
    let mut fetches = 0;
    let scope = loop {
        match opener.scope(&work.lineage(), &wanted) {
            Ok(scope) => break scope,
            Err(Missing) if fetches < FETCHES_MAX => {
                let (code, message) = match opener.fetch().await? {
                    Fetched::Now => ("", ""),
                    Fetched::Never => {
                        ("DATA_ERASED", "What the step refers to cannot be read any more.")
                    }
                    Fetched::TooLarge => {
                        ("INPUT_TOO_LARGE", "The step refers to too much of what items gave.")
                    }
                };
                if !code.is_empty() {
                    return Ok(Err(unable(world, code, message)));
                }
            }
            Err(Missing) => {
                return Ok(Err(unable(world, "INTERNAL", "The step refers to too much.")));
            }
        }
        fetches += 1;
    };
    let Some(own) = page_before(world, work).await? else {
        let message = "What the last page gave cannot be read any more.";
        return Ok(Err(unable(world, "DATA_ERASED", message)));
    };
    let scope = Scope { own, ..scope };
    Ok(Ok(Job {
        call: work.call.clone(),
        workflow: workflow.clone(),
        integration: integration.clone(),
        settings: std::sync::Arc::new(project.settings.clone()),
        scope,
    }))
}

/// What a request refers to as `{{self.…}}`: what its last page gave for the next, null on the first
/// one. `None`: it cannot be read any more.
async fn page_before(world: &World, work: &Work) -> Result<Option<Value>, Error> {
    if work.call.page == 0 {
        return Ok(Some(json!({ "pageToken": null })));
    }
    let Some(page) = &work.last_page else { return Ok(None) };
    let key = Key::User(work.call.project, work.call.user.clone());
    let clear = match world.vault.fetch(&key, page).await {
        Ok(clear) => clear,
        Err(error) => return unreadable(error).map(|_| None),
    };
    let output = exchange::unpack(&clear).map(|(_, output)| output).unwrap_or_default();
    let output: Value = serde_json::from_slice(output).unwrap_or_default();
    Ok(Some(json!({ "pageToken": output["pageToken"] })))
}

fn unable(world: &World, code: &'static str, message: &str) -> Outcome {
    Outcome {
        started_at: world.clock.now(),
        input: Value::Null,
        output: json!({ "error": { "message": message } }),
        failure: Some(Failure { code, retryable: false, retry_after_ms: None }),
        status: None,
        goes_on: false,
    }
}

/// The command that records an outcome, and the partition that it is for.
pub struct Report {
    partition: u16,
    command: Recorded<Command>,
}

impl Report {
    /// What is to be recorded of an outcome.
    ///
    /// # Errors
    /// What kept it from being sealed; ask again.
    pub async fn new(world: &World, work: &Work, outcome: &Outcome) -> Result<Self, Error> {
        let key = Key::User(work.call.project, work.call.user.clone());
        let packed = exchange::pack(&outcome.input, &outcome.output)
            .map_err(|error| Error::Corrupt(error.to_string()))?;
        let (input_size, output_size) = exchange::sizes(&packed);
        let sealed = world.vault.store(&key, &packed).await.map_err(port_error)?;
        if outcome.goes_on {
            let body = RecordPage {
                execution: work.call.key.execution,
                step: work.call.key.step,
                attempt: work.call.attempt,
                started_at: outcome.started_at,
                status: outcome.status.map(i32::from),
                input_size,
                output_size,
                sealed,
            };
            return Ok(Self::of(world, work, &key, body.into()));
        }
        let failure = outcome.failure.as_ref();
        let body = RecordOutcome {
            execution: work.call.key.execution,
            step: work.call.key.step,
            attempt: work.call.attempt,
            started_at: outcome.started_at,
            code: failure.map_or_else(String::new, |failure| failure.code.to_owned()),
            retryable: failure.is_some_and(|failure| failure.retryable),
            status: outcome.status.map(i32::from),
            retry_after_ms: failure.and_then(|failure| failure.retry_after_ms),
            input_size,
            output_size,
            sealed,
        };
        Ok(Self::of(world, work, &key, body.into()))
    }

    fn of(world: &World, work: &Work, key: &Key, body: Command) -> Self {
        let id = CommandId::fresh(world.clock.now(), world.entropy());
        let cause = Cause {
            causation_id: Some(work.call.key.execution.0),
            correlation_id: work.run.correlation_id,
            execution: Some(work.call.key.execution),
        };
        let command = own_command(world, key, id, &cause, body);
        Self { partition: key.partition(world.log.partitions()), command }
    }

    /// Hands it to the owner of its partition. What is given ends well when the decision stands, and
    /// badly when it has to go through the log; `None`: it has to in any case, for the owner is
    /// elsewhere or has enough to do.
    pub fn hand_over(&self, world: &World) -> Option<Receiver<()>> {
        world.handover.hand(self.partition, &self.command)
    }

    /// It as a record of the log, for whoever owns the partition.
    ///
    /// # Errors
    /// `Corrupt`: it does not encode.
    pub fn record(&self) -> Result<(Partition, Record), Error> {
        Ok((Partition::commands(self.partition), record(&self.command)?))
    }
}
