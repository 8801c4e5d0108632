//! Workflows of a file: compiled, validated, every finding told where it stands.

use super::condition;
use super::finding;
use super::flatten::{count, flatten};
use super::identity::derived;
use super::input;
use super::integration::Integrations;
use super::mistake::{Mistakes, Path, listed, nearest, quoted};
use super::paging;
use super::yaml::Node;
use crate::config::{DesiredWorkflow, Input, InputKind};
use crate::id::{IntegrationId, ProjectId, WorkflowId};
use crate::time::Timestamp;
use crate::workflow::permission;
use crate::workflow::schedule::Unscheduled;
use crate::workflow::validate::STEPS_MAX;
use crate::workflow::{
    BodyValidation, Condition, DataType, HeaderValidation, Missed, ParamValidation, RequestTrigger,
    Schedule, Trigger, Workflow, schedule,
};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the compiled form.
const FORMAT: u16 = 1;

/// What a file says beside its workflows.
pub(super) struct Surroundings<'a> {
    pub(super) project: ProjectId,
    pub(super) integrations: &'a Integrations,
    pub(super) app_events: BTreeSet<&'a str>,
    pub(super) secrets: BTreeSet<&'a str>,
}

/// Reads the list of workflows, as far as it is right.
pub(super) fn read(
    list: &Node,
    around: &Surroundings<'_>,
    mistakes: &mut Mistakes,
) -> Vec<DesiredWorkflow> {
    let mut names = BTreeMap::new();
    let mut ids = BTreeMap::new();
    let mut found = Vec::new();
    for (index, node) in list.items().iter().enumerate() {
        let path = Path::default().key("workflows").index(index);
        let Some(name) = node.get("workflow") else { continue };
        let Some(text) = name.text() else { continue };
        if let Some(first) = names.insert(text, name.at.line) {
            let problem = format!("another workflow is called {}, on line {first}", quoted(text));
            let mend = "give each workflow a name of its own";
            mistakes.add(name.at, &path.key("workflow"), problem, mend);
            continue;
        }
        let told = node.text_of("id").and_then(|id| id.parse().ok());
        let derived = || WorkflowId(derived(&around.project.0, "workflow", text));
        let id = told.unwrap_or_else(derived);
        if ids.insert(id, ()).is_some() {
            let at = node.get("id").map_or(name.at, |node| node.at);
            let mend = "give each an id of its own, or leave `id` out";
            mistakes.add(at, &path.key("id"), "another workflow has this id", mend);
        }
        found.extend(Reading { node, path, around, mistakes }.workflow(id, text));
    }
    found
}

struct Reading<'a, 'm> {
    node: &'a Node,
    path: Path,
    around: &'a Surroundings<'a>,
    mistakes: &'m mut Mistakes,
}

impl Reading<'_, '_> {
    fn workflow(&mut self, id: WorkflowId, name: &str) -> Option<DesiredWorkflow> {
        let node = self.node;
        let flag = |key: &str| node.get(key).and_then(Node::flag);
        let integration = self.integration(node.get("integration"), &self.path.key("integration"));
        let trigger = self.trigger(integration);
        let list = node.get("steps")?;
        let path = self.path.key("steps");
        if count(list) > STEPS_MAX {
            let problem = format!("{} steps are too many, branches included", count(list));
            self.mistakes.add(list.at, &path, problem, format!("keep at most {STEPS_MAX}"));
            return None;
        }
        let steps = flatten(list, &path, id, self.mistakes);
        // A request trigger stands for one that is not understood: nothing is wrong beside it.
        let stand_in = || Trigger::Request(RequestTrigger::default());
        let mut workflow = Workflow {
            format: FORMAT,
            id,
            name: name.to_owned(),
            integration: integration.unwrap_or(IntegrationId(uuid::Uuid::nil())),
            trigger: trigger.unwrap_or_else(stand_in),
            steps: steps.iter().map(|placed| placed.step.clone()).collect(),
            default_enabled: flag("default_enabled").unwrap_or(false),
            hidden: flag("hidden").unwrap_or(false),
            permissions: self.permissions(),
            field_mapping: None,
            inputs: self.inputs(),
        };
        workflow.field_mapping = self.field_mapping(&workflow);
        finding::note(&workflow, &steps, &self.around.secrets, self.mistakes);
        let kind = node.text_of("integration").unwrap_or_default();
        paging::note(&steps, self.around.integrations.of_kind(kind), self.mistakes);
        Some(DesiredWorkflow { workflow, deployed: flag("deployed").unwrap_or(true) })
    }

