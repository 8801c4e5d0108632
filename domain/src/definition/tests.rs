//! Files of `fixtures/project`: a good one in full, wrong ones with every mistake.

use super::*;
use crate::config::Project;
use crate::workflow::condition::{Operator, Rule};
use crate::workflow::{Action, Authorization, Body, Condition, DataType, Trigger};

mod files;
mod schema;

pub(super) const DEMO: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/project/demo.yaml"));

/// What a file means, with everything in it that a mistake would hide.
fn demo() -> Document {
    parse(DEMO).unwrap_or_else(|mistakes| panic!("{}", lines(&mistakes)))
}

pub(super) fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
}

#[test]
fn the_example_tells_project_integrations_and_events() {
    let Document { desired, generate_signing_key, api_keys, secrets } = demo();
    assert_eq!((desired.project.name.as_str(), desired.project.concurrency_max), ("Demo", 50));
    assert!(generate_signing_key && desired.project.signing_keys.is_empty());
    assert_eq!(api_keys.len(), 2);
    let names: Vec<&str> = secrets.iter().map(|asked| asked.name.as_str()).collect();
    let webhook = |kind: &str| {
        let known = desired.integrations.iter().find(|known| known.kind == kind).unwrap();
        crate::config::webhook_secret_name(known.id)
    };
    let expected = ["secret/CRM_TOKEN", "secret/REGION"].map(str::to_owned);
    let webhooks = [webhook("github"), webhook("custom.tasklab")];
    assert_eq!(names, [expected, webhooks].concat());
    assert_eq!(desired.secrets, ["CRM_TOKEN", "REGION"]);
    assert_eq!(desired.app_events["Contact Created"]["amount"], 12.5);

    let [slack, github, tasklab] = &desired.integrations[..] else { panic!("three") };
    assert_eq!(slack.base_url, "https://slack.com/api");
    assert!(slack.webhook.is_none());
    assert_eq!(github.webhook.as_ref().unwrap().provider_id, "body.installation.id");
    assert_eq!(github.headers["X-GitHub-Api-Version"], "2022-11-28");
    assert_eq!(tasklab.name, "Task Lab");
    let header =
        Authorization::Header { name: "X-Api-Key".into(), value: "{{settings.apiKey}}".into() };
    assert_eq!(tasklab.authorization, header);
    assert_eq!(tasklab.webhook.as_ref().unwrap().tolerance_s, 300);
}

#[test]
fn branches_are_flat_and_rejoin() {
    let desired = demo().desired;
    let workflow = &desired.workflows[1].workflow;
    let names: Vec<&str> = workflow.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["shape", "worth it", "push", "wait", "note"]);
    let next: Vec<Option<u16>> = workflow.steps.iter().map(|step| step.next).collect();
    assert_eq!(next, [Some(1), Some(4), Some(4), Some(4), None]);
    let Action::Conditional(choice) = &workflow.steps[1].action else { panic!("a choice") };
    assert_eq!((choice.yes, choice.no), (Some(2), Some(3)));
    let rule = |left: &str, operator, right: Value| {
        Condition::Rule(Rule { left: left.into(), operator, right })
    };
    let expected = Condition::Any(vec![
        Condition::All(vec![
            rule("{{1.event.amount}}", Operator::AtLeast, json!(10)),
            rule("{{1.event.amount}}", Operator::LessThan, json!(1000)),
        ]),
        Condition::All(vec![
            rule("{{shape.result.email}}", Operator::EndsWith, json!("@example.com")),
            rule("{{shape.result.vip}}", Operator::Exists, Value::Null),
        ]),
    ]);
    assert_eq!(choice.when, expected);
}

