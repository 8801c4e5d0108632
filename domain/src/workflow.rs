//! The meaning of workflows: what a definition says, and what each step does to a run.
//!
//! A definition is kept flat: `steps[index]` with explicit successors, so that branches rejoin and
//! a run is a walk over indexes. The nested form that people write is `definition`.

pub mod admit;
mod client_credentials;
pub mod condition;
pub mod delay;
pub mod fan_out;
pub mod libraries;
pub mod mapping;
pub(crate) mod permission;
pub mod reference;
mod request;
pub mod respond;
pub mod schedule;
pub mod scope;
pub mod template;
pub mod validate;

pub use client_credentials::{ClientAuth, ClientCredentials};
pub use condition::Condition;
pub use request::{
    Authorization, Body, CustomPagination, Method, Pagination, PreconfiguredPagination, Request,
};
pub use scope::Scope;

use crate::config::Input;
use crate::event::{StepKind, TriggerKind};
use crate::id::{IntegrationId, StepId, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One version of a workflow, compiled. Stored as JSON in `WorkflowSaved`, so as lasting as events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Workflow {
    /// Version of this format.
    pub format: u16,
    /// The workflow.
    pub id: WorkflowId,
    /// What people call it.
    pub name: String,
    /// The integration it belongs to.
    pub integration: IntegrationId,
    /// What starts it.
    pub trigger: Trigger,
    /// Its steps. Step `index` is addressed as `{{index + 2}}`: 1 is the trigger.
    pub steps: Vec<Step>,
    /// Whether it is switched on for an account when the account is connected.
    #[serde(default)]
    pub default_enabled: bool,
    /// Whether it is kept out of the portal.
    #[serde(default)]
    pub hidden: bool,
    /// What users are asked for when they switch it on; only this workflow reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What a user's metadata must be for the workflow to be shown, switched on or run; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Condition>,
    /// The field-mapping input by which the trigger's payload is mapped (behaviours.md 12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_mapping: Option<String>,
}

/// What starts a workflow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A named event of the customer's application.
    AppEvent {
        /// The name of the app event.
        name: String,
    },
    /// A call of the customer's application.
    Request(RequestTrigger),
    /// A webhook of a provider.
    Webhook {
        /// `kind` or `kind.action`, as the provider's scheme names deliveries.
        name: String,
        /// The integration it comes for.
        integration: IntegrationId,
    },
    /// A moment that comes again and again, for every account that it is switched on for.
    Schedule(Schedule),
    /// An account of its integration is connected, and everything that is required is set: once per
    /// account (behaviours.md 10).
    IntegrationEnabled,
}

impl Trigger {
    /// How it begins, as events name it.
    pub fn kind(&self) -> TriggerKind {
        match self {
            Trigger::AppEvent { .. } => TriggerKind::AppEvent,
            Trigger::Request(_) => TriggerKind::Request,
            Trigger::Webhook { .. } => TriggerKind::Webhook,
            Trigger::Schedule(_) => TriggerKind::Schedule,
            Trigger::IntegrationEnabled => TriggerKind::IntegrationEnabled,
        }
    }
}

/// When a workflow runs by itself (behaviours.md 11).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    /// A cron pattern of five fields, or six with seconds in front.
    pub cron: String,
    /// An IANA time zone, or a `{{settings.…}}` that is one; `None`: [`schedule::ZONE`].
    #[serde(default)]
    pub timezone: Option<String>,
    /// Whether it runs to the millisecond, for all users at once; else up to a minute later.
    #[serde(default)]
    pub exact: bool,
    /// What becomes of moments that nobody was there for.
    #[serde(default)]
    pub missed: Missed,
}

/// What becomes of moments of a schedule that nobody was there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// They are gone.
    Skip,
}

/// What a request must look like (behaviours.md 3). A breach is answered at once.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestTrigger {
    /// Whether a body of any shape may come. `false`: only the keys of `body_validations`.
    pub allow_arbitrary_payload: bool,
    /// Headers that must be there, maybe with a value.
    pub header_validations: Vec<HeaderValidation>,
    /// Body keys and their types.
    pub body_validations: Vec<BodyValidation>,
    /// Query parameters that must be there.
    pub param_validations: Vec<ParamValidation>,
}

/// A header that must be there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HeaderValidation {
    /// The header's name, in any case.
    pub key: String,
    /// The value it must have, if any.
    #[serde(default)]
    pub value: Option<String>,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
}

/// A body key that must have a type.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BodyValidation {
    /// The key, at the root of the body.
    pub key: String,
    /// The type it must have.
    pub data_type: DataType,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
}

