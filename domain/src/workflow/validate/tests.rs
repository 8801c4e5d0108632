use super::*;
use crate::id::{IntegrationId, StepId, WorkflowId};
use crate::workflow::{
    Authorization, Body, Condition, Conditional, Delay, DelayUnit, Function, Method, Request,
    RequestTrigger, Response, ResponseType, Step,
};
use serde_json::{Value, json};
use uuid::Uuid;

fn step(name: &str, action: Action, next: Option<u16>) -> Step {
    let id = name.bytes().fold(7, |sum: u128, byte| sum * 257 + u128::from(byte));
    Step {
        id: StepId(Uuid::from_u128(id)),
        name: name.into(),
        action,
        next,
        auto_retry: false,
        continue_on_error: false,
    }
}

fn function(parameter: &str) -> Action {
    let parameters = json!({ "p": parameter }).as_object().cloned().unwrap();
    Action::Function(Function { code: "module.exports = p => p".into(), parameters })
}

fn request(url: &str) -> Request {
    Request {
        method: Method::Get,
        url: url.into(),
        params: vec![],
        headers: vec![],
        body: Body::None,
        authorization: Authorization::None,
        timeout_ms: None,
        pagination: None,
    }
}

fn choice(yes: Option<u16>, no: Option<u16>) -> Action {
    Action::Conditional(Conditional { when: Condition::All(vec![]), yes, no })
}

fn delay(value: Value) -> Action {
    Action::Delay(Delay { value, unit: DelayUnit::Days })
}

fn response(status_code: u16) -> Action {
    Action::Response(Response { response_type: ResponseType::Json, status_code, body: json!({}) })
}

fn workflow(steps: Vec<Step>) -> Workflow {
    Workflow {
        format: 1,
        id: WorkflowId(Uuid::from_u128(1)),
        name: "test".into(),
        integration: IntegrationId(Uuid::from_u128(2)),
        trigger: Trigger::Request(RequestTrigger::default()),
        steps,
        default_enabled: false,
        hidden: false,
        inputs: vec![],
        permissions: None,
        field_mapping: None,
    }
}

/// Steps one after the other.
fn chain(actions: Vec<Action>) -> Workflow {
    let last = actions.len() - 1;
    let named = actions.into_iter().enumerate().map(|(index, action)| {
        let next = (index < last).then_some(index as u16 + 1);
        step(&format!("s{index}"), action, next)
    });
    workflow(named.collect())
}

fn told(workflow: &Workflow) -> Vec<(String, String, Reason)> {
    validate(workflow).into_iter().map(|i| (i.step, i.field, i.reason)).collect()
}

fn fault(step: &str, field: &str, reason: Reason) -> (String, String, Reason) {
    (step.into(), field.into(), reason)
}

/// One step of the action, and what is told of it.
fn told_of(action: Action) -> Vec<(String, String, Reason)> {
    told(&workflow(vec![step("only", action, None)]))
}

#[test]
fn a_workflow_with_branches_that_rejoin_is_fine() {
    let workflow = workflow(vec![
        step("search", Action::Request(request("https://a.example/?e={{1.event.email}}")), Some(1)),
        step("exists?", choice(Some(2), Some(3)), Some(4)),
        step("update", function("{{search.response.body[0].id}}"), Some(4)),
        step("create", function("{{2.response.body}} {{exists?.selectedChoice}}"), Some(4)),
        step("answer", response(201), Some(5)),
        step(
            "after",
            function("{{update.result}} {{5.result}} {{settings.a}} {{secrets.B}}"),
            None,
        ),
    ]);
    assert_eq!(told(&workflow), []);
}

#[test]
fn a_workflow_without_steps_is_fine() {
    assert_eq!(told(&workflow(vec![])), []);
}

