//! The table of a project file: workflows and their steps.

use super::form::Form;
use super::input::INPUTS;
use super::project::AUTHORIZATION;
use super::{Object, Rule, Shape, optional, required};
use crate::definition::step::BODIES;
use crate::workflow::validate::STEPS_MAX;

static TEXT: Shape = Shape::Text(Form::Any);
static FILLED: Shape = Shape::Text(Form::Filled);
static ID: Shape = Shape::Text(Form::Id);
static FLAG: Shape = Shape::Flag;
static VALUE: Shape = Shape::Value;

/// A workflow.
pub(super) static WORKFLOW: Shape = Shape::Object(&Object {
    name: "workflow",
    doc: "What runs when something happens. Every change of it becomes a new version.",
    fields: &[
        required("workflow", &FILLED, "Its name.").not(&["name"]),
        optional("id", &ID, "Its id; else derived from the project's id and the name."),
        required("integration", &FILLED, "The integration it belongs to, by type."),
        optional("deployed", &FLAG, "Whether it runs; true.").not(&["enabled", "active"]),
        optional("default_enabled", &FLAG, "Whether it is on for accounts as they connect; false."),
        optional("hidden", &FLAG, "Whether it is kept out of the portal; false."),
        optional("inputs", &INPUTS, "What users are asked for; only this workflow reads that.")
            .not(&["settings", "user_settings"]),
        optional(
            "permissions",
            &Shape::Condition,
            "For which users it is, by their metadata; all.",
        )
        .not(&["permission", "only_if"]),
        required("trigger", &STARTED_BY, "What starts it.").not(&["on", "when"]),
        required("steps", &STEPS, "What it does, in order.").not(&["actions"]),
    ],
    rules: &[],
});

static ENABLED: Shape = Shape::Choice(|| &["integration_enabled"]);
static STARTED_BY: Shape = Shape::Either(&[&ENABLED, &TRIGGER]);
static TRIGGER: Shape = Shape::Object(&Object {
    name: "trigger",
    doc: "What starts a workflow.",
    fields: &[
        optional("app_event", &FILLED, "An app event, by name.").not(&["event"]),
        optional("webhook", &FILLED, "A webhook: `issues.opened`, or `issues` for every action."),
        optional("of", &FILLED, "The integration that sends the webhook; the workflow's own.")
            .not(&["integration", "from"]),
        optional("request", &REQUEST_TRIGGER, "A request of your application."),
        optional("schedule", &SCHEDULE, "A moment that comes again and again.").not(&[
            "cron",
            "scheduler",
            "every",
        ]),
        optional("field_mapping", &FILLED, "The input by which the payload is mapped, by id.")
            .not(&["mapping"]),
    ],
    rules: &[
        Rule::One(&["app_event", "webhook", "request", "schedule"]),
        Rule::With("of", "webhook"),
    ],
});

static MISSED: Shape = Shape::Choice(|| &["once", "skip"]);
static SCHEDULE: Shape = Shape::Object(&Object {
    name: "schedule",
    doc: "When the workflow runs by itself, for every account that it is switched on for.",
    fields: &[
        required("cron", &FILLED, "A cron pattern: five fields, or six with seconds in front.")
            .not(&["pattern", "expression"]),
        optional(
            "timezone",
            &FILLED,
            "An IANA time zone, or a variable of the user's metadata; America/Los_Angeles.",
        )
        .not(&["time_zone", "zone", "tz"]),
        optional("exact", &FLAG, "Whether it is never up to a minute late, to spread load; false."),
        optional("missed", &MISSED, "What becomes of moments that nobody was there for; once."),
    ],
    rules: &[],
});
static DATA_TYPE: Shape = Shape::Choice(|| {
    &[
        "string",
        "email",
        "number",
        "non_decimal",
        "date",
        "boolean",
        "array",
        "object",
        "file",
        "any",
    ]
});
static HEADER_RULES: Shape = Shape::Map { keys: Form::Filled, of: &HEADER_RULE, max: NAMES };
static BODY_RULES: Shape = Shape::Map { keys: Form::Filled, of: &BODY_RULE, max: NAMES };
static PARAM_RULES: Shape = Shape::Map { keys: Form::Filled, of: &PARAM_RULE, max: NAMES };
const NAMES: usize = 500;