    fn inputs(&mut self) -> Vec<Input> {
        let kind = self.node.text_of("integration").unwrap_or_default();
        let settings = self.around.integrations.of_kind(kind);
        let taken = settings.map(input::of_integration).unwrap_or_default();
        let path = self.path.key("inputs");
        let inputs = input::read(self.node.get("inputs"), &path, &taken, self.mistakes);
        let is_required = |input: &Input| input.required && input.default.is_none();
        let default = self.node.get("default_enabled");
        if let Some(default) = default.filter(|node| node.flag() == Some(true))
            && let Some(first) = inputs.iter().find(|input| is_required(input))
        {
            let id = quoted(&first.id);
            let problem = format!("nobody has set {id} when an account is connected");
            let mend = "leave `default_enabled` out, or give the input a `default`";
            self.mistakes.add(default.at, &self.path.key("default_enabled"), problem, mend);
        }
        inputs
    }

    fn integration(&mut self, node: Option<&Node>, path: &Path) -> Option<IntegrationId> {
        let node = node?;
        let kind = node.text()?;
        let integrations = self.around.integrations;
        let id = integrations.id_of(kind);
        if id.is_none() && !kind.trim().is_empty() {
            let problem = format!("the project has no integration {}", quoted(kind));
            let mend = nearest(kind, integrations.kinds(), || {
                let known = listed(integrations.kinds());
                let choice = if known.is_empty() { String::new() } else { format!(" ({known})") };
                format!("name one of `integrations`{choice}, or add it there")
            });
            self.mistakes.add(node.at, path, problem, mend);
        }
        id
    }

    fn trigger(&mut self, own: Option<IntegrationId>) -> Option<Trigger> {
        let node = self.node.get("trigger")?;
        let path = self.path.key("trigger");
        if node.text().is_some() {
            self.unattended();
            return Some(Trigger::IntegrationEnabled);
        }
        if let Some(name) = node.get("app_event") {
            return self.app_event(name, &path.key("app_event"));
        }
        if let Some(request) = node.get("request") {
            return Some(Trigger::Request(request_trigger(request)));
        }
        if let Some(schedule) = node.get("schedule") {
            return self.schedule(schedule, &path.key("schedule"));
        }
        let name = node.text_of("webhook")?;
        let (sender, path) = match node.get("of") {
            Some(of) => (of, path.key("of")),
            None => (self.node.get("integration")?, path.key("webhook")),
        };
        let integration = match node.get("of") {
            Some(of) => self.integration(Some(of), &path),
            None => own,
        }?;
        let kind = sender.text().unwrap_or_default();
        let settings = self.around.integrations.of_kind(kind);
        if settings.is_some_and(|settings| settings.webhook.is_none()) {
            let at = node.get("of").or(node.get("webhook")).map_or(node.at, |node| node.at);
            let problem = format!("{} takes no webhooks yet", quoted(kind));
            let mend = "add `webhook: { secret: … }` to it under `integrations`";
            self.mistakes.add(at, &path, problem, mend);
        }
        Some(Trigger::Webhook { name: name.to_owned(), integration })
    }

    fn schedule(&mut self, node: &Node, path: &Path) -> Option<Trigger> {
        let cron = node.get("cron")?;
        let schedule = Schedule {
            cron: cron.text()?.trim().to_owned(),
            timezone: node.text_of("timezone").map(str::to_owned),
            exact: node.get("exact").and_then(Node::flag).unwrap_or(false),
            missed: match node.text_of("missed") {
                Some("skip") => Missed::Skip,
                Some(_) | None => Missed::Once,
            },
        };
        let zone = schedule.timezone.as_deref().filter(|_| !schedule.follows_user());
        let moments = schedule.moments(zone.unwrap_or(schedule::ZONE));
        // Any moment will do to see whether one comes after it.
        let first = moments.and_then(|moments| moments.after(Timestamp(0)));
        let (at, key, mend) = match &first {
            Ok(_) => return Some(Trigger::Schedule(schedule)),
            Err(Unscheduled::ZoneUnknown(_) | Unscheduled::Unresolved(_)) => {
                let at = node.get("timezone").map_or(node.at, |node| node.at);
                (at, "timezone", "name one of the IANA database, like Europe/Berlin")
            }
            Err(Unscheduled::CronInvalid(_)) => (
                cron.at,
                "cron",
                "write `minute hour day month weekday`, with seconds in front or not",
            ),
            Err(Unscheduled::Never(_)) => (cron.at, "cron", "write one that has a next moment"),
        };
        if let (Err(error), false) = (first, self.mistakes.within(&path.key(key))) {
            let problem = error.to_string();
            let problem = problem.trim_end_matches('.');
            self.mistakes.add(at, &path.key(key), problem, mend);
        }
        None
    }