#[test]
fn a_reference_must_be_to_a_step_that_can_come_before() {
    let mut workflow = workflow(vec![
        step("choose", choice(Some(1), Some(2)), None),
        step("left", function("{{right.result}} {{left.result}} {{2.selectedChoice}}"), Some(3)),
        step("right", function("{{5.result}}"), Some(3)),
        step(
            "end",
            function("{{left.result}} {{gone.x}} {{6.x}} {{0.x}} {{self.page}} {{}}"),
            None,
        ),
    ]);
    let expected = [
        fault("left", "parameters", Reason::NotBefore("{{right.result}}".into())),
        fault("left", "parameters", Reason::NotBefore("{{left.result}}".into())),
        fault("right", "parameters", Reason::NotBefore("{{5.result}}".into())),
        fault("end", "parameters", Reason::UnknownStep("{{gone.x}}".into())),
        fault("end", "parameters", Reason::UnknownStep("{{6.x}}".into())),
        fault("end", "parameters", Reason::UnknownStep("{{0.x}}".into())),
        fault("end", "parameters", Reason::OwnOutsidePagination("{{self.page}}".into())),
        fault("end", "parameters", Reason::Unreadable("{{}}".into())),
    ];
    assert_eq!(told(&workflow), expected);
    workflow.steps.truncate(1);
    workflow.steps[0].action = choice(None, None);
    assert_eq!(told(&workflow), []);
}

#[test]
fn the_code_of_a_function_holds_no_variables() {
    let action = Action::Function(Function {
        code: "function yourFunction() { return {a:{b:`{{gone.x}}`}} }".into(),
        parameters: Default::default(),
    });
    assert_eq!(told_of(action), []);
}

#[test]
fn successors_must_exist_and_lead_everywhere_once() {
    let workflow = workflow(vec![
        step("a", function(""), Some(1)),
        step("b", choice(Some(0), Some(9)), Some(8)),
        step("c", function(""), None),
    ]);
    let expected = [
        fault("a", "next", Reason::Cycle),
        fault("b", "next", Reason::NoSuchStep(8)),
        fault("b", "no", Reason::NoSuchStep(9)),
        fault("b", "next", Reason::Cycle),
        fault("c", "next", Reason::Unreachable),
    ];
    assert_eq!(told(&workflow), expected);
}

#[test]
fn a_step_that_follows_itself_is_a_cycle() {
    let workflow = workflow(vec![step("a", function(""), Some(0))]);
    assert_eq!(told(&workflow), [fault("a", "next", Reason::Cycle)]);
}

#[test]
fn names_must_be_usable_free_and_unique() {
    let mut workflow = chain(vec![function(""); 7]);
    let names = ["", "a.b", "7", "secrets", "same", "same", "fine name-2?"];
    for (step, name) in workflow.steps.iter_mut().zip(names) {
        step.name = name.into();
    }
    workflow.steps[6].id = workflow.steps[0].id;
    let expected = [
        fault("2", "name", Reason::NameUnusable),
        fault("a.b", "name", Reason::NameUnusable),
        fault("7", "name", Reason::NameReserved("7".into())),
        fault("secrets", "name", Reason::NameReserved("secrets".into())),
        fault("same", "name", Reason::NameTaken("same".into())),
        fault("fine name-2?", "id", Reason::IdTaken),
    ];
    assert_eq!(told(&workflow), expected);
}

#[test]
fn only_requests_and_functions_may_be_retried() {
    let mut workflow = chain(vec![
        function(""),
        Action::IntegrationRequest(request("/me")),
        Action::Request(request("http://a.example")),
        choice(None, None),
        delay(json!(1)),
        response(200),
    ]);
    workflow.steps.iter_mut().for_each(|step| step.auto_retry = true);
    let refused = ["s3", "s4", "s5"].map(|s| fault(s, "auto_retry", Reason::RetryNotAllowed));
    assert_eq!(told(&workflow), refused);
}