/// The type of a body key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataType {
    /// Text.
    String,
    /// Text that is an e-mail address, as far as its `@` tells.
    Email,
    /// A number.
    Number,
    /// A whole number.
    NonDecimal,
    /// ISO 8601 text, or milliseconds since 1970.
    Date,
    /// `true` or `false`.
    Boolean,
    /// An array.
    Array,
    /// An object.
    Object,
    /// A file object.
    File,
    /// Whatever.
    Any,
}

/// A query parameter that must be there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ParamValidation {
    /// The parameter's name.
    pub key: String,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
}

/// One step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Its id for history; it stays when the step is renamed.
    pub id: StepId,
    /// Its name in `{{name.…}}`.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// The index of the step after it; `None` ends the run. For a conditional, where its branches
    /// rejoin.
    pub next: Option<u16>,
    /// Whether a failed attempt is repeated (behaviours.md 8).
    #[serde(default)]
    pub auto_retry: bool,
    /// Whether the run goes on when it fails for good.
    #[serde(default)]
    pub continue_on_error: bool,
}

/// What a step does. Strings anywhere in it may hold `{{…}}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An HTTP request to anywhere.
    Request(Request),
    /// An HTTP request to the integration: base URL and token are added.
    IntegrationRequest(Request),
    /// A JavaScript function.
    Function(Function),
    /// A choice.
    Conditional(Conditional),
    /// A pause.
    Delay(Delay),
    /// The answer to the request that started the run.
    Response(Response),
    /// The same steps for each item of an array.
    FanOut(FanOut),
}

impl Action {
    /// The kind, as events name it.
    pub fn kind(&self) -> StepKind {
        match self {
            Action::Request(_) => StepKind::Request,
            Action::IntegrationRequest(_) => StepKind::IntegrationRequest,
            Action::Function(_) => StepKind::Function,
            Action::Conditional(_) => StepKind::Conditional,
            Action::Delay(_) => StepKind::Delay,
            Action::Response(_) => StepKind::Response,
            Action::FanOut(_) => StepKind::FanOut,
        }
    }

    /// Whether the step needs the world, so that it can fail for reasons that pass.
    pub fn is_outbound(&self) -> bool {
        matches!(self, Action::Request(_) | Action::IntegrationRequest(_) | Action::Function(_))
    }

    /// The steps that it leads to itself, beside the one after it.
    pub(crate) fn branches(&self) -> [Option<u16>; 2] {
        match self {
            Action::Conditional(choice) => [choice.yes, choice.no],
            Action::FanOut(fan_out) => [fan_out.first, None],
            Action::Request(_)
            | Action::IntegrationRequest(_)
            | Action::Function(_)
            | Action::Delay(_)
            | Action::Response(_) => [None, None],
        }
    }
}

/// A JavaScript function (behaviours.md 7).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Function {
    /// `function yourFunction(parameters, libraries) { … }`, or `module.exports = fn`.
    pub code: String,
    /// `parameters`: values may hold `{{…}}`.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

/// A choice between two branches, either of which may be empty.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Conditional {
    /// What decides.
    pub when: Condition,
    /// Where to go when it holds; `None`: an empty branch, on to the step's `next`.
    pub yes: Option<u16>,
    /// Where to go when it does not; `None`: an empty branch, on to the step's `next`.
    pub no: Option<u16>,
}

/// The same steps for each item of an array, all at a time; the step after it waits for all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FanOut {
    /// The array: a `{{…}}` that is one, or an array with `{{…}}` in it.
    pub over: Value,
    /// The first step of each item; its last one leads nowhere. `None`: there are none.
    pub first: Option<u16>,
}

/// A pause.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Delay {
    /// How many: a number, or text with `{{…}}` that is one.
    pub value: Value,
    /// Of what.
    #[serde(default)]
    pub unit: DelayUnit,
}

/// The unit of a delay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DelayUnit {
    /// 1,000 ms.
    Seconds,
    /// 60 s.
    #[default]
    Minutes,
    /// 60 min.
    Hours,
    /// 24 h.
    Days,
}

/// The answer to the request that started the run (behaviours.md 9).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// JSON, or the raw bytes of a file object.
    #[serde(default)]
    pub response_type: ResponseType,
    /// HTTP status, 200 to 599.
    pub status_code: u16,
    /// The body; for a file, a `{{…}}` that is a file object.
    #[serde(default)]
    pub body: Value,
}

/// What a response step sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ResponseType {
    /// JSON.
    #[default]
    Json,
    /// The bytes of a file object, with its MIME type.
    File,
}
