//! For which users a workflow is.

use super::condition::evaluate;
use super::reference::{Reference, Root, references};
use super::{Condition, Scope, Workflow};
use serde_json::{Map, Value, json};

impl Workflow {
    /// Whether the workflow is for a user with this metadata; without permissions it is for everyone
    /// (seeds: connect-portal/workflow-permissions). What cannot be decided is no match.
    pub fn permits(&self, user: &str, metadata: &Value) -> bool {
        let Some(permissions) = &self.permissions else { return true };
        let mut settings = metadata.as_object().cloned().unwrap_or_default();
        settings.insert("metadata".into(), metadata.clone());
        settings.insert("userId".into(), json!(user));
        permitted(permissions, settings)
    }
}

fn permitted(permissions: &Condition, settings: Map<String, Value>) -> bool {
    let scope = Scope { settings, ..Scope::default() };
    evaluate(permissions, &scope).unwrap_or(false)
}

/// What permissions refer to that is not known of a user before anything runs.
pub(crate) fn unknown(permissions: &Condition) -> Vec<Reference> {
    match permissions {
        Condition::All(inner) | Condition::Any(inner) => inner.iter().flat_map(unknown).collect(),
        Condition::Rule(rule) => {
            let both = references(&rule.left).into_iter().chain(references(&rule.right));
            both.filter(|reference| reference.root != Root::Settings).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::condition::{Operator, Rule};

    fn rule(left: &str, right: Value) -> Condition {
        let left = json!(left);
        Condition::Rule(Rule { left, operator: Operator::ExactlyMatches, right })
    }

    #[test]
    fn metadata_is_read_by_field_or_as_a_whole_and_what_is_not_there_matches_nothing() {
        let metadata = json!({ "plan": "gold", "team": { "size": 3 } });
        let holds = |left: &str, right: Value| {
            let mut settings = metadata.as_object().cloned().unwrap();
            settings.insert("metadata".into(), metadata.clone());
            permitted(&rule(left, right), settings)
        };
        assert!(holds("{{settings.plan}}", json!("gold")));
        assert!(holds("{{userSettings.metadata.team.size}}", json!("3")));
        assert!(!holds("{{settings.tier}}", json!("gold")));
        // A step that is not there cannot be decided.
        assert!(!holds("{{nobody.result}}", Value::Null));
        assert_eq!(unknown(&rule("{{2.result}} {{settings.a}}", json!("{{secrets.K}}"))).len(), 2);
    }
}
