//! The table of a project file: everything but workflows.

use super::form::Form;
use super::input::INPUTS;
use super::paging::PAGING;
use super::workflow::WORKFLOW;
use super::{Object, Rule, Shape, optional, required, scheme};
use crate::webhook;

static TEXT: Shape = Shape::Text(Form::Any);
static FILLED: Shape = Shape::Text(Form::Filled);
static ID: Shape = Shape::Text(Form::Id);
static URL: Shape = Shape::Text(Form::Url);
static FLAG: Shape = Shape::Flag;
static YES: Shape = Shape::Yes;
static FORMAT: Shape = Shape::Whole { min: 1, max: 1 };
static SLOTS: Shape = Shape::Whole { min: 1, max: 1_000_000 };
static TIMEOUT: Shape = Shape::Whole { min: 1, max: 3_600_000 };
static USERS: Shape = Shape::Whole { min: 1, max: 1_000_000_000 };
static STEP_BYTES: Shape = Shape::Whole { min: 1_024, max: 1 << 30 };

/// A project file.
pub(in crate::definition) static FILE: Shape = Shape::Object(&Object {
    name: "file",
    doc: "A Millrace project: everything that one environment is made of.",
    fields: &[
        optional("format", &FORMAT, "Version of this format."),
        required("project", &PROJECT, "The project's own settings."),
        required("signing_keys", &SIGNING_KEYS, "How user tokens (RS256) are verified.")
            .not(&["signing_key", "keys"]),
        optional("api_keys", &API_KEYS, "Keys of your servers; only their hashes are kept.")
            .not(&["api_key"]),
        optional("secrets", &SECRETS, "Environment secrets, `{{secrets.NAME}}` in workflows."),
        optional("app_events", &APP_EVENTS, "Events of your application, each with an example.")
            .not(&["events"]),
        optional("integrations", &INTEGRATIONS, "Providers that your users can connect."),
        optional("workflows", &WORKFLOWS, "What runs when something happens."),
    ],
    rules: &[],
});

static PROJECT: Shape = Shape::Object(&Object {
    name: "project",
    doc: "The project's own settings.",
    fields: &[
        required("id", &ID, "Its id; it stays."),
        required("name", &FILLED, "What people call it."),
        optional("concurrency", &SLOTS, "Step executions at a time, over all users; 50.")
            .not(&["concurrency_max"]),
        optional("user_concurrency", &SLOTS, "Step executions at a time, for one user; 20.")
            .not(&["user_concurrency_max"]),
        optional("function_timeout_ms", &TIMEOUT, "When a function is stopped; 60000.")
            .not(&["function_timeout"]),
        optional("request_timeout_ms", &TIMEOUT, "When a request is given up; 60000.")
            .not(&["request_timeout", "timeout"]),
        optional("step_bytes_max", &STEP_BYTES, "Largest input or output of a step; 52428800."),
        optional(
            "connected_users_max",
            &USERS,
            "Users who may have a connected account; any number.",
        )
        .not(&["connected_users"]),
        optional("test_user", &FILLED, "The user whose accounts tests of workflows work with."),
    ],
    rules: &[],
});

static FIREBASE: Shape = Shape::Text(Form::Slug);
static PUBLIC_KEY: Shape = Shape::Text(Form::PublicKey);
static PUBLIC_KEYS: Shape = Shape::List { of: &PUBLIC_KEY, max: 20 };
static SIGNING_KEYS: Shape = Shape::Object(&Object {
    name: "signing_keys",
    doc: "How user tokens (RS256) are verified.",
    fields: &[
        optional("generate", &YES, "Makes a key pair, if the project has no key yet."),
        optional("public_keys", &PUBLIC_KEYS, "Public keys in PEM.").not(&["public_key"]),
        optional("jwks_url", &URL, "Where to fetch further public keys, as a JWKS.").not(&["jwks"]),
        optional("auth0", &HOST, "The domain of an Auth0 tenant whose ID tokens are user tokens."),
        optional(
            "firebase",
            &FIREBASE,
            "The id of a Firebase project whose ID tokens are user tokens.",
        ),
        optional("audience", &FILLED, "What `aud` of these tokens must name; else it may be any.")
            .not(&["aud"]),
    ],
    rules: &[
        Rule::Some(&["generate", "public_keys", "jwks_url", "auth0", "firebase"]),
        Rule::Single(&["generate", "public_keys"]),
        Rule::Single(&["jwks_url", "auth0", "firebase"]),
        Rule::Single(&["firebase", "audience"]),
    ],
});

static HASH: Shape = Shape::Text(Form::Hash);
static API_KEYS: Shape = Shape::List { of: &API_KEY, max: 100 };
static API_KEY: Shape = Shape::Object(&Object {
    name: "api_key",
    doc: "A key of your servers. It covers all users of the project.",
    fields: &[
        required("name", &FILLED, "Its name."),
        optional("key", &SECRET, "The key itself."),
        optional("hash", &HASH, "SHA-256 of the key, hex.").not(&["sha256"]),
        optional("generate", &YES, "Makes a key, if the project has none of this name."),
    ],
    rules: &[Rule::One(&["key", "hash", "generate"])],
});

static SECRETS: Shape = Shape::Map { keys: Form::Name, of: &SECRET, max: 500 };
static SECRET: Shape = Shape::Either(&[&FILLED, &FROM_ENVIRONMENT]);
static VARIABLE: Shape = Shape::Text(Form::Name);
static FROM_ENVIRONMENT: Shape = Shape::Object(&Object {
    name: "from_environment",
    doc: "A value that is taken from the environment of whoever applies the file.",
    fields: &[required("env", &VARIABLE, "The variable's name.")],
    rules: &[],
});

