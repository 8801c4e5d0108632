//! Every public error code: name, status, text. `ops/docs/errors/` has a page for each.

use super::Code;

macro_rules! codes {
    ($($name:ident $status:literal $(($wire:literal))? $text:literal;)*) => {
        $(
            #[doc = $text]
            pub static $name: Code = Code {
                name: stringify!($name),
                wire: codes!(@wire $name $($wire)?),
                status: $status,
                text: $text,
            };
        )*

        /// Every public error code.
        pub static ALL: &[&Code] = &[$(&$name,)*];
    };
    (@wire $name:ident $wire:literal) => { $wire };
    (@wire $name:ident) => { stringify!($name) };
}

codes! {
    // Who is calling. Only these may be 401 or 403: existing clients sign the user out on both.
    TOKEN_MISSING 401 ("7203") "The request carries no user token.";
    TOKEN_INVALID 401 ("7203") "The user token is not valid for this project.";
    TOKEN_EXPIRED 401 ("7203") "Your authorization token has expired.";
    TOKEN_LIFETIME 401 ("7203") "The user token lives too long.";
    API_KEY_INVALID 401 "The API key is missing or unknown.";
    ADMIN_KEY_INVALID 401 "The admin key is missing or wrong.";
    USER_DISABLED 403 "The user is disabled.";
    WEBHOOK_UNSIGNED 401 "The webhook carries no signature.";
    WEBHOOK_FORGED 401 "The webhook's signature does not fit.";
    WEBHOOK_STALE 401 "The webhook was signed too long ago, or in the future.";

    // What was sent.
    ROUTE_UNKNOWN 404 "There is nothing at this address.";
    METHOD_UNSUPPORTED 405 "The address does not support this method.";
    PATH_MALFORMED 400 "The address cannot be read.";
    HEADER_MALFORMED 400 "A header cannot be read.";
    QUERY_MALFORMED 400 "A query parameter cannot be read.";
    BODY_MALFORMED 400 "The body cannot be read.";
    BODY_TOO_LARGE 413 "The body is too large.";
    BODY_LATE 408 "The body did not arrive in time.";
    BODY_ENCODED 415 "The body is compressed; send it as it is.";
    BATCH_TOO_LARGE 400 "The batch has too many events.";
    REQUEST_REFUSED 400 "The request does not meet the workflow's validation rules.";
    WEBHOOK_MALFORMED 400 "The webhook's body cannot be read.";
    WEBHOOK_UNCONFIGURED 404 "The integration takes no webhooks.";
    IDEMPOTENCY_KEY_MALFORMED 400 "The Idempotency-Key must have 1 to 255 visible characters.";
    IDEMPOTENCY_KEY_REUSED 422 "The Idempotency-Key was used before with another body.";
    DOCUMENT_INVALID 400 "The project file has mistakes.";
    PROJECT_INVALID 400 "The project's document cannot be read.";
    SECRET_MISSING 400 "The project file names a secret whose value is nowhere.";
    APPLY_TOO_LARGE 400 "The project file changes too much at once.";
    LEVEL_TOO_LOW 503 "Nodes of an older build may be at the log, and could not read this.";
    INTEGRATION_TAKEN 409 "The integration's id belongs to another project.";

    // What it was about.
    PROJECT_UNKNOWN 404 "There is no such project.";
    INTEGRATION_UNKNOWN 404 "There is no such integration in this project.";
    INTEGRATION_INACTIVE 409 "The integration is not active.";
    INTEGRATION_NOT_ENABLED 404 "Integration not enabled for user.";
    EVENT_UNKNOWN 404 "The project has no app event of this name.";
    WORKFLOW_UNKNOWN 404 "There is no such deployed workflow.";
    SETTINGS_INVALID 422 "A setting has a value that it cannot have.";
    SETTINGS_MISSING 409 "A required setting has no value.";
    WORKFLOW_UNPERMITTED 409 "The workflow is not permitted for this user.";
    WORKFLOW_DISABLED 409 "The workflow is not enabled for this user.";
    TRIGGER_MISMATCH 400 "The workflow is not triggered by requests.";
    CREDENTIAL_UNKNOWN 404 "The user has no such credential.";
    CONNECTED_USERS_TOO_MANY 409 "The project has as many connected users as it may have.";
    CREDENTIALS_TOO_MANY 409 "The user has too many connected accounts.";
    USER_UNKNOWN 404 "Nothing is known of the user.";
    EXECUTION_UNKNOWN 404 "There is no such execution.";
    WEBHOOK_REFUSED 409 "The webhook was refused when it came.";
    WEBHOOK_CUT 409 "Only the beginning of the webhook was kept.";
    REPLAYS_TOO_MANY 409 "Too many replays of the integration are under way.";
    WEBHOOK_UNKNOWN 404 "There is no such webhook.";
    PARKED_UNKNOWN 404 "There is no such parked command.";
    PARKED_SETTLED 409 "The parked command was retried or discarded before.";
    COMMAND_GONE 410 "The log does not hold the command any more.";
    MONTH_MALFORMED 400 "A month is written as YYYY-MM.";
    SCHEMA_UNKNOWN 404 "There is no such schema.";
    REGISTRY_ELSEWHERE 404 "The schemas of this log are in another registry.";
    STEP_EXECUTION_UNKNOWN 404 "The execution has no such step.";
    EXECUTION_FINISHED 409 "The execution has ended.";
    CREDENTIAL_REMOVED 409 "The account that the execution works for was disconnected.";
    EXECUTION_PAUSED 409 "The execution is paused.";
    TEST_USER_UNSET 409 "The project names no test user.";
    VERSION_CURRENT 409 "The newest version is the same.";
    VERSION_UNKNOWN 404 "The workflow has no such version.";
    REPLAY_STEP_UNKNOWN 404 "The version has no such step to begin with.";
    REPLAY_STEP_UNFIT 409 "The execution cannot be repeated from that step.";
    REPLAY_TOO_LARGE 413 "What the steps before gave is too much to be kept.";
    EXECUTION_WITHOUT_RESPONSE 500 "The workflow ended before its response step.";
    DATA_ERASED 410 "The data was erased.";

    RUNS_TOO_MANY 508 "Too many runs have started one another.";

    // What Millrace could not do.
    BACKLOG_FULL 429 "More was sent than is worked off. Send it again later.";
    LOG_UNAVAILABLE 503 "The request could not be recorded. Send it again.";
    VERIFIER_BUSY 503 "The function that verifies webhooks has no room. Send it again.";
    DECISION_LATE 503 "The request is recorded, but not yet decided.";
    INTERNAL 500 "Something is wrong with Millrace itself.";

    // Why a command or a step came to nothing: seen in Task History and in the log.
    PARKED 500 "The command was set aside: the node crashed when it decided it.";
    CANCELLED 409 "Somebody cancelled the execution.";
    OUTCOME_LATE 409 "The attempt had ended before its outcome came.";
    SCHEDULE_KEPT 409 "The schedule is set as it is deployed.";
    SCHEDULE_INVALID 500 "The schedule has no moments.";
    TIME_ZONE_UNKNOWN 500 "There is no time zone of that name.";
    REPLAY_LATE 409 "The replay had gone on before.";
    TIMER_LATE 409 "The timer had ended before it fired.";
    DECISION_TOO_LARGE 500 "One decision would lead to too many events.";
    NODE_LOST 500 "The node that performed the step is gone.";
    STEP_UNKNOWN 500 "The workflow's version has no such step.";
    STEP_NOT_OUTBOUND 500 "The step has nothing to do with the world.";

    // Values of a step.
    VARIABLE_UNREADABLE 500 "A variable of the step cannot be read.";
    SECRET_UNKNOWN 500 "A secret that the step refers to does not exist.";
    INPUT_TOO_LARGE 500 "The step's input is too large.";
    INPUT_TOO_DEEP 500 "The step's input is nested too deep.";
    CONDITION_TOO_LARGE 500 "The condition compares too much.";
    DELAY_INVALID 500 "The delay is no length of time.";
    FAN_OUT_INVALID 500 "There is no array to fan out over.";
    RESPONSE_STATUS_INVALID 500 "The response's status is not in 200 to 599.";
    RESPONSE_FILE_INVALID 500 "The response's body is not a file.";

    // Requests of a step.
    URL_INVALID 500 "The request's address cannot be read.";
    DOMAIN_INVALID 500 "This domain is invalid for the current integration.";
    HEADER_INVALID 500 "A header of the request cannot be sent.";
    BODY_INVALID 500 "The request's body cannot be sent.";
    EGRESS_REFUSED 500 "The request's address is not allowed.";
    REDIRECT_REFUSED 500 "A redirect was not followed.";
    CONNECTION_FAILED 500 "The connection could not be set up, or broke.";
    TOKEN_REFUSED 500 "The token endpoint of the request gave no token.";
    TLS_FAILED 500 "There is no TLS with the host, or nobody vouches for it.";
    REQUEST_TIMEOUT 500 "No complete answer came in time.";
    REQUEST_FAILED 500 "The answer's status says that the request failed.";
    RESPONSE_TOO_LARGE 500 "The answer is too large.";
    PAGE_INVALID 500 "What a page gave is not what the pagination says.";
    PAGINATION_ENDLESS 500 "The pages of the request do not end.";
    RESPONSE_UNREADABLE 500 "The answer's encoding cannot be read.";

    // Functions.
    FUNCTION_FAILED 500 "The function threw an error.";
    FUNCTION_TIMEOUT 500 "The function ran too long.";
    FUNCTION_MEMORY 500 "The function needed too much memory.";
    FUNCTION_OUTPUT_TOO_LARGE 500 "The function's result is too large.";
    FUNCTION_STALLED 500 "The function waits for a promise that nothing can resolve.";
    FUNCTION_BUSY 500 "Too many functions wait to run.";
    FUNCTION_FATAL 500 "The function was running each time that the node crashed.";
    FUNCTION_BROKEN 500 "The function could not be run.";
}

/// The code of that name.
pub fn find(name: &str) -> Option<&'static Code> {
    ALL.iter().find(|code| code.name == name).copied()
}
