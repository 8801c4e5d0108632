//! What has to be opened before a step can be resolved.

use super::fields::{Template, each_of_authorization, each_template};
use super::{Reference, Root, references, references_in};
use crate::workflow::scope::Names;
use crate::workflow::template::has_braces;
use crate::workflow::{Authorization, Step};
use serde_json::Value;
use std::collections::BTreeSet;

/// What has to be opened before a step can be resolved. The same for every run of a version, so
/// it is worth keeping.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// The trigger's output.
    pub trigger: bool,
    /// Outputs of steps, by index.
    pub outputs: BTreeSet<u16>,
    /// The user's settings.
    pub settings: bool,
    /// Secrets, by name.
    pub secrets: BTreeSet<String>,
}

impl Needs {
    /// What a step needs; `names` are those of its workflow ([`crate::workflow::Workflow::names`]).
    /// What it names and is not there adds nothing: resolving will say so.
    pub fn of(step: &Step, names: &Names) -> Self {
        let mut needs = Self::default();
        each_template(&step.action, &mut |_, template| match template {
            Template::Text(text) => needs.add_text(text, names),
            Template::Value(value) => needs.add_value(value, names),
        });
        needs
    }

    /// Adds what an integration's authorization needs.
    pub fn add_authorization(&mut self, authorization: &Authorization) {
        each_of_authorization(authorization, &mut |_, template| {
            if let Template::Text(text) = template {
                self.add_text(text, &Names::new());
            }
        });
    }

    /// Adds what a text needs.
    pub fn add_text(&mut self, text: &str, names: &Names) {
        if has_braces(text) {
            references_in(text).for_each(|reference| self.add(&reference, names));
        }
    }

    /// Adds what a template needs.
    pub fn add_value(&mut self, template: &Value, names: &Names) {
        references(template).iter().for_each(|reference| self.add(reference, names));
    }

    /// Whether nothing has to be opened.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, reference: &Reference, names: &Names) {
        match &reference.root {
            Root::Trigger => self.trigger = true,
            Root::Settings => self.settings = true,
            Root::Number(number) => {
                let index = number.checked_sub(2).and_then(|index| u16::try_from(index).ok());
                self.outputs.extend(index.filter(|index| usize::from(*index) < names.len()));
            }
            Root::Name(name) => self.outputs.extend(names.get(name)),
            Root::Secret(name) => {
                if !self.secrets.contains(name) {
                    self.secrets.insert(name.clone());
                }
            }
            Root::Own | Root::Unreadable => {}
        }
    }
}

/// What a step needs: [`Needs::of`].
pub fn needs(step: &Step, names: &Names) -> Needs {
    Needs::of(step, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::StepId;
    use crate::workflow::{Action, Body, Method, Request};
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn a_step_needs_what_any_of_its_fields_refers_to() {
        let request = Request {
            method: Method::Post,
            url: "/users/{{1.event.userId}}".into(),
            params: vec![("page".into(), json!("{{2.result}}"))],
            headers: vec![("X-Key".into(), json!("{{secrets.KEY}}"))],
            body: Body::Json(json!({ "text": "{{pick.result.text}} {{gone.x}} {{9.x}}" })),
            authorization: Authorization::Bearer { token: "{{settings.oauthAccessToken}}".into() },
            timeout_ms: None,
            pagination: None,
        };
        let step = Step {
            id: StepId(Uuid::from_u128(1)),
            name: "post".into(),
            action: Action::Request(request),
            next: None,
            auto_retry: false,
            continue_on_error: false,
        };
        let names = Names::from([("a".into(), 0), ("pick".into(), 1), ("post".into(), 2)]);
        let expected = Needs {
            trigger: true,
            outputs: BTreeSet::from([0, 1]),
            settings: true,
            secrets: BTreeSet::from(["KEY".to_owned()]),
        };
        assert_eq!(needs(&step, &names), expected);
        assert!(!expected.is_empty());
    }

    #[test]
    fn an_integration_adds_the_needs_of_its_authorization() {
        let mut needs = Needs::default();
        needs.add_authorization(&Authorization::Basic {
            username: "{{settings.apiKey}}".into(),
            password: "{{secrets.SALT}}".into(),
        });
        assert!(needs.settings && needs.secrets.contains("SALT") && !needs.trigger);
    }
}
