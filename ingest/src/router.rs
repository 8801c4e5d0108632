//! Every address, on one screen.

use crate::app::App;
use crate::door::{Door, Shared};
use crate::openapi::{Handler, Operation};
use crate::problem::{METHOD_UNSUPPORTED, Problem, ROUTE_UNKNOWN};
use crate::{admin, layer, openapi, registry, sdk, task_history, webhook};
use axum::{Router, middleware};
use std::sync::Arc;

/// Who may call an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Everyone.
    Public,
    /// A connected user, by user token.
    User,
    /// The customer's team, by API key of the project.
    Team,
    /// Whoever runs the installation, by admin key.
    Admin,
    /// A provider, by signature.
    Provider,
}

/// One address and method.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method, in small letters.
    pub method: &'static str,
    /// The path; `{name}` stands for a part that is not fixed.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Its name, unique.
    pub id: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Tells what its handler takes and answers.
    pub(crate) describe: fn(&mut Operation<'_>),
}

macro_rules! routes {
    ($($method:ident $path:literal $access:ident $handler:path, $id:ident $summary:literal;)*) => {
        /// Every address and method.
        pub static ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            access: Access::$access,
            id: stringify!($id),
            summary: $summary,
            describe: |operation| $handler.describe(operation),
        },)*];

        fn routed() -> Router<Shared> {
            Router::new()$(.route($path, axum::routing::$method($handler)))*
        }
    };
}