    /// Conditions on what is known of a user: metadata, and the id.
    fn permissions(&mut self) -> Option<Condition> {
        let node = self.node.get("permissions")?;
        let path = self.path.key("permissions");
        let permissions = condition::compile(node);
        for reference in permission::unknown(&permissions) {
            let problem = format!("{} is not known of a user", quoted(&reference.text));
            let mend = "use `{{settings.…}}` with a field of the user's metadata";
            self.mistakes.add(node.at, &path, problem, mend);
        }
        Some(permissions)
    }

    /// The input by which the trigger's payload is mapped.
    fn field_mapping(&mut self, workflow: &Workflow) -> Option<String> {
        let node = self.node.get("trigger")?.get("field_mapping")?;
        let id = node.text()?;
        let kind = self.node.text_of("integration").unwrap_or_default();
        let shared = self.around.integrations.of_kind(kind).map(|settings| &settings.inputs[..]);
        let known: Vec<&str> = workflow
            .inputs
            .iter()
            .chain(shared.unwrap_or_default())
            .filter(|input| matches!(input.kind, InputKind::FieldMapping { .. }))
            .map(|input| input.id.as_str())
            .collect();
        if !known.contains(&id) {
            let problem = format!("there is no input {} of type field_mapping", quoted(id));
            let mend = nearest(id, known.iter().copied(), || {
                "add it to `inputs` of the workflow or of its integration".into()
            });
            let path = self.path.key("trigger").key("field_mapping");
            self.mistakes.add(node.at, &path, problem, mend);
        }
        Some(id.to_owned())
    }

    /// Users neither see nor switch a workflow that waits for an integration to be enabled.
    fn unattended(&mut self) {
        for key in ["default_enabled", "inputs"] {
            if let Some(node) = self.node.get(key).filter(|node| node.flag() != Some(false)) {
                let problem = format!(
                    "`{key}` means nothing: it runs once for each account, and no one sees it"
                );
                self.mistakes.add(node.at, &self.path.key(key), problem, "leave it out");
            }
        }
    }

    fn app_event(&mut self, node: &Node, path: &Path) -> Option<Trigger> {
        let name = node.text()?;
        let known = &self.around.app_events;
        if !known.contains(name) && !name.trim().is_empty() {
            let problem = format!("the project has no app event {}", quoted(name));
            let mend = nearest(name, known.iter().copied(), || {
                "add it to `app_events` with an example of its payload".into()
            });
            self.mistakes.add(node.at, path, problem, mend);
        }
        Some(Trigger::AppEvent { name: name.to_owned() })
    }
}

fn request_trigger(node: &Node) -> RequestTrigger {
    let entries = |key: &str| node.get(key).map(Node::entries).unwrap_or_default();
    let required = |node: &Node| node.get("required").and_then(Node::flag).unwrap_or(false);
    let arbitrary = node.get("arbitrary_payload").and_then(Node::flag);
    RequestTrigger {
        allow_arbitrary_payload: arbitrary.unwrap_or(node.get("body").is_none()),
        header_validations: entries("headers")
            .iter()
            .map(|entry| HeaderValidation {
                key: entry.key.clone(),
                value: entry.node.text_of("value").map(str::to_owned),
                required: required(&entry.node),
            })
            .collect(),
        body_validations: entries("body")
            .iter()
            .map(|entry| BodyValidation {
                key: entry.key.clone(),
                data_type: entry.node.text_of("type").map_or(DataType::Any, data_type),
                required: required(&entry.node),
            })
            .collect(),
        param_validations: entries("params")
            .iter()
            .map(|entry| ParamValidation {
                key: entry.key.clone(),
                required: required(&entry.node),
            })
            .collect(),
    }
}

fn data_type(name: &str) -> DataType {
    match name {
        "string" => DataType::String,
        "email" => DataType::Email,
        "number" => DataType::Number,
        "non_decimal" => DataType::NonDecimal,
        "date" => DataType::Date,
        "boolean" => DataType::Boolean,
        "array" => DataType::Array,
        "object" => DataType::Object,
        "file" => DataType::File,
        _ => DataType::Any,
    }
}
