//! Performs steps.

use crate::http::{self, Client};
use crate::mask;
use crate::oauth::{Bearers, Unanswered};
use crate::request::page::{self, Asked, NoPage, Page, Pages};
use crate::request::{Draft, Kind};
use crate::sandbox::{self, Sandbox, Tenant};
use async_trait::async_trait;
use domain::effect::EffectKey;
use domain::id::step_execution;
use domain::time::Timestamp;
use domain::workflow::{Action, Function, Request, template};
use ports::Clock;
use ports::outbound::{Failure, Job, Outbound, Outcome};
use serde_json::{Value, json};
use std::sync::Arc;

/// Performs steps: requests by the client, functions in the sandbox.
#[derive(Clone)]
pub struct Runner {
    client: Client,
    bearers: Bearers,
    sandbox: Arc<Sandbox>,
    clock: Arc<dyn Clock>,
}

impl Runner {
    /// A runner of these.
    pub fn new(client: Client, sandbox: Arc<Sandbox>, clock: Arc<dyn Clock>) -> Self {
        let bearers = Bearers::new(client.clone(), Arc::clone(&clock));
        Self { client, bearers, sandbox, clock }
    }

    async fn request(&self, job: Job, request: &Request, kind: Kind) -> Ended {
        let number = job.call.page;
        let ended = match self.page(job, request, kind).await {
            Ok(page) => return page,
            Err(ended) if number == 0 => return ended,
            Err(ended) => ended,
        };
        // What earlier pages gave stands.
        let message = ended.output["error"]["message"].as_str().unwrap_or_default().to_owned();
        let output = page::failed(ended.status, &message);
        Ended { output, ..ended }
    }

    /// Asks for a page, or for all there is; without an answer that is one, how the request ended.
    async fn page(&self, mut job: Job, request: &Request, kind: Kind) -> Result<Ended, Ended> {
        let bytes_max = usize::try_from(job.settings.step_bytes_max).unwrap_or(usize::MAX);
        let pages = Pages::of(request, &job.integration, &mut job.scope, bytes_max)
            .map_err(|why| Ended::failed(Value::Null, why.code(), &why))?;
        let request = pages.ask(request);
        let draft = Draft {
            request: &request,
            integration: &job.integration,
            kind,
            key: job.call.key,
            page: job.call.page,
            runs: job.call.runs,
            timeout_ms: job.settings.request_timeout_ms,
            bytes_max: job.settings.step_bytes_max,
        };
        let scope = pages.are_some().then(|| job.scope.clone());
        let built = draft
            .build(job.scope)
            .map_err(|failed| Ended::failed(Value::Null, failed.code(), &failed))?;
        let url = built.call.url.clone();
        let answer = match &built.grant {
            None => self.client.send(built.call).await.map_err(Unanswered::from),
            Some(credentials) => self.bearers.send(job.call.project, credentials, built.call).await,
        };
        match (answer, scope) {
            (Ok(answer), Some(scope)) if answer.status < 400 => {
                let asked = Asked { number: job.call.page, url: &url, bytes_max };
                Ok(page_read(built.shown, answer.status, pages.read(scope, &answer, asked)))
            }
            (Ok(answer), _) => Err(self.answered(built.shown, &answer)),
            (Err(Unanswered::Http(error)), _) => {
                Err(Ended::failed(built.shown, error.code(), &error)
                    .retryable(error.is_retryable()))
            }
            (Err(Unanswered::Refused(refused)), _) => {
                Err(Ended::failed(built.shown, refused.code(), &refused)
                    .retryable(refused.is_retryable())
                    .back_after(refused.retry_after_ms()))
            }
        }
    }

    fn answered(&self, input: Value, answer: &http::Answer) -> Ended {
        let mut output = json!({ "response": http::value(answer) });
        let mut failure = None;
        if answer.status >= 400 {
            let code = "REQUEST_FAILED";
            let message = format!("the request was answered with status {}", answer.status);
            output["error"] = error(code, &message);
            failure = Some(Failure {
                code,
                // Any: who switched auto-retry on wants another attempt whatever the status
                // (seeds: workflows/auto-retries).
                retryable: true,
                retry_after_ms: http::retry_after_ms(&answer.headers, self.clock.now()),
            });
        }
        Ended { input, output, failure, status: Some(answer.status), goes_on: false }
    }