static REQUEST_TRIGGER: Shape = Shape::Object(&Object {
    name: "request_trigger",
    doc: "What a request must look like; a breach is answered at once and starts nothing.",
    fields: &[
        optional("headers", &HEADER_RULES, "Headers that are looked at."),
        optional("params", &PARAM_RULES, "Query parameters that are looked at."),
        optional("body", &BODY_RULES, "Keys of the body, with their types."),
        optional(
            "arbitrary_payload",
            &FLAG,
            "Whether the body may have further keys; true unless `body` is given.",
        )
        .not(&["allow_arbitrary_payload", "allowarbitrarypayload"]),
    ],
    rules: &[],
});
static HEADER_RULE: Shape = Shape::Object(&Object {
    name: "header_rule",
    doc: "What a header must be.",
    fields: &[
        optional("value", &TEXT, "The value that it must have."),
        optional("required", &FLAG, "Whether it must be there; false."),
    ],
    rules: &[],
});
static BODY_RULE: Shape = Shape::Object(&Object {
    name: "body_rule",
    doc: "What a key of the body must be.",
    fields: &[
        required("type", &DATA_TYPE, "Its type.").not(&["data_type", "datatype"]),
        optional("required", &FLAG, "Whether it must be there; false."),
    ],
    rules: &[],
});
static PARAM_RULE: Shape = Shape::Object(&Object {
    name: "param_rule",
    doc: "What a query parameter must be.",
    fields: &[optional("required", &FLAG, "Whether it must be there; false.")],
    rules: &[],
});

static STEPS: Shape = Shape::List { of: &STEP, max: STEPS_MAX };
static STEP: Shape = Shape::Object(&Object {
    name: "step",
    doc: "One step. Later steps refer to what it gave as `{{name.…}}` or by number.",
    fields: &[
        required("name", &FILLED, "Its name."),
        optional("id", &ID, "Its id for history; else derived from workflow and name."),
        optional("request", &REQUEST, "An HTTP request to anywhere.").not(&["http"]),
        optional("integration_request", &INTEGRATION_REQUEST, "A request to the integration.")
            .not(&["integrationrequest"]),
        optional("function", &FILLED, "JavaScript: `function yourFunction(parameters) { … }`.")
            .not(&["code", "script"]),
        optional("parameters", &PARAMETERS, "What the function is given.").not(&["params"]),
        optional("if", &Shape::Condition, "A choice.").not(&["conditional", "condition", "when"]),
        optional("then", &STEPS, "Steps for when it holds."),
        optional("else", &STEPS, "Steps for when it does not."),
        optional("fan_out", &VALUE, "An array: `steps` run for each item, all at a time.")
            .not(&["for_each", "map", "fanout", "foreach"]),
        optional("steps", &STEPS, "Steps for each item; it is `{{name.instance}}`.")
            .not(&["each", "do"]),
        optional("delay", &DELAY, "A pause.").not(&["wait", "sleep"]),
        optional("response", &RESPONSE, "The answer to the request that started the run.")
            .not(&["respond", "answer"]),
        optional("auto_retry", &FLAG, "Whether a failed attempt is repeated; false.").not(&[
            "retry",
            "autoretry",
            "retry_on_failure",
        ]),
        optional("continue_on_error", &FLAG, "Whether the run goes on when it fails; false.")
            .not(&["ignore_failure", "continueonerror"]),
    ],
    rules: &[
        Rule::One(&[
            "request",
            "integration_request",
            "function",
            "if",
            "fan_out",
            "delay",
            "response",
        ]),
        Rule::With("parameters", "function"),
        Rule::With("then", "if"),
        Rule::With("else", "if"),
        Rule::With("steps", "fan_out"),
    ],
});

