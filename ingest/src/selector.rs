//! `X-Paragon-Credential`: for which of the user's accounts a request is.

use crate::door::Door;
use crate::problem::{CREDENTIAL_UNKNOWN, HEADER_MALFORMED, Outcome};
use axum::http::HeaderMap;
use domain::id::{CredentialId, ProjectId};
use domain::state::User;

const HEADER: &str = "x-paragon-credential";
const SELECTOR_LEN_MAX: usize = 512;
const EXTERNAL: &str = "ext:";

/// How a caller names an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Selector {
    /// By its id.
    Credential(CredentialId),
    /// By the customer's own name for it.
    External(String),
}

impl Selector {
    /// What the header says.
    pub(crate) fn of(headers: &HeaderMap) -> Outcome<Option<Self>> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| HEADER_MALFORMED.plain())?;
        if text.len() > SELECTOR_LEN_MAX {
            return Err(HEADER_MALFORMED.because("The credential selector is too long."));
        }
        Ok(Self::parse(text.trim()))
    }

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

impl Door {
    /// The account that the header selects. An id is taken as it is: whether the user has it is
    /// for the decision to say.
    pub(crate) async fn selected(
        &self,
        headers: &HeaderMap,
        project: ProjectId,
        user: &str,
    ) -> Outcome<Option<CredentialId>> {
        match Selector::of(headers)? {
            None => Ok(None),
            Some(Selector::Credential(id)) => Ok(Some(id)),
            Some(external) => {
                let row = self.user(project, user).await?;
                external.find(&row).map(Some).ok_or_else(|| external.unknown())
            }
        }
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
    }
}
