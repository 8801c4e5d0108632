//! What users are asked for.

use domain::config::{Choice, Input, InputKind, IntegrationSettings};
use domain::id::WorkflowId;
use domain::workflow::Authorization;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The input by which a user names the account that webhooks are about.
const ACCOUNT_INPUT: &str = "providerId";

/// A field that the user fills in.
#[derive(Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserInput {
    id: String,
    title: String,
    r#type: &'static str,
    required: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    tooltip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    placeholder: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<Value>,
    /// Where its options are, in `dataSources`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_type: Option<String>,
    /// Under which name the page gives options.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    mapping: Option<Mapping>,
}

/// What a field mapping maps.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    saved_field_mappings: Vec<Label>,
    use_dynamic_mapper: bool,
    /// Under which name the page gives the fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamic_object_name: Option<String>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct Label {
    label: String,
}

/// Options that do not change.
#[derive(Serialize, JsonSchema)]
pub(super) struct DataSource {
    r#type: &'static str,
    id: String,
    title: String,
    values: Vec<Choosable>,
}

#[derive(Serialize, JsonSchema)]
struct Choosable {
    label: String,
    value: Value,
}

/// Types as the public contract names them.
fn type_of(kind: &InputKind) -> &'static str {
    match kind {
        InputKind::Text => "TEXT_NO_VARS",
        InputKind::Textarea => "TEXTAREA_NO_VARS",
        InputKind::Password => "PASSWORD",
        InputKind::Number => "NUMBER",
        InputKind::Email => "EMAIL",
        InputKind::Url => "URL",
        InputKind::Boolean => "BOOLEAN_INPUT",
        InputKind::Switch => "SWITCH",
        InputKind::Enum { .. } => "ENUM",
        InputKind::CustomDropdown { .. } => "CUSTOM_DROPDOWN",
        InputKind::FieldMapping { .. } => "FIELD_MAPPER",
    }
}

/// Ids of inputs are unique among those of a workflow only, sources among all of an integration.
fn source_id(of: Option<WorkflowId>, input: &Input) -> String {
    of.map_or_else(|| input.id.clone(), |workflow| format!("{workflow}/{}", input.id))
}

impl UserInput {
    /// The declared inputs of an integration, or of one workflow.
    pub(super) fn all(of: Option<WorkflowId>, inputs: &[Input]) -> Vec<Self> {
        inputs.iter().map(|input| Self::of(of, input)).collect()
    }

    fn of(of: Option<WorkflowId>, input: &Input) -> Self {
        let mut shown = Self {
            id: input.id.clone(),
            title: input.title.clone(),
            r#type: type_of(&input.kind),
            required: input.required,
            tooltip: input.tooltip.clone(),
            placeholder: input.placeholder.clone(),
            default_value: input.default.clone(),
            ..Self::default()
        };
        match &input.kind {
            InputKind::Enum { .. } => shown.source_type = Some(source_id(of, input)),
            InputKind::CustomDropdown { key } => shown.key = Some(key.clone()),
            InputKind::FieldMapping { fields, object } => {
                let label = |label: &String| Label { label: label.clone() };
                shown.mapping = Some(Mapping {
                    saved_field_mappings: fields.iter().map(label).collect(),
                    use_dynamic_mapper: object.is_some(),
                    dynamic_object_name: object.clone(),
                });
            }
            InputKind::Text
            | InputKind::Textarea
            | InputKind::Password
            | InputKind::Number
            | InputKind::Email
            | InputKind::Url
            | InputKind::Boolean
            | InputKind::Switch => {}
        }
        shown
    }
}

impl DataSource {
    /// Where the options of inputs are.
    pub(super) fn all(
        of: Option<WorkflowId>,
        inputs: &[Input],
    ) -> impl Iterator<Item = (String, Self)> {
        inputs.iter().filter_map(move |input| {
            let InputKind::Enum { options } = &input.kind else { return None };
            let id = source_id(of, input);
            let choosable = |choice: &Choice| {
                let Choice { label, value } = choice.clone();
                Choosable { label, value }
            };
            let values = options.iter().map(choosable).collect();
            let title = input.title.clone();
            Some((id.clone(), Self { r#type: "STATIC_ENUM_DATA_SOURCE", id, title, values }))
        })
    }
}

/// What a user is asked for: every `{{settings.…}}` that the integration's own requests need, and
/// the account, where webhooks name one. Clients skip the form when there is nothing to ask, so
/// there always is.
pub(super) fn of_account(settings: &IntegrationSettings) -> Vec<UserInput> {
    let mut names = BTreeSet::new();
    let texts: Vec<&str> = match &settings.authorization {
        Authorization::None => Vec::new(),
        Authorization::Bearer { token } => vec![token],
        Authorization::Basic { username, password } => vec![username, password],
        Authorization::Header { name, value } | Authorization::Query { name, value } => {
            vec![name, value]
        }
        Authorization::OauthClientCredentials(credentials) => credentials.texts().collect(),
    };
    let own = [settings.base_url.as_str()].into_iter();
    let own = own.chain(settings.headers.values().map(String::as_str));
    for text in texts.into_iter().chain(own) {
        names.extend(settings_in(text));
    }
    let mut inputs: Vec<UserInput> = names
        .iter()
        .filter(|name| **name != ACCOUNT_INPUT)
        .map(|name| input(name, name, "PASSWORD"))
        .collect();
    if settings.webhook.is_some() || names.contains(ACCOUNT_INPUT) || inputs.is_empty() {
        inputs.push(input(ACCOUNT_INPUT, "Account ID", "TEXT_NO_VARS"));
    }
    inputs
}

fn input(id: &str, title: &str, kind: &'static str) -> UserInput {
    let required = id != ACCOUNT_INPUT;
    UserInput {
        id: id.to_owned(),
        title: title.to_owned(),
        r#type: kind,
        required,
        ..UserInput::default()
    }
}

/// The names after `{{settings.` in a text.
fn settings_in(text: &str) -> impl Iterator<Item = &str> {
    let variables = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    variables.filter_map(|(variable, _)| {
        let name = variable.trim().strip_prefix("settings.")?;
        let end = name.find(['.', '[', ' ']).unwrap_or(name.len());
        (end > 0).then_some(&name[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::settings_in;

    #[test]
    fn settings_are_found_in_templates() {
        let text = "https://{{ settings.shop }}.x/{{settings.a.b}}?k={{secrets.k}}{{settings.}}{{";
        assert_eq!(settings_in(text).collect::<Vec<_>>(), ["shop", "a"]);
    }
}