static PARAMETERS: Shape = Shape::Map { keys: Form::Any, of: &VALUE, max: NAMES };
static METHOD: Shape =
    Shape::Choice(|| &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
static REQUEST_TIMEOUT: Shape = Shape::Whole { min: 1, max: 3_600_000 };
static PAIRS: Shape = Shape::Either(&[
    &Shape::Map { keys: Form::Filled, of: &VALUE, max: NAMES },
    &Shape::List { of: &VALUE_PAIR, max: NAMES },
]);
static TEXT_OR_MAP: Shape = Shape::Either(&[&FILLED, &PARAMETERS]);
static VALUE_PAIR: Shape = Shape::Object(&Object {
    name: "value_pair",
    doc: "A name and a value; as a list, so that a name may come twice.",
    fields: &[required("name", &FILLED, "The name."), required("value", &VALUE, "The value.")],
    rules: &[],
});
static HEADERS: Shape = Shape::Either(&[
    &Shape::Map { keys: Form::Filled, of: &Shape::Scalar, max: NAMES },
    &Shape::List { of: &SCALAR_PAIR, max: NAMES },
]);
static SCALAR_PAIR: Shape = Shape::Object(&Object {
    name: "scalar_pair",
    doc: "A name and a value; as a list, so that a name may come twice.",
    fields: &[
        required("name", &FILLED, "The name."),
        required("value", &Shape::Scalar, "The value."),
    ],
    rules: &[],
});

macro_rules! request {
    ($name:literal, $doc:literal, $target:expr) => {
        Shape::Object(&Object {
            name: $name,
            doc: $doc,
            fields: &[
                $target,
                optional("method", &METHOD, "The method; GET.").not(&["verb"]),
                optional("params", &PAIRS, "Query parameters.").not(&["query", "parameters"]),
                optional("headers", &HEADERS, "Headers."),
                optional("json", &VALUE, "The body, as JSON.").not(&["body", "data"]),
                optional("form", &PAIRS, "The body, as form fields.")
                    .not(&["urlencoded", "x-www-form-urlencoded"]),
                optional("multipart", &PAIRS, "The body, as multipart/form-data; files as files.")
                    .not(&["form-data", "form_data", "formdata"]),
                optional("xml", &TEXT_OR_MAP, "The body, as XML: text, or a mapping of elements.")
                    .not(&["soap"]),
                optional("binary", &TEXT_OR_MAP, "The body: the bytes of a file object.")
                    .not(&["file", "bytes"]),
                optional("raw", &VALUE, "The body, as it is.").not(&["text"]),
                optional("authorization", &AUTHORIZATION, "How it authenticates.").not(&["auth"]),
                optional("timeout_ms", &REQUEST_TIMEOUT, "When it is given up.").not(&["timeout"]),
                optional("pagination", &PAGINATION, "How it goes on to further pages.")
                    .not(&["paging", "paginate"]),
            ],
            rules: &[Rule::Single(&BODIES)],
        })
    };
}
static REQUEST: Shape = request!(
    "request",
    "An HTTP request to anywhere.",
    required("url", &FILLED, "Where to.").not(&["path", "uri"])
);
static INTEGRATION_REQUEST: Shape = request!(
    "integration_request",
    "An HTTP request to the integration: base URL and the user's token are added.",
    required("path", &FILLED, "The path, or a full URL on a host of it.").not(&["url", "uri"])
);

static PAGINATION: Shape = Shape::Object(&Object {
    name: "pagination",
    doc: "How a request goes on to further pages; their results become one array, `response.results`. \
          Without `page_token` as its integration parts them.",
    fields: &[
        optional("output", &FILLED, "A page's results: `{{self.response.body.items}}`."),
        optional(
            "page_token",
            &FILLED,
            "What the next page is asked for with, as `{{self.pageToken}}` in the request.",
        )
        .not(&["token", "cursor", "pagetoken"]),
        optional("stop_when", &Shape::Condition, "When a page is the last; without a token.")
            .not(&["until", "stopwhen"]),
        optional("limit", &Shape::Amount, "So many results at most; may be a variable."),
        optional("skip", &Shape::Amount, "So many results are left out first; may be a variable."),
        optional("previous_page", &Shape::Amount, "The token of the page to begin with.")
            .not(&["previouspage", "start"]),
    ],
    rules: &[
        Rule::With("page_token", "output"),
        Rule::With("stop_when", "page_token"),
        Rule::Single(&["page_token", "limit"]),
        Rule::Single(&["page_token", "skip"]),
        Rule::Single(&["page_token", "previous_page"]),
    ],
});

static UNIT: Shape = Shape::Choice(|| &["seconds", "minutes", "hours", "days"]);
static DELAY: Shape = Shape::Object(&Object {
    name: "delay",
    doc: "A pause.",
    fields: &[
        required("value", &Shape::Amount, "How many; may be a variable."),
        optional("unit", &UNIT, "Of what; minutes."),
    ],
    rules: &[],
});

static STATUS: Shape = Shape::Whole { min: 200, max: 599 };
static RESPONSE_TYPE: Shape = Shape::Choice(|| &["json", "file"]);
static RESPONSE: Shape = Shape::Object(&Object {
    name: "response",
    doc: "The answer to the request that started the run.",
    fields: &[
        optional("status", &STATUS, "HTTP status; 200.").not(&["status_code", "code"]),
        optional("type", &RESPONSE_TYPE, "JSON, or the bytes of a file object; json."),
        optional("body", &VALUE, "The body.").not(&["json"]),
    ],
    rules: &[],
});
