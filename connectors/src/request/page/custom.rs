//! Pages as a step says how they go on.

use super::{Found, Lost, NoPage};
use domain::workflow::template::resolve;
use domain::workflow::{CustomPagination, Scope, condition};
use serde_json::Value;

pub(super) fn read(
    told: &CustomPagination,
    scope: &Scope,
    bytes_max: usize,
) -> Result<Found, Lost> {
    let results = match resolve(&told.output, scope, bytes_max) {
        Ok(Value::Array(results)) => results,
        // A provider may leave an empty page out.
        Ok(Value::Null) => Vec::new(),
        Ok(_) => return Err((NoPage::NotAnArray, Vec::new())),
        Err(error) => return Err((error.into(), Vec::new())),
    };
    match next(told, scope, bytes_max) {
        Ok(next) => Ok(Found { results, next }),
        Err(error) => Err((error, results)),
    }
}

/// What the next page is asked for with; null on the last page.
fn next(told: &CustomPagination, scope: &Scope, bytes_max: usize) -> Result<Value, NoPage> {
    let token = resolve(&told.page_token, scope, bytes_max)?;
    let stops = match &told.stop_when {
        None => false,
        Some(when) => condition::evaluate(when, scope)
            .map_err(|error| NoPage::Undecided(error.to_string()))?,
    };
    if stops || matches!(&token, Value::Null | Value::Bool(false)) || token == "" {
        return Ok(Value::Null);
    }
    if token == scope.own["pageToken"] { Err(NoPage::SameToken) } else { Ok(token) }
}
