//! Switching workflows on and off.

use crate::auth::Caller;
use crate::command::Wish;
use crate::door::{Door, Shared};
use crate::idempotency::{IdempotencyKey, Within};
use crate::path::Address;
use crate::problem::{Outcome, WORKFLOW_UNKNOWN};
use crate::reply::{Nothing, Reply};
use crate::selector::Selection;
use axum::extract::State;
use domain::command::SwitchWorkflow;
use domain::id::WorkflowId;
use domain::meta::Actor;
use domain::state::User;

/// Switches the workflow on, for the selected account or the first at its integration.
pub(crate) async fn enable(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    sent: (IdempotencyKey, Selection),
) -> Outcome<Reply<Nothing>> {
    door.switch(&caller, &address, &sent, Position::On).await
}

/// Switches the workflow off.
pub(crate) async fn disable(
    State(door): State<Shared>,
    caller: Caller,
    address: Address,
    sent: (IdempotencyKey, Selection),
) -> Outcome<Reply<Nothing>> {
    door.switch(&caller, &address, &sent, Position::Off).await
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
        (key, selection): &(IdempotencyKey, Selection),
        position: Position,
    ) -> Outcome<Reply<Nothing>> {
        let workflow: WorkflowId = address.id("workflow", &WORKFLOW_UNKNOWN)?;
        let enabled = position == Position::On;
        let route = format!("workflows/{workflow}/{position:?}");
        let within = Within { project: caller.id, user: &caller.user, route: &route };
        let selector = selection.read()?;
        let named = selector.as_ref().map(ToString::to_string).unwrap_or_default();
        let identity = self.identity(key, &within, &[named.as_bytes()])?;
        let credential = self.selected(selector.as_ref(), caller, identity).await?;
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
        Ok(Reply::new(Nothing {}))
    }
}
