//! What has to change so that a project is what a file asks for.

use super::change::{Change, Sign, Wanted};
use super::{Config, Desired, DesiredWorkflow, Project, secret_name, webhook_secret_name};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The difference between what stands and what is wanted, in the order in which it is written;
/// empty: nothing has to change. `fingerprints` are those of the file's secret values, by the names
/// of [`secret_name`] and [`webhook_secret_name`]; a secret without one stays as it is.
pub fn difference(
    config: &Config,
    desired: &Desired,
    fingerprints: &BTreeMap<String, String>,
) -> Vec<Change> {
    let current = config.project(desired.project.id);
    let mut found = Difference { current, desired, changes: Vec::new() };
    found.project();
    found.integrations();
    found.app_events();
    found.secrets(fingerprints);
    found.api_keys();
    found.workflows();
    found.changes
}

struct Difference<'a> {
    current: Option<&'a Project>,
    desired: &'a Desired,
    changes: Vec<Change>,
}

impl Difference<'_> {
    fn push(&mut self, sign: Sign, subject: String, detail: String, wanted: Wanted) {
        self.changes.push(Change { sign, subject, detail, wanted });
    }

    fn project(&mut self) {
        let after = &self.desired.project;
        let subject = format!("project {}", after.name);
        let wanted = Wanted::Project(after.clone());
        match self.current.map(|project| &project.settings) {
            None => self.push(Sign::Added, subject, String::new(), wanted),
            Some(before) if before == after => {}
            Some(before) => self.push(Sign::Changed, subject, fields(before, after), wanted),
        }
    }

    fn integrations(&mut self) {
        let desired = self.desired;
        for after in &desired.integrations {
            let before = self.current.and_then(|project| project.integrations.get(&after.id));
            let subject = format!("integration {}", after.kind);
            let wanted = || Wanted::Integration(after.clone());
            match before {
                None => self.push(Sign::Added, subject, String::new(), wanted()),
                Some(before) if **before == *after => {}
                Some(before) => {
                    self.push(Sign::Changed, subject, fields(&**before, after), wanted());
                }
            }
        }
        let kept: BTreeSet<_> = desired.integrations.iter().map(|after| after.id).collect();
        for (id, before) in self.current.into_iter().flat_map(|project| &project.integrations) {
            if !kept.contains(id) {
                let subject = format!("integration {}", before.kind);
                self.push(Sign::Removed, subject, String::new(), Wanted::NoIntegration(*id));
            }
        }
    }

    fn app_events(&mut self) {
        let desired = self.desired;
        let known = self.current.map(|project| &project.app_events);
        for (name, example) in &desired.app_events {
            let before = known.and_then(|known| known.get(name));
            // Compared as values: how the stored text is spaced does not count.
            let same = before.is_some_and(|text| {
                serde_json::from_str::<Value>(text).is_ok_and(|before| before == *example)
            });
            if let (false, Some(sign)) = (same, Sign::of(before.is_some(), true)) {
                let wanted = Wanted::AppEvent { name: name.clone(), example: example.clone() };
                self.push(sign, format!("app event {name}"), String::new(), wanted);
            }
        }
        for name in known.into_iter().flat_map(BTreeMap::keys) {
            if !desired.app_events.contains_key(name) {
                let wanted = Wanted::NoAppEvent { name: name.clone() };
                self.push(Sign::Removed, format!("app event {name}"), String::new(), wanted);
            }
        }
    }

    fn secrets(&mut self, fingerprints: &BTreeMap<String, String>) {
        let labels = self.secret_labels();
        for (name, label) in &labels {
            let before = self.current.and_then(|project| project.secrets.get(name));
            let same = match (before, fingerprints.get(name)) {
                (Some((before, _)), Some(after)) => before == after,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if let (false, Some(sign)) = (same, Sign::of(before.is_some(), true)) {
                let wanted = Wanted::Secret { name: name.clone() };
                self.push(sign, label.clone(), String::new(), wanted);
            }
        }
        let Some(project) = self.current else { return };
        for name in project.secrets.keys().filter(|name| !labels.contains_key(*name)) {
            let label = match name.split_once('/') {
                Some(("secret", name)) => format!("secret {name}"),
                Some(("webhook", id)) => {
                    let kind = project.integration_named(id).map_or(id, |known| &known.kind);
                    format!("webhook secret of {kind}")
                }
                // Secrets of another family are not the file's to remove.
                _ => continue,
            };
            let wanted = Wanted::NoSecret { name: name.clone() };
            self.push(Sign::Removed, label, String::new(), wanted);
        }
    }

    /// The secrets that the file wants: name and what people call it.
    fn secret_labels(&self) -> BTreeMap<String, String> {
        let environment =
            self.desired.secrets.iter().map(|name| (secret_name(name), format!("secret {name}")));
        let signed = self.desired.integrations.iter().filter(|known| known.webhook.is_some());
        let webhooks = signed.map(|known| {
            (webhook_secret_name(known.id), format!("webhook secret of {}", known.kind))
        });
        environment.chain(webhooks).collect()
    }

    fn api_keys(&mut self) {
        let desired = self.desired;
        let known = self.current.map(|project| &project.api_keys);
        for (name, hash) in &desired.api_keys {
            let before = known.and_then(|known| known.get(name));
            if let (false, Some(sign)) = (before == Some(hash), Sign::of(before.is_some(), true)) {
                let wanted = Wanted::ApiKey { name: name.clone(), hash: hash.clone() };
                self.push(sign, format!("API key {name}"), String::new(), wanted);
            }
        }
        for name in known.into_iter().flat_map(BTreeMap::keys) {
            if !desired.api_keys.contains_key(name) {
                let wanted = Wanted::NoApiKey { name: name.clone() };
                self.push(Sign::Removed, format!("API key {name}"), String::new(), wanted);
            }
        }
    }

    fn workflows(&mut self) {
        let desired = self.desired;
        for after in &desired.workflows {
            self.workflow(after);
        }
        let kept: BTreeSet<_> = desired.workflows.iter().map(|after| after.workflow.id).collect();
        for (id, _, before) in self.current.into_iter().flat_map(Project::deployed) {
            if !kept.contains(&id) {
                let wanted = Wanted::Workflow { id, saved: None, released: Some(0) };
                let subject = format!("workflow {}", before.name);
                self.push(Sign::Removed, subject, "undeployed".into(), wanted);
            }
        }
    }

    fn workflow(&mut self, after: &DesiredWorkflow) {
        let id = after.workflow.id;
        let versions = self.current.and_then(|project| project.workflows.get(&id));
        let newest = versions.and_then(|versions| versions.newest());
        let same = newest.is_some_and(|(_, before)| **before == after.workflow);
        let newest = newest.map_or(0, |(version, _)| version);
        let version = if same { newest } else { newest.saturating_add(1) };
        let running = versions.and_then(|versions| versions.released).unwrap_or(0);
        let wanted = if after.deployed { version } else { 0 };
        let released = (wanted != running).then_some(wanted);
        if same && released.is_none() {
            return;
        }
        let state = match (after.deployed, running) {
            (true, _) => "deployed",
            (false, 0) => "not deployed",
            (false, _) => "undeployed",
        };
        let sign = if newest == 0 { Sign::Added } else { Sign::Changed };
        let subject = format!("workflow {}", after.workflow.name);
        let saved = (!same).then(|| (version, after.workflow.clone()));
        let wanted = Wanted::Workflow { id, saved, released };
        self.push(sign, subject, format!("version {version}, {state}"), wanted);
    }
}

/// The fields that differ: `concurrency_max 50 → 60, hosts`.
fn fields<T: Serialize>(before: &T, after: &T) -> String {
    let object = |side: &T| match serde_json::to_value(side) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let (before, after) = (object(before), object(after));
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let lines = changed.map(|(name, value)| match (before.get(name), value) {
        (Some(Value::Number(old)), Value::Number(new)) => format!("{name} {old} → {new}"),
        (Some(Value::Bool(old)), Value::Bool(new)) => format!("{name} {old} → {new}"),
        _ => name.clone(),
    });
    lines.collect::<Vec<_>>().join(", ")
}