#[test]
fn an_empty_branch_and_a_choice_at_the_end_lead_on() {
    let steps = r#"
      - { name: a, if: { "{{1.x}}": is_true }, then: [], else: [ { name: b, delay: { value: 1 } } ] }
      - name: c
        if: { left: 5, operator: less_than, right: "{{1.x}}" }
        then:
          - { name: d, if: { "{{1.x}}": is_true }, then: [ { name: e, delay: { value: 1 } } ] }
"#;
    let workflow = &with_steps(steps).unwrap().desired.workflows[0].workflow;
    let walk: Vec<_> = workflow
        .steps
        .iter()
        .map(|step| match &step.action {
            Action::Conditional(choice) => (step.next, choice.yes, choice.no),
            _ => (step.next, None, None),
        })
        .collect();
    assert_eq!(
        walk,
        [
            (Some(2), None, Some(1)),
            (Some(2), None, None),
            (None, Some(3), None),
            (None, Some(4), None),
            (None, None, None),
        ]
    );
}

#[test]
fn a_request_says_everything_that_a_request_can() {
    let desired = demo().desired;
    let step = &desired.workflows[1].workflow.steps[2];
    assert!(step.auto_retry && step.continue_on_error);
    let Action::Request(request) = &step.action else { panic!("a request") };
    let tags = vec![("tag".to_owned(), json!("new")), ("tag".to_owned(), json!("synced"))];
    assert_eq!(request.params, tags);
    assert_eq!(request.body, Body::Json(json!("{{shape.result}}")));
    assert_eq!(request.timeout_ms, Some(10_000));
    let bearer = Authorization::Bearer { token: "{{secrets.CRM_TOKEN}}".into() };
    assert_eq!(request.authorization, bearer);
}

#[test]
fn a_request_trigger_takes_only_what_its_body_tells() {
    let desired = demo().desired;
    let Trigger::Request(trigger) = &desired.workflows[2].workflow.trigger else { panic!() };
    assert!(!trigger.allow_arbitrary_payload);
    assert_eq!(trigger.body_validations[0].data_type, DataType::String);
    assert_eq!(trigger.header_validations[0].value.as_deref(), Some("app"));
    assert!(!desired.workflows[3].deployed && desired.workflows[3].workflow.hidden);
}

#[test]
fn ids_are_the_same_whenever_the_file_is_read_and_differ_between_projects() {
    let first = demo().desired;
    assert_eq!(first, demo().desired);
    let moved = DEMO.replace("2f0e8d9b7a10", "2f0e8d9b7a11");
    let other = parse(&moved).unwrap().desired;
    assert_ne!(first.workflows[0].workflow.id, other.workflows[0].workflow.id);
    assert_ne!(first.integrations[0].id, other.integrations[0].id);
    let step = |desired: &Desired| desired.workflows[0].workflow.steps[0].id;
    assert_ne!(step(&first), step(&other));
}

#[test]
fn json_is_read_as_well() {
    let text = r#"{ "project": { "id": "5f1d7a52-3c1e-4a0b-9c64-2f0e8d9b7a10", "name": "Demo" },
        "signing_keys": { "jwks_url": "https://id.example.com/jwks" } }"#;
    let desired = parse(text).unwrap().desired;
    assert_eq!(desired.project.jwks_url.as_deref(), Some("https://id.example.com/jwks"));
    assert_eq!(desired.project.user_concurrency_max, 20);
}

#[test]
fn an_identity_provider_publishes_keys_and_signs_as_itself() {
    let of = |keys: &str| {
        let id = "5f1d7a52-3c1e-4a0b-9c64-2f0e8d9b7a10";
        let text = format!("project: {{ id: {id}, name: Demo }}\nsigning_keys: {{ {keys} }}\n");
        parse(&text).unwrap().desired.project.identity_provider()
    };
    assert_eq!(of("generate: true"), None);
    let plain = of("jwks_url: \"https://id.example.com/jwks\", audience: us").unwrap();
    assert_eq!((plain.issuer, plain.audience.as_deref()), (None, Some("us")));
    let auth0 = of("auth0: acme.auth0.com").unwrap();
    assert_eq!(auth0.issuer.as_deref(), Some("https://acme.auth0.com/"));
    assert_eq!(auth0.jwks_url, "https://acme.auth0.com/.well-known/jwks.json");
    let firebase = of("firebase: acme-app").unwrap();
    assert_eq!(firebase.issuer.as_deref(), Some("https://securetoken.google.com/acme-app"));
    assert_eq!(firebase.audience.as_deref(), Some("acme-app"));
}