static ANY_OBJECT: Shape = Shape::Map { keys: Form::Any, of: &Shape::Value, max: 10_000 };
static APP_EVENTS: Shape = Shape::Map { keys: Form::Filled, of: &ANY_OBJECT, max: 500 };

static INTEGRATIONS: Shape = Shape::List { of: &NAMED_OR_TOLD, max: 200 };
static BUILT_IN: Shape = Shape::Text(Form::BuiltIn);
static NAMED_OR_TOLD: Shape = Shape::Either(&[&BUILT_IN, &INTEGRATION]);
static KIND: Shape = Shape::Text(Form::Kind);
static HOST: Shape = Shape::Text(Form::Host);
static HOSTS: Shape = Shape::List { of: &HOST, max: 100 };
static FIXED_HEADERS: Shape = Shape::Map { keys: Form::Filled, of: &TEXT, max: 50 };

/// An integration that is told in full.
static INTEGRATION: Shape = Shape::Object(&Object {
    name: "integration",
    doc: "A provider that your users can connect. What is left out of a built-in one is as it comes.",
    fields: &[
        required("type", &KIND, "A built-in one, or `custom.<slug>`.")
            .not(&["kind", "integration"]),
        optional("name", &FILLED, "What people call it."),
        optional("id", &ID, "Its id; else derived from the project's id and the type."),
        optional("active", &FLAG, "Whether it may be connected and started; true."),
        optional("base_url", &URL, "Where integration requests go.").not(&["url", "base"]),
        optional("hosts", &HOSTS, "Further hosts that a step may name with a full URL."),
        optional("authorization", &AUTHORIZATION, "How the user's token is sent.")
            .not(&["auth", "token"]),
        optional("headers", &FIXED_HEADERS, "Headers added to every integration request."),
        optional("webhook", &WEBHOOK, "How its webhooks are verified and routed.")
            .not(&["webhooks"]),
        optional("pagination", &PAGING, "How it parts lists into pages: as a known type, or told.")
            .not(&["paging"]),
        optional("inputs", &INPUTS, "What users are asked for; every workflow of it reads that.")
            .not(&["settings", "user_settings"]),
    ],
    rules: &[Rule::Prefix { key: "type", prefix: "custom.", needs: &["name", "base_url"] }],
});

static KNOWN_SCHEME: Shape = Shape::Choice(webhook::names);
static SCHEME: Shape = Shape::Either(&[&KNOWN_SCHEME, &scheme::SCHEME]);
static TOLERANCE: Shape = Shape::Whole { min: 1, max: 86_400 };
static WEBHOOK: Shape = Shape::Object(&Object {
    name: "webhook",
    doc: "How webhooks are verified and routed.",
    fields: &[
        optional("scheme", &SCHEME, "How they are signed: a known scheme, or one told in full."),
        required("secret", &SECRET, "What they are signed with."),
        optional("provider_id", &FILLED, "Where one says which account it is about."),
        optional("tolerance_s", &TOLERANCE, "How old a signature may be; 300.").not(&["tolerance"]),
    ],
    rules: &[],
});

static PAIR: Shape = Shape::Object(&Object {
    name: "pair",
    doc: "A name and a value.",
    fields: &[required("name", &FILLED, "The name."), required("value", &TEXT, "The value.")],
    rules: &[],
});
static ACCOUNT: Shape = Shape::Object(&Object {
    name: "account",
    doc: "A user name and a password.",
    fields: &[
        required("username", &TEXT, "The user name.").not(&["user", "name"]),
        optional("password", &TEXT, "The password."),
    ],
    rules: &[],
});

/// How a request authenticates.
pub(super) static AUTHORIZATION: Shape = Shape::Object(&Object {
    name: "authorization",
    doc: "How a request authenticates. Texts may hold variables.",
    fields: &[
        optional("bearer", &FILLED, "The token of `Authorization: Bearer …`.").not(&["token"]),
        optional("basic", &ACCOUNT, "`Authorization: Basic …`"),
        optional("header", &PAIR, "A header."),
        optional("query", &PAIR, "A query parameter.").not(&["param"]),
        optional("oauth_client_credentials", &CLIENT_CREDENTIALS, "A token of your application.")
            .not(&["client_credentials", "oauth", "oauth2"]),
        optional("none", &YES, "Nothing is sent."),
    ],
    rules: &[Rule::One(&[
        "bearer",
        "basic",
        "header",
        "query",
        "oauth_client_credentials",
        "none",
    ])],
});

static CLIENT_AUTH: Shape = Shape::Choice(|| &["basic", "body"]);
static CLIENT_CREDENTIALS: Shape = Shape::Object(&Object {
    name: "oauth_client_credentials",
    doc: "OAuth 2.0 client credentials; the token is shared, and renewed before it expires.",
    fields: &[
        required("token_url", &URL, "The token endpoint.").not(&[
            "url",
            "access_token_url",
            "token_endpoint",
        ]),
        required("client_id", &FILLED, "Who asks.").not(&["id"]),
        required("client_secret", &FILLED, "By what that is proved.").not(&["secret"]),
        optional("scope", &FILLED, "What for: names separated by blanks.").not(&["scopes"]),
        optional("audience", &FILLED, "For which API, where the server wants to know."),
        optional("params", &FIXED_HEADERS, "Further parameters that the server wants."),
        optional("client_auth", &CLIENT_AUTH, "Where id and secret stand; basic.")
            .not(&["auth_style", "authentication"]),
    ],
    rules: &[],
});

static WORKFLOWS: Shape = Shape::List { of: &WORKFLOW, max: 1_000 };
