//! The queries of Task History.

use super::PAGE_LEN;
use super::view::Status;
use crate::problem::{INTEGRATION_UNKNOWN, Outcome};
use crate::query::{Parameter, Queried, Query, word};
use crate::time::{Iso, parse};
use domain::config::Project;
use domain::id::WorkflowId;
use domain::view::{self, ExecutionFilter, Sort};
use schemars::JsonSchema;
use serde::Deserialize;
use std::num::NonZeroUsize;
use url::form_urlencoded::Serializer;

/// Which executions are looked for.
#[derive(Default)]
pub(crate) struct Search {
    filter: ExecutionFilter,
    /// By id or kind.
    integration: Option<String>,
}

/// In which order executions are listed, by when they began.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
enum SortBy {
    Asc,
    Desc,
}

impl Queried for Search {
    const PARAMETERS: &'static [Parameter<Self>] = &[
        Parameter::new::<String>("userId", "a text", |search, value| {
            search.filter.user = Some(value.to_owned());
            Some(())
        }),
        Parameter::new::<WorkflowId>("workflowId", "a UUID", |search, value| {
            search.filter.workflow = Some(value.parse().ok()?);
            Some(())
        }),
        Parameter::new::<String>("integration", "a text", |search, value| {
            search.integration = Some(value.to_owned());
            Some(())
        }),
        Parameter::new::<Status>(
            "status",
            "EXECUTING, FAILED, SUCCEEDED or DELAYED",
            |search, value| {
                search.filter.statuses = view::Status::of_public(value);
                (!search.filter.statuses.is_empty()).then_some(())
            },
        ),
        Parameter::new::<Iso>("beforeDate", "an ISO 8601 date", |search, value| {
            search.filter.before = Some(parse(value)?);
            Some(())
        }),
        Parameter::new::<Iso>("afterDate", "an ISO 8601 date", |search, value| {
            search.filter.after = Some(parse(value)?);
            Some(())
        }),
        Parameter::new::<u64>("offset", "a number from 0", |search, value| {
            search.filter.offset = value.parse().ok()?;
            Some(())
        }),
        Parameter::new::<SortBy>("sortBy", "ASC or DESC", |search, value| {
            search.filter.sort = match word(value)? {
                SortBy::Asc => Sort::Ascending,
                SortBy::Desc => Sort::Descending,
            };
            Some(())
        }),
    ];
}

impl Search {
    pub(super) fn filter(self, project: &Project) -> Outcome<ExecutionFilter> {
        let Self { mut filter, integration } = self;
        if let Some(name) = integration {
            let named = project.integration_named(&name);
            filter.integration = Some(named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id);
        }
        filter.limit = PAGE_LEN;
        Ok(filter)
    }
}

impl Query<Search> {
    /// The same search from another offset on.
    pub(super) fn at(&self, sort: Sort, offset: u64) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.pairs() {
            if name != "offset" && name != "sortBy" {
                query.append_pair(&name, &value);
            }
        }
        query.append_pair("sortBy", sorted(sort));
        query.append_pair("offset", &offset.to_string());
        query.finish()
    }
}

fn sorted(sort: Sort) -> &'static str {
    match sort {
        Sort::Ascending => "ASC",
        Sort::Descending => "DESC",
    }
}

/// Which attempt of a step is wanted, from 1; `None`: the last one.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(super) attempt: Option<usize>,
}

impl Queried for Wanted {
    const PARAMETERS: &'static [Parameter<Self>] =
        &[Parameter::new::<NonZeroUsize>("attempt", "a number from 1", |wanted, value| {
            wanted.attempt = Some(value.parse::<NonZeroUsize>().ok()?.get());
            Some(())
        })];
}