#[test]
fn the_document_survives_the_log() {
    let desired = demo().desired;
    let text = serde_json::to_string(&desired).unwrap();
    assert_eq!(serde_json::from_str::<Desired>(&text).unwrap(), desired);
}

pub(super) fn with_steps(steps: &str) -> Result<Document, Vec<Mistake>> {
    parse(&format!(
        "project: {{ id: 5f1d7a52-3c1e-4a0b-9c64-2f0e8d9b7a10, name: Demo }}
signing_keys: {{ generate: true }}
integrations: [slack]
workflows:
  - workflow: one
    integration: slack
    trigger: {{ request: {{}} }}
    steps:{steps}"
    ))
}

/// Knows one variable; makes keys that can be told apart.
struct Clerk {
    made: Vec<String>,
}

impl Supplier for Clerk {
    fn environment(&self, name: &str) -> Option<String> {
        name.ends_with("SECRET").then(|| format!("value of {name}"))
    }

    fn sha256(&self, key: &str) -> String {
        format!("hash of {key}")
    }

    fn new_api_key(&mut self, name: &str) -> String {
        self.made.push(format!("key {name}"));
        "fresh".into()
    }

    fn new_signing_key(&mut self) -> String {
        self.made.push("signing key".into());
        "PEM".into()
    }
}

const KEYS: &str = "
project: { id: 5f1d7a52-3c1e-4a0b-9c64-2f0e8d9b7a10, name: Demo }
signing_keys: { generate: true }
api_keys:
  - { name: given, key: { env: A_SECRET } }
  - { name: kept, hash: 9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 }
  - { name: made, generate: true }
secrets: { ONE: literal, TWO: \"{{env.B_SECRET}}\" }
";

#[test]
fn what_a_file_leaves_open_is_asked_for() {
    let mut clerk = Clerk { made: Vec::new() };
    let document = parse(KEYS).unwrap();
    let complete = document.complete(None, &mut clerk).unwrap();
    let values = [("secret/ONE", "literal"), ("secret/TWO", "value of B_SECRET")];
    assert_eq!(complete.secrets, values.map(|(name, value)| (name.into(), value.into())));
    let keys = &complete.desired.api_keys;
    assert_eq!(keys["given"], "hash of value of A_SECRET");
    assert!(keys["kept"].starts_with("9f86d0"));
    assert_eq!(keys["made"], "hash of fresh");
    assert_eq!(complete.desired.project.signing_keys, ["PEM"]);
    assert_eq!(clerk.made, ["key made", "signing key"]);
    assert!(!format!("{document:?} {complete:?}").contains("literal"));
}

#[test]
fn what_the_project_has_is_not_made_again() {
    let mut clerk = Clerk { made: Vec::new() };
    let document = parse(KEYS).unwrap();
    let first = document.complete(None, &mut clerk).unwrap();
    let mut project = Project::new(first.desired.project.clone());
    project.api_keys = first.desired.api_keys.clone();
    clerk.made.clear();
    let second = document.complete(Some(&project), &mut clerk).unwrap();
    assert_eq!(second.desired, first.desired);
    assert!(clerk.made.is_empty());
}

#[test]
fn variables_that_are_not_set_are_told_at_once_and_nothing_is_made() {
    let mut clerk = Clerk { made: Vec::new() };
    let text = KEYS.replace("A_SECRET", "ABSENT").replace("B_SECRET", "GONE");
    let mistakes = parse(&text).unwrap().complete(None, &mut clerk).unwrap_err();
    assert_eq!(
        lines(&mistakes),
        "5:25 api_keys[0].key: the environment variable `ABSENT` is not set; \
         run `export ABSENT=…` first\n\
         8:31 secrets.TWO: the environment variable `GONE` is not set; \
         run `export GONE=…` first\n"
    );
    assert!(clerk.made.is_empty());
}