#[test]
fn a_response_needs_a_request_trigger_and_a_status() {
    let mut workflow = workflow(vec![step("only", response(600), None)]);
    workflow.trigger = Trigger::AppEvent { name: "created".into() };
    let expected = [
        fault("only", "action", Reason::ResponseWithoutRequest),
        fault("only", "status_code", Reason::StatusInvalid),
    ];
    assert_eq!(told(&workflow), expected);
    for status in [200, 599] {
        assert_eq!(told_of(response(status)), []);
    }
}

#[test]
fn delays_are_numbers_or_variables() {
    for fine in [json!(5), json!("5"), json!("{{1.event.days}}"), json!(365)] {
        assert_eq!(told_of(delay(fine)), []);
    }
    for wrong in [json!("soon"), json!(null), json!(-1), json!(366), json!(["{{1.x}}"])] {
        assert_eq!(told_of(delay(wrong)), [fault("only", "value", Reason::DelayInvalid)]);
    }
}

#[test]
fn urls_are_http_as_far_as_they_are_known() {
    let invalid = [fault("only", "url", Reason::UrlInvalid)];
    for fine in [
        "https://a.example/{{1.x}}",
        "HTTP://a",
        "{{1.url}}",
        "http{{1.s}}://a",
        "https://{{1.host}}/",
    ] {
        assert_eq!(told_of(Action::Request(request(fine))), [], "{fine}");
        assert_eq!(told_of(Action::IntegrationRequest(request(fine))), [], "{fine}");
    }
    for wrong in ["", "/path", "ftp://a.example", "https://", "file:///etc", "a{{1.x}}"] {
        assert_eq!(told_of(Action::Request(request(wrong))), invalid, "{wrong}");
    }
    for fine in ["", "/path", "docs:batchUpdate", "/go?to=ftp://a", "/{{1.x}}"] {
        assert_eq!(told_of(Action::IntegrationRequest(request(fine))), [], "{fine}");
    }
    for wrong in ["ftp://a.example", "file:///etc", "https://"] {
        assert_eq!(told_of(Action::IntegrationRequest(request(wrong))), invalid, "{wrong}");
    }
}

#[test]
fn header_names_must_be_ones() {
    let mut request = request("https://a.example");
    let names = ["X-Fine", "not fine", "", "{{settings.header}}", "a\r\nb"];
    request.headers = names.map(|name| (name.to_owned(), json!("v"))).to_vec();
    request.authorization = Authorization::Header { name: "a:b".into(), value: "v".into() };
    let expected =
        [("headers", "not fine"), ("headers", ""), ("headers", "a\r\nb"), ("authorization", "a:b")]
            .map(|(field, name)| fault("only", field, Reason::HeaderInvalid(name.into())));
    assert_eq!(told_of(Action::Request(request)), expected);
}

#[test]
fn empty_code_and_endless_conditions_are_refused() {
    let empty = Action::Function(Function { code: " \n".into(), parameters: Default::default() });
    assert_eq!(told_of(empty), [fault("only", "code", Reason::CodeEmpty)]);
    let deep =
        (0..=CONDITION_DEPTH_MAX).fold(Condition::All(vec![]), |c, _| Condition::Any(vec![c]));
    let action = Action::Conditional(Conditional { when: deep, yes: None, no: None });
    assert_eq!(told_of(action), [fault("only", "when", Reason::ConditionTooLarge)]);
}

#[test]
fn steps_and_faults_are_bounded() {
    assert_eq!(told(&chain(vec![function("{{1.x}}"); STEPS_MAX])), []);
    let expected = [fault("", "steps", Reason::TooManySteps)];
    assert_eq!(told(&chain(vec![function(""); STEPS_MAX + 1])), expected);
    assert_eq!(validate(&chain(vec![function("{{gone.x}}"); STEPS_MAX])).len(), INVALID_MAX);
}

#[test]
fn a_fault_reads_like_a_sentence() {
    let faults = validate(&workflow(vec![step("post", function("{{}}"), None)]));
    let text = faults[0].to_string();
    assert_eq!(text, "post: parameters: {{}} is not a variable. Write \\{{ for the text {{.");
}
