//! The filters of a search.

use super::PAGE_LEN;
use crate::problem::{INTEGRATION_UNKNOWN, Outcome, Problem, QUERY_MALFORMED};
use crate::time;
use domain::config::Project;
use domain::view::{ExecutionFilter, Sort, Status};
use url::form_urlencoded::{self, Serializer};

const PARAMS_MAX: usize = 50;

/// The filters of a search, and as they were written.
pub(super) struct Query {
    pub(super) filter: ExecutionFilter,
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(text: &str, project: &Project) -> Outcome<Self> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes())
            .take(PARAMS_MAX)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let mut filter = ExecutionFilter { limit: PAGE_LEN, ..ExecutionFilter::default() };
        for (name, value) in &pairs {
            read(&mut filter, name, value, project)?;
        }
        Ok(Self { filter, pairs })
    }

    /// The same search from another offset on.
    pub(super) fn at(&self, offset: u64) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in &self.pairs {
            if name != "offset" && name != "sortBy" {
                query.append_pair(name, value);
            }
        }
        query.append_pair("sortBy", word(self.filter.sort));
        query.append_pair("offset", &offset.to_string());
        query.finish()
    }
}

/// Which attempt of a step is wanted, from 1; `None`: the last one.
pub(super) fn attempt(text: &str) -> Outcome<Option<usize>> {
    let named = form_urlencoded::parse(text.as_bytes()).find(|(name, _)| name == "attempt");
    let parsed = named.map(|(name, value)| {
        let number = value.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| malformed(&name, "a number from 1"))
    });
    parsed.transpose()
}

fn read(filter: &mut ExecutionFilter, name: &str, value: &str, project: &Project) -> Outcome<()> {
    match name {
        "userId" => filter.user = Some(value.to_owned()),
        "workflowId" => {
            filter.workflow = Some(value.parse().map_err(|_| malformed(name, "a UUID"))?);
        }
        "integration" => {
            let named = project.integration_named(value);
            filter.integration = Some(named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id);
        }
        "status" => {
            filter.statuses = Status::of_public(value);
            if filter.statuses.is_empty() {
                return Err(malformed(name, "EXECUTING, FAILED, SUCCEEDED or DELAYED"));
            }
        }
        "beforeDate" => filter.before = Some(date(name, value)?),
        "afterDate" => filter.after = Some(date(name, value)?),
        "offset" => {
            filter.offset = value.parse().map_err(|_| malformed(name, "a number from 0"))?;
        }
        "sortBy" => {
            filter.sort = match value {
                "ASC" => Sort::Ascending,
                "DESC" => Sort::Descending,
                _ => return Err(malformed(name, "ASC or DESC")),
            };
        }
        _ => {}
    }
    Ok(())
}

fn date(name: &str, value: &str) -> Outcome<domain::time::Timestamp> {
    time::parse(value).ok_or_else(|| malformed(name, "an ISO 8601 date"))
}

fn malformed(name: &str, expected: &str) -> Problem {
    QUERY_MALFORMED.because(format!("The parameter {name} must be {expected}."))
}

fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Ascending => "ASC",
        Sort::Descending => "DESC",
    }
}
