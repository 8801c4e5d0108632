//! Pages of a paginated request (seeds: requests/request-pagination).

mod custom;
mod preconfigured;
mod said;

use crate::http::{self, Answer};
use domain::config::IntegrationSettings;
use domain::decide::PAGES_MAX;
use domain::workflow::template::Unresolved;
use domain::workflow::{CustomPagination, Pagination, Request, Scope};
use preconfigured::Preconfigured;
use serde_json::{Value, json};
use std::borrow::Cow;
use url::Url;

/// What a page gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// What the step gives for it: status and headers, the results of the page, and what the next
    /// is asked for with.
    pub output: Value,
    /// Whether there are more.
    pub goes_on: bool,
}

/// Why a page is no use.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoPage {
    /// What is taken from the answer cannot be resolved.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// The results are no array.
    #[error("the output of the page is no array")]
    NotAnArray,
    /// The condition has no answer.
    #[error("{0}")]
    Undecided(String),
    /// The token is the one that the page was asked for with.
    #[error("the page gives the token that it was asked for with")]
    SameToken,
    /// There are too many pages.
    #[error("there are more than {PAGES_MAX} pages")]
    TooMany,
    /// The integration does not say how it goes on.
    #[error("the integration has no pagination")]
    NotConfigured,
    /// An option is no whole number from 0.
    #[error("`{0}` of the pagination is no whole number from 0")]
    NotANumber(&'static str),
    /// The next page's address is none.
    #[error("the page gives no address of the next")]
    NotAnAddress,
}

impl NoPage {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            NoPage::Unresolved(unresolved) => unresolved.code(),
            NoPage::NotAnArray
            | NoPage::Undecided(_)
            | NoPage::NotConfigured
            | NoPage::NotANumber(_)
            | NoPage::NotAnAddress => "PAGE_INVALID",
            NoPage::SameToken | NoPage::TooMany => "PAGINATION_ENDLESS",
        }
    }
}

/// How a request goes on to further pages.
pub enum Pages<'a> {
    /// It does not.
    None,
    /// As the step says.
    Custom(&'a CustomPagination),
    /// As the integration parts lists.
    Preconfigured(Box<Preconfigured<'a>>),
}

/// What an answer is to.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The page, from 0.
    pub number: u32,
    /// The address.
    pub url: &'a Url,
    /// Largest results, in bytes.
    pub bytes_max: usize,
}

impl<'a> Pages<'a> {
    /// How a request goes on. Where the integration knows how, the scope gets what this page is
    /// asked for with.
    ///
    /// # Errors
    /// Nothing says how, or an option cannot be read.
    pub fn of(
        request: &'a Request,
        integration: &'a IntegrationSettings,
        scope: &mut Scope,
        bytes_max: usize,
    ) -> Result<Self, NoPage> {
        Ok(match &request.pagination {
            None => Self::None,
            Some(Pagination::Custom(told)) => Self::Custom(told),
            Some(Pagination::Preconfigured(told)) => {
                let strategy = integration.paging.as_ref().and_then(|paging| paging.strategy());
                let strategy = strategy.ok_or(NoPage::NotConfigured)?;
                let pages = Preconfigured::begin(strategy, told, scope, bytes_max)?;
                Self::Preconfigured(Box::new(pages))
            }
        })
    }

    /// Whether it may have more than one page.
    pub fn are_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The request for this page.
    pub fn ask<'r>(&self, request: &'r Request) -> Cow<'r, Request> {
        match self {
            Self::None | Self::Custom(_) => Cow::Borrowed(request),
            Self::Preconfigured(pages) => Cow::Owned(pages.ask(request)),
        }
    }

    /// Reads the answer to a page. With an error, the output has what there is.
    ///
    /// # Errors
    /// It is no page, or going on would not end; see [`NoPage`].
    pub fn read(
        &self,
        mut scope: Scope,
        answer: &Answer,
        asked: Asked<'_>,
    ) -> Result<Page, (NoPage, Value)> {
        let mut response = http::value(answer);
        let asked_with = scope.own["pageToken"].take();
        scope.own = json!({ "response": response.clone(), "pageToken": asked_with });
        let found = match self {
            Self::None => Ok(Found { results: Vec::new(), next: Value::Null }),
            Self::Custom(told) => custom::read(told, &scope, asked.bytes_max),
            Self::Preconfigured(pages) => pages.read(&scope, asked),
        };
        if let Value::Object(response) = &mut response {
            response.remove("body");
        }
        let (results, next) = match found {
            Ok(Found { results, next }) => (results, Ok(next)),
            Err((error, results)) => (results, Err(error)),
        };
        response["results"] = Value::Array(results);
        let next = next.and_then(|next| bounded(next, asked.number));
        match next {
            Ok(Value::Null) => Ok(Page { output: json!({ "response": response }), goes_on: false }),
            Ok(next) => {
                let output = json!({ "response": response, "pageToken": next });
                Ok(Page { output, goes_on: true })
            }
            Err(error) => Err((error, json!({ "response": response }))),
        }
    }
}

fn bounded(next: Value, number: u32) -> Result<Value, NoPage> {
    if next.is_null() || number + 1 < PAGES_MAX { Ok(next) } else { Err(NoPage::TooMany) }
}

/// What was found in an answer.
struct Found {
    /// What counts of the page.
    results: Vec<Value>,
    /// What the next page is asked for with; null: there is none.
    next: Value,
}

/// Nothing more, and what of the page's results counts all the same.
type Lost = (NoPage, Vec<Value>);

/// What a step gives whose page failed for good: nothing of this page, and the error beside what was
/// got before.
pub fn failed(status: Option<u16>, message: &str) -> Value {
    let message = match status {
        Some(status) => {
            let reason = hyper::StatusCode::from_u16(status).ok();
            let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or("Error");
            format!("{status} - {reason}")
        }
        None => message.to_owned(),
    };
    json!({ "response": { "results": [], "error": { "message": message } } })
}
