//! What happened to a connected user, into the user's row.

use crate::event::{CredentialConnected, Event, SettingsSaved};
use crate::id::CredentialId;
use crate::key::Key;
use crate::meta::Meta;
use crate::state::{Credential, Row, RowKey, Rows, Saved, User};
use crate::time::Timestamp;

pub(super) fn fold(rows: &mut Rows, meta: &Meta, event: &Event) {
    if let (Event::UserDeleted(_), Some(Key::User(project, user))) = (event, meta.parsed_key()) {
        rows.remove(&RowKey::User(project, user));
        return;
    }
    // A user exists from the first record on.
    let Some(user) = user_of(rows, meta) else { return };
    apply(user, event, meta.occurred_at);
}

/// What an event makes of a user; nothing, if it is about something else.
pub(crate) fn apply(user: &mut User, event: &Event, at: Timestamp) {
    match event {
        Event::CredentialConnected(e) => connected(user, e, at),
        Event::CredentialRemoved(e) => drop(user.credentials.remove(&e.credential)),
        Event::WorkflowSwitched(e) => account(user, e.credential, |account| {
            if e.enabled {
                account.enabled.insert(e.workflow);
            } else {
                account.enabled.remove(&e.workflow);
            }
        }),
        Event::SettingsSaved(e) => account(user, e.credential, |account| saved(account, e)),
        Event::IntegrationEnabled(e) => {
            account(user, e.credential, |account| account.settings.announced = true);
        }
        Event::UserDescribed(e) => user.metadata = Some(e.sealed.clone()),
        Event::UserSwitched(e) => user.disabled = !e.enabled,
        _ => {}
    }
}

fn user_of<'a>(rows: &'a mut Rows, meta: &Meta) -> Option<&'a mut User> {
    let Some(Key::User(project, user)) = meta.parsed_key() else { return None };
    let key = RowKey::User(project, user);
    if !rows.contains(&key) {
        rows.put(key.clone(), Row::User(User::default()));
    }
    rows.user_mut(&key)
}

/// Changes an account, if it is still there.
fn account(user: &mut User, id: CredentialId, change: impl FnOnce(&mut Credential)) {
    if let Some(account) = user.credentials.get_mut(&id) {
        change(account);
    }
}

fn connected(user: &mut User, e: &CredentialConnected, at: Timestamp) {
    let old = user.credentials.remove(&e.credential);
    let connected_at = old.as_ref().map_or(at, |old| old.connected_at);
    let (enabled, settings) = old.map(|old| (old.enabled, old.settings)).unwrap_or_default();
    let credential = Credential {
        integration: e.integration,
        configuration: e.configuration,
        provider_id: e.provider_id.clone(),
        external_id: e.external_id.clone(),
        payload: e.sealed.clone(),
        connected_at,
        refreshed_at: at,
        enabled,
        settings,
    };
    user.credentials.insert(e.credential, credential);
}

fn saved(account: &mut Credential, e: &SettingsSaved) {
    let saved =
        Saved { filled: e.filled.iter().cloned().collect(), sealed: Some(e.sealed.clone()) };
    match e.workflow {
        Some(workflow) => drop(account.settings.workflows.insert(workflow, saved)),
        None => account.settings.shared = saved,
    }
}
