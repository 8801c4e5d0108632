//! Field mappings on triggers: objects of the application as objects of the provider, and back
//! (behaviours.md 12; seeds: connect-portal/field-mapping, "Usage in Workflows").

use super::Trigger;
use serde_json::{Map, Value};

/// The trigger's output with its payload under `originalPayload`, and beside it the same object with
/// the fields of the other side, as the user mapped them: keys at its root only. `objectName` is the
/// kind of object that the user chose at the provider. A payload without mapped fields gives an empty
/// object.
pub fn mapped(trigger: &Trigger, mut output: Value, mapping: &Value) -> Value {
    let (payload, name) = match trigger {
        Trigger::AppEvent { .. } => (take(&mut output, "event"), "mappedIntegrationObject"),
        Trigger::Request(_) => {
            let request = output.get_mut("request");
            let body = request.map(|request| take(request, "body")).unwrap_or_default();
            (body, "mappedIntegrationObject")
        }
        Trigger::Webhook { .. } => (take(&mut output, "body"), "mappedApplicationObject"),
        // What has no payload has nothing to map.
        Trigger::Schedule(_) | Trigger::IntegrationEnabled => return output,
    };
    let is_inward = matches!(trigger, Trigger::Webhook { .. });
    let mut object = Map::new();
    for (application, integration) in pairs(mapping) {
        let (from, to) = match is_inward {
            true => (integration, application),
            false => (application, integration),
        };
        if let Some(value) = payload.get(from) {
            object.insert(to.to_owned(), value.clone());
        }
    }
    let Value::Object(mut whole) = output else { return output };
    let chosen = mapping.get("objectMapping").cloned().unwrap_or_default();
    whole.insert("objectName".into(), chosen);
    whole.insert("originalPayload".into(), payload);
    whole.insert(name.into(), Value::Object(object));
    Value::Object(whole)
}

fn take(output: &mut Value, key: &str) -> Value {
    let taken = output.as_object_mut().and_then(|output| output.remove(key));
    taken.unwrap_or_default()
}

/// Fields of the application with those of the provider: labels that the project file fixes, then
/// what the application's page gave.
fn pairs(mapping: &Value) -> impl Iterator<Item = (&str, &str)> {
    let fields = |key: &str| mapping.get(key).and_then(Value::as_object).into_iter().flatten();
    let fixed = fields("fieldMappings")
        .filter_map(|(label, field)| Some((label.as_str(), field.as_str()?)));
    let given = fields("dynamicMappings").filter_map(|(_, pair)| {
        let side = |name: &str| pair.get(name).and_then(Value::as_str);
        Some((side("applicationField")?, side("integrationField")?))
    });
    fixed.chain(given).filter(|(from, to)| !from.is_empty() && !to.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IntegrationId;
    use crate::workflow::RequestTrigger;
    use serde_json::json;

    fn mapping() -> Value {
        json!({
            "objectMapping": "Task",
            "fieldMappings": { "Title": "Subject", "Owner": "" },
            "dynamicMappings": { "0": { "applicationField": "done", "integrationField": "Status" },
                "1": { "applicationField": "gone" } },
        })
    }

    #[test]
    fn an_object_of_the_application_becomes_one_of_the_provider() {
        let payload =
            json!({ "Title": "Call", "done": true, "Owner": "a", "more": { "Title": 1 } });
        let trigger = Trigger::AppEvent { name: "e".into() };
        let expected = json!({
            "objectName": "Task",
            "originalPayload": payload,
            "mappedIntegrationObject": { "Subject": "Call", "Status": true },
        });
        assert_eq!(mapped(&trigger, json!({ "event": payload }), &mapping()), expected);
        let output = json!({ "request": { "headers": { "a": "b" }, "body": payload } });
        let mut with_request = expected;
        with_request["request"] = json!({ "headers": { "a": "b" } });
        let trigger = Trigger::Request(RequestTrigger::default());
        assert_eq!(mapped(&trigger, output, &mapping()), with_request);
    }

    #[test]
    fn an_object_of_the_provider_becomes_one_of_the_application() {
        let integration = IntegrationId(uuid::Uuid::nil());
        let trigger = Trigger::Webhook { name: "n".into(), integration };
        let body = json!({ "Subject": "Call", "Status": false, "Id": 7 });
        let output = json!({ "headers": {}, "params": {}, "body": body });
        let expected = json!({
            "headers": {}, "params": {},
            "objectName": "Task",
            "originalPayload": body,
            "mappedApplicationObject": { "Title": "Call", "done": false },
        });
        assert_eq!(mapped(&trigger, output, &mapping()), expected);
    }

    #[test]
    fn without_a_mapping_the_object_is_empty() {
        let trigger = Trigger::AppEvent { name: "e".into() };
        let given = mapped(&trigger, json!({ "event": { "a": 1 } }), &Value::Null);
        let expected = json!({ "objectName": null, "originalPayload": { "a": 1 },
            "mappedIntegrationObject": {} });
        assert_eq!(given, expected);
    }
}