#[rustfmt::skip]
routes! {
    post   "/projects/{project}/sdk/events/trigger"              User sdk::event::trigger,     sendEvent           "Sends an app event.";
    post   "/v2/projects/{project}/sdk/events/trigger"           User sdk::event::trigger,     sendEventV2         "Sends an app event.";
    post   "/projects/{project}/sdk/events/batch"                User sdk::batch::trigger,     sendEvents          "Sends up to 1,000 app events.";
    post   "/projects/{project}/sdk/triggers/{workflow}"         User sdk::trigger::trigger,   triggerWorkflow     "Runs a workflow that has a request trigger.";

    get    "/projects/{project}/sdk/me"                          User sdk::me::read,           readUser            "The connected user and what is connected.";
    patch  "/projects/{project}/sdk/me"                          User sdk::me::describe,       describeUser        "Merges metadata into that of the user.";
    get    "/projects/{project}/sdk/integrations"                User sdk::integration::list,  listIntegrations    "The integrations of the project, with their workflows.";
    get    "/projects/{project}/sdk/metadata"                    User sdk::integration::brief, listMetadata        "Name, icon and colour of each active integration.";
    delete "/projects/{project}/sdk/integrations/{integration}"  User sdk::account::remove,    removeIntegration   "Disconnects an account.";
    get    "/projects/{project}/sdk/credentials"                 User sdk::credential::list,   listCredentials     "The user's connected accounts.";
    post   "/projects/{project}/sdk/credentials"                 User sdk::account::connect,   connectCredential   "Connects an account.";
    get    "/projects/{project}/sdk/credentials/{credential}"    User sdk::credential::read,   readCredential      "One connected account.";
    patch  "/projects/{project}/sdk/credentials/{credential}"    User sdk::settings::save,     saveSettings        "Saves settings of an account, and switches its workflows.";
    post   "/projects/{project}/sdk/workflows/{workflow}"        User sdk::workflow::enable,   enableWorkflow      "Switches a workflow on.";
    delete "/projects/{project}/sdk/workflows/{workflow}"        User sdk::workflow::disable,  disableWorkflow     "Switches a workflow off.";
    get    "/sdk/projects/{project}"                             User sdk::project::read,      readProject         "The project, as older clients ask for it.";

    get    "/triggers/connect/{project}/{integration}"           Provider webhook::receive,    greetWebhook        "Answers a provider that makes sure of the address.";
    get    "/triggers/connect/{project}/{integration}/"          Provider webhook::receive,    greetWebhookSlash   "Answers a provider that makes sure of the address.";
    get    "/triggers/connect/{project}/{integration}/{*rest}"   Provider webhook::receive,    greetWebhookUnder   "Answers a provider that makes sure of the address.";
    post   "/triggers/connect/{project}/{integration}"           Provider webhook::receive,    receiveWebhook      "Takes in a webhook.";
    post   "/triggers/connect/{project}/{integration}/"          Provider webhook::receive,    receiveWebhookSlash "Takes in a webhook.";
    post   "/triggers/connect/{project}/{integration}/{*rest}"   Provider webhook::receive,    receiveWebhookUnder "Takes in a webhook.";

    get    "/projects/{project}/task-history/workflow-executions"                                   Team task_history::list, listExecutions "Searches executions.";
    get    "/projects/{project}/task-history/workflow-executions/{execution}"                       Team task_history::read, readExecution  "One execution with its steps.";
    get    "/projects/{project}/task-history/workflow-executions/{execution}/step-executions/{step}" Team task_history::step, readStep      "What a step took in and gave.";

    post   "/projects/{project}/task-history/workflow-executions/{execution}/replay"                Team task_history::replay, replayExecution "Runs an execution again, with the version and the input that it had.";

    put    "/admin/v1/projects"                                      Admin admin::project::apply,    applyProject    "Makes a project what a project file says.";
    post   "/admin/v1/projects/{project}/users/{user}/disable"       Admin admin::user::disable,     disableUser     "Lets a user start nothing.";
    post   "/admin/v1/projects/{project}/users/{user}/enable"        Admin admin::user::enable,      enableUser      "Lets a user start workflows again.";
    delete "/admin/v1/projects/{project}/users/{user}"               Admin admin::user::delete,      deleteUser      "Forgets a user, who can come back as a new one.";
    post   "/admin/v1/projects/{project}/executions/{execution}/cancel" Admin admin::execution::cancel, cancelExecution "Ends an execution.";
    post   "/admin/v1/projects/{project}/executions/{execution}/pause"  Admin admin::execution::pause,  pauseExecution  "Lets no further step of an execution begin.";
    post   "/admin/v1/projects/{project}/executions/{execution}/resume" Admin admin::execution::resume, resumeExecution "Lets a paused execution go on.";
    post   "/admin/v1/projects/{project}/executions/{execution}/replay" Admin admin::execution::replay, replayExecutionAs "Runs an execution again: with another input, on another version, from a step.";
    get    "/admin/v1/projects/{project}/executions/replays"         Admin admin::execution::replays::list, listExecutionReplays "Replays of many executions, and how far they have come.";
    post   "/admin/v1/projects/{project}/executions/replays"         Admin admin::execution::replays::many, replayExecutions "Replays the executions that a filter lets pass.";
    post   "/admin/v1/projects/{project}/workflows/{workflow}/test"  Admin admin::workflow::test,    testWorkflow    "Tries a workflow out, or one step of it, as the test user.";
    get    "/admin/v1/projects/{project}/workflows/{workflow}/versions" Admin admin::workflow::version::list, listVersionsOfWorkflow "The versions of a workflow.";
    put    "/admin/v1/projects/{project}/workflows/{workflow}/versions/{version}/name" Admin admin::workflow::version::name, nameVersion "Gives a version of a workflow a name.";
    post   "/admin/v1/projects/{project}/workflows/{workflow}/versions/{version}/restore" Admin admin::workflow::version::restore, restoreVersion "Makes a version of a workflow the newest once more.";
    get    "/admin/v1/projects/{project}/webhooks"                   Admin admin::webhook::list,     listWebhooks    "Webhooks that came, also refused and unmatched ones.";
    get    "/admin/v1/projects/{project}/webhooks/{webhook}"         Admin admin::webhook::read,     readWebhook     "One webhook, with what was sent.";
    post   "/admin/v1/projects/{project}/webhooks/{webhook}/replay" Admin admin::replay::one,     replayWebhook   "Hands a webhook to whom it is for now.";
    get    "/admin/v1/projects/{project}/webhooks/replays"           Admin admin::replay::list,     listReplays     "Replays of many webhooks, and how far they have come.";
    post   "/admin/v1/projects/{project}/webhooks/replays"           Admin admin::replay::many,     replayWebhooks  "Replays the webhooks that a filter lets pass.";
    get    "/admin/v1/projects/{project}/parked"                     Admin admin::parked::list,      listParked      "Commands that were set aside because the node crashed when it decided them.";
    post   "/admin/v1/projects/{project}/parked/{parked}/retry"      Admin admin::parked::retry,     retryParked     "Sends a parked command again.";
    post   "/admin/v1/projects/{project}/parked/{parked}/discard"    Admin admin::parked::discard,   discardParked   "Leaves a parked command undone.";
    get    "/admin/v1/projects/{project}/usage"                      Admin admin::usage::months,     readUsage       "Tasks and connected users, by month.";
    get    "/admin/v1/projects/{project}/usage/{month}"              Admin admin::usage::users,      readUsageOfUsers "Tasks of each user in a month.";
    post   "/admin/v1/unsealings"                                    Admin admin::unsealing::record, recordUnsealing "Records that somebody looks into sealed payloads.";
    post   "/admin/v1/api-keys"                                      Admin admin::api_key::make,     makeApiKey      "Makes an API key and its hash for the project file.";

    get    "/registry/schemas/ids/{id}"                              Public registry::by_id,         readSchema      "A schema of the log, by its id.";
    get    "/registry/subjects"                                      Public registry::subjects,      listSubjects    "The records of the log.";
    get    "/registry/subjects/{subject}/versions"                   Public registry::versions,      listVersions    "The versions of a record.";
    get    "/registry/subjects/{subject}/versions/{version}"         Public registry::read,          readVersion     "One version of a record.";
    get    "/openapi.json"                                           Public openapi::serve,          readOpenApi     "This description.";
}

/// The door: every address, with everything around it.
pub fn router(app: App) -> Router {
    let door: Shared = Arc::new(Door::new(app));
    routed()
        .fallback(unknown)
        .method_not_allowed_fallback(unsupported)
        .layer(middleware::from_fn(layer::panic))
        .layer(middleware::from_fn(layer::cors))
        .layer(middleware::from_fn_with_state(Arc::clone(&door), layer::trace))
        .with_state(door)
}

async fn unknown() -> Problem {
    ROUTE_UNKNOWN.plain()
}

async fn unsupported() -> Problem {
    METHOD_UNSUPPORTED.plain()
}
