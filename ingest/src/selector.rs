//! `X-Paragon-Credential`: for which of the user's accounts a request is.

use crate::auth::Caller;
use crate::command::Identity;
use crate::door::Door;
use crate::openapi::{Input, Operation};
use crate::problem::{CREDENTIAL_UNKNOWN, HEADER_MALFORMED, Outcome};
use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use domain::id::CredentialId;
use domain::state::{Seen, User};
use std::convert::Infallible;
use std::fmt;
use uuid::Uuid;

const HEADER: &str = "x-paragon-credential";
const SELECTOR_LEN_MAX: usize = 512;
const EXTERNAL: &str = "ext:";

/// An account that no user has: what a repeat is about is in its first command, not in it.
pub(crate) const NO_ACCOUNT: CredentialId = CredentialId(Uuid::nil());

/// The `X-Paragon-Credential` that came with a request, if any.
pub(crate) struct Selection(Option<HeaderValue>);

impl Selection {
    /// The account that it names; `None` if it selects nothing.
    pub(crate) fn read(&self) -> Outcome<Option<Selector>> {
        let Some(value) = &self.0 else { return Ok(None) };
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| HEADER_MALFORMED.plain())?;
        if text.len() > SELECTOR_LEN_MAX {
            return Err(HEADER_MALFORMED.because("The credential selector is too long."));
        }
        Ok(Selector::parse(text.trim()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Selection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(HEADER).cloned()))
    }
}

impl Input for Selection {
    fn describe(operation: &mut Operation<'_>) {
        let what = "The connected account: its id, its external id, or ext:<external id>.";
        operation.hears("X-Paragon-Credential", what, SELECTOR_LEN_MAX);
    }
}

/// How a caller names an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Selector {
    /// By its id.
    Credential(CredentialId),
    /// By the customer's own name for it.
    External(String),
}

impl Selector {
    /// Reads a selector; `None` if it selects nothing. Existing clients take a UUID of version 0
    /// to 5 for a credential's id and everything else for an external id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if let Some(external) = text.strip_prefix(EXTERNAL) {
            return Some(Selector::External(external.to_owned()));
        }
        match text.parse::<CredentialId>() {
            Ok(id) if id.0.get_version_num() <= 5 => Some(Selector::Credential(id)),
            _ => Some(Selector::External(text.to_owned())),
        }
    }

    /// The account among those of the user.
    pub(crate) fn find(&self, user: &User) -> Option<CredentialId> {
        match self {
            Selector::Credential(id) => user.credentials.contains_key(id).then_some(*id),
            Selector::External(external) => {
                let named = user.credentials.iter().filter(|(_, c)| c.external_id == *external);
                named.min_by_key(|(id, c)| (c.connected_at, **id)).map(|(id, _)| *id)
            }
        }
    }

    /// The words in which existing clients report an account that is not there.
    pub(crate) fn unknown(&self) -> crate::problem::Problem {
        CREDENTIAL_UNKNOWN.because(match self {
            Selector::Credential(id) => format!("Credential with ID \"{id}\" not found."),
            Selector::External(name) => format!("Credential with externalId \"{name}\" not found."),
        })
    }
}

/// As it counts in what a repeat must have in common.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Credential(id) => write!(f, "{id}"),
            Selector::External(name) => write!(f, "{EXTERNAL}{name}"),
        }
    }
}

impl Door {
    /// The selected account. An id is taken as it is: whether the user has it is for the decision
    /// to say. A repeat is answered as the first time, also if the account is gone since.
    pub(crate) async fn selected(
        &self,
        selector: Option<&Selector>,
        caller: &Caller,
        identity: Identity,
    ) -> Outcome<Option<CredentialId>> {
        match selector {
            None => Ok(None),
            Some(Selector::Credential(id)) => Ok(Some(*id)),
            Some(external) => {
                let user = self.user(caller.id, &caller.user).await?;
                if let Some(found) = external.find(&user) {
                    return Ok(Some(found));
                }
                let first = self.seen(caller, identity).await?;
                first.map(|_| Some(NO_ACCOUNT)).ok_or_else(|| external.unknown())
            }
        }
    }

    /// What became of the request when it came for the first time. Look after the user: both are
    /// saved in one go, so that whoever no longer finds an account finds what took it away.
    pub(crate) async fn seen(&self, caller: &Caller, identity: Identity) -> Outcome<Option<Seen>> {
        if !identity.is_keyed() {
            return Ok(None);
        }
        Ok(self.app.directory.seen(caller.id, &caller.user, identity.id).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_are_told_apart() {
        let v4 = "a5e995c2-7709-43fd-9cdf-f759faa52497";
        let v7 = "0190163d-8694-739b-aea5-966c26f8ad91";
        let external = |text: &str| Some(Selector::External(text.to_owned()));
        assert_eq!(Selector::parse(v4), v4.parse().ok().map(Selector::Credential));
        assert_eq!(Selector::parse(v7), external(v7));
        assert_eq!(Selector::parse("work"), external("work"));
        assert_eq!(Selector::parse(&format!("ext:{v4}")), external(v4));
        assert_eq!(Selector::parse(""), None);
        for text in ["work", "ext:work"] {
            assert_eq!(Selector::parse(text).unwrap().to_string(), "ext:work");
        }
    }
}