    async fn function(&self, mut job: Job, function: &Function) -> Ended {
        let bytes_max = job.settings.step_bytes_max;
        let bound = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let template = Value::Object(function.parameters.clone());
        let parameters = match template::resolve(&template, &job.scope, bound) {
            Ok(parameters) => parameters,
            Err(unresolved) => return Ended::failed(Value::Null, unresolved.code(), &unresolved),
        };
        let sent = parameters.to_string();
        let mut shown = parameters;
        if mask::concerns(&template) {
            mask::hide(&mut job.scope, &job.integration);
            shown = template::resolve(&template, &job.scope, bound).unwrap_or_default();
        }
        let input = json!({ "parameters": shown });
        let EffectKey { execution, step } = job.call.key;
        let call = sandbox::Call {
            id: step_execution(execution, &step.0),
            tenant: Tenant { project: job.call.project, user: job.call.user },
            code: function.code.clone(),
            parameters: sent,
            timeout_ms: job.settings.function_timeout_ms,
            output_bytes_max: bytes_max,
            runs: job.call.runs,
        };
        match self.sandbox.call(call).await {
            Ok(result) => {
                let output = json!({ "result": result });
                Ended { input, output, failure: None, status: None, goes_on: false }
            }
            Err(fault) => {
                Ended::failed(input, fault.code(), &fault).retryable(fault.is_retryable())
            }
        }
    }

    async fn end(&self, job: Job) -> Ended {
        let workflow = Arc::clone(&job.workflow);
        let Some(step) = workflow.steps.get(usize::from(job.call.index)) else {
            let text = format!("the workflow has no step {}", job.call.index);
            return Ended::failed(Value::Null, "STEP_UNKNOWN", &text);
        };
        match &step.action {
            Action::Request(request) => self.request(job, request, Kind::Plain).await,
            Action::IntegrationRequest(request) => {
                self.request(job, request, Kind::Integration).await
            }
            Action::Function(function) => self.function(job, function).await,
            Action::Conditional(_) | Action::Delay(_) | Action::Response(_) | Action::FanOut(_) => {
                let text = format!("the step {:?} does not act on the world", step.name);
                Ended::failed(Value::Null, "STEP_NOT_OUTBOUND", &text)
            }
        }
    }
}

#[async_trait]
impl Outbound for Runner {
    async fn perform(&self, job: Job) -> Outcome {
        let started_at = self.clock.now();
        self.end(job).await.at(started_at)
    }
}

/// What the answer to a page gives.
fn page_read(input: Value, status: u16, page: Result<Page, (NoPage, Value)>) -> Ended {
    let status = Some(status);
    match page {
        Ok(Page { output, goes_on }) => Ended { input, output, failure: None, status, goes_on },
        Err((why, mut output)) => {
            let told = error(why.code(), &why.to_string());
            output["response"]["error"] = told.clone();
            output["error"] = told;
            let failure = Failure { code: why.code(), retryable: false, retry_after_ms: None };
            Ended { input, output, failure: Some(failure), status, goes_on: false }
        }
    }
}

/// How an attempt ended.
struct Ended {
    input: Value,
    output: Value,
    failure: Option<Failure>,
    status: Option<u16>,
    goes_on: bool,
}

impl Ended {
    fn failed(input: Value, code: &'static str, message: &dyn std::fmt::Display) -> Self {
        let output = json!({ "error": error(code, &message.to_string()) });
        let failure = Some(Failure { code, retryable: false, retry_after_ms: None });
        Self { input, output, failure, status: None, goes_on: false }
    }

    fn retryable(mut self, retryable: bool) -> Self {
        if let Some(failure) = &mut self.failure {
            failure.retryable = retryable;
        }
        self
    }

    fn back_after(mut self, retry_after_ms: Option<i64>) -> Self {
        if let Some(failure) = &mut self.failure {
            failure.retry_after_ms = retry_after_ms;
        }
        self
    }

    fn at(self, started_at: Timestamp) -> Outcome {
        let Self { input, output, failure, status, goes_on } = self;
        Outcome { started_at, input, output, failure, status, goes_on }
    }
}

fn error(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}
