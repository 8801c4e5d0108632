//! Pages of a paginated request (seeds: requests/request-pagination).

use crate::http::{self, Answer};
use domain::decide::PAGES_MAX;
use domain::workflow::template::{Unresolved, resolve};
use domain::workflow::{Pagination, Scope, condition};
use serde_json::{Value, json};

/// What a page gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// What the step gives for it: status and headers, the results of the page, and the token of the
    /// next.
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
}

impl NoPage {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            NoPage::Unresolved(unresolved) => unresolved.code(),
            NoPage::NotAnArray | NoPage::Undecided(_) => "PAGE_INVALID",
            NoPage::SameToken | NoPage::TooMany => "PAGINATION_ENDLESS",
        }
    }
}

/// Reads the answer to the page `number`, from 0. With an error, the output has what there is.
///
/// # Errors
/// It is no page, or going on would not end; see [`NoPage`].
pub fn read(
    pagination: &Pagination,
    mut scope: Scope,
    answer: &Answer,
    (number, bytes_max): (u32, usize),
) -> Result<Page, (NoPage, Value)> {
    let mut response = http::value(answer);
    let asked_with = scope.own["pageToken"].take();
    scope.own = json!({ "response": response.clone(), "pageToken": asked_with });
    if let Value::Object(response) = &mut response {
        response.remove("body");
    }
    response["results"] = json!([]);
    let failed = |error: NoPage, response: &Value| (error, json!({ "response": response }));
    match resolve(&pagination.output, &scope, bytes_max) {
        Ok(results @ Value::Array(_)) => response["results"] = results,
        // A provider may leave an empty page out.
        Ok(Value::Null) => {}
        Ok(_) => return Err(failed(NoPage::NotAnArray, &response)),
        Err(error) => return Err(failed(error.into(), &response)),
    }
    let token = resolve(&pagination.page_token, &scope, bytes_max)
        .map_err(|error| failed(error.into(), &response))?;
    let stops = match &pagination.stop_when {
        None => false,
        Some(when) => condition::evaluate(when, &scope)
            .map_err(|error| failed(NoPage::Undecided(error.to_string()), &response))?,
    };
    let is_last = stops || matches!(&token, Value::Null | Value::Bool(false)) || token == "";
    if !is_last && token == scope.own["pageToken"] {
        return Err(failed(NoPage::SameToken, &response));
    }
    if !is_last && number + 1 >= PAGES_MAX {
        return Err(failed(NoPage::TooMany, &response));
    }
    let output = match is_last {
        true => json!({ "response": response }),
        false => json!({ "response": response, "pageToken": token }),
    };
    Ok(Page { output, goes_on: !is_last })
}

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
