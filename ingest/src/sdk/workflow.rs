//! Switching workflows on and off.

use crate::auth::Caller;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::Within;
use crate::path::Address;
use crate::problem::{Outcome, WORKFLOW_UNKNOWN};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::command::SwitchWorkflow;
use domain::id::WorkflowId;
use domain::meta::Actor;
use domain::state::User;
use serde_json::{Value, json};

/// Switches the workflow on, for the selected account or the first at its integration.
pub(crate) async fn enable(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    headers: HeaderMap,
) -> Outcome<Json<Value>> {
    door.switch(&caller, &address, &headers, Position::On).await
}

/// Switches the workflow off.
pub(crate) async fn disable(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    headers: HeaderMap,
) -> Outcome<Json<Value>> {
    door.switch(&caller, &address, &headers, Position::Off).await
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Position {
    On,
    Off,
}

impl Door {
    async fn switch(
        &self,
        caller: &Caller,
        address: &Address,
        headers: &HeaderMap,
        position: Position,
    ) -> Outcome<Json<Value>> {
        let workflow: WorkflowId = address.id("workflow", &WORKFLOW_UNKNOWN)?;
        let credential = self.selected(headers, caller.id, &caller.user).await?;
        let enabled = position == Position::On;
        let route = format!("workflows/{workflow}/{position:?}");
        let within = Within { project: caller.id, user: &caller.user, route: &route };
        let selected = credential.map(|id| *id.bytes()).unwrap_or_default();
        let identity = self.identity(headers, &within, &[&selected])?;
        let command = SwitchWorkflow { workflow, credential, enabled }.into();
        self.decide(Wish { key: caller.key(), actor: Actor::User, identity, command }).await?;
        if !identity.is_keyed() {
            let integration = caller.project.released(workflow).map(|(_, w)| w.integration);
            let shows = |user: &User| {
                let first = || Some(*user.accounts_at(integration?).next()?.0);
                let account = credential.or_else(first).and_then(|id| user.credentials.get(&id));
                account.is_some_and(|account| account.enabled.contains(&workflow) == enabled)
            };
            self.user_with(caller.id, &caller.user, shows).await?;
        }
        Ok(Json(json!({})))
    }
}
