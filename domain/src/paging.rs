//! How providers part lists into pages, as data: `paging/strategies.yaml`. A provider that is not
//! there is told in a project file, in the same words.

use crate::definition::built_in;
use crate::webhook::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How lists are parted into pages. Where there are several ways to the next page, it is the first
/// of cursor, link, offset and page that the answer says something for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strategy {
    /// Where the provider describes it; empty where a project file tells it.
    pub source: String,
    /// Where a page's results are: the first of these that is a list. Empty: the step says.
    pub results: Vec<Place>,
    /// The answer gives something that the next page is asked for with.
    pub cursor: Option<Cursor>,
    /// The answer gives the next page's address: the first of these that is there. Of the header
    /// `link` it is what has `rel="next"`.
    pub link: Vec<Place>,
    /// The next page is asked for by how many results came before it.
    pub offset: Option<Counted>,
    /// The next page is asked for by its number.
    pub page: Option<Counted>,
    /// How many results a page has.
    pub size: Option<Size>,
    /// Whether there are more: `false` on the last page.
    pub more: Option<Place>,
    /// Whether it is the last: `true` on the last page.
    pub last: Option<Place>,
    /// How many results there are over all pages.
    pub total: Option<Place>,
    /// How many pages there are.
    pub pages: Option<Place>,
}

impl Strategy {
    /// Whether no answer says more of the next page than that there is one.
    pub fn only_counts(&self) -> bool {
        self.cursor.is_none() && self.link.is_empty()
    }
}

/// What the next page is asked for with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The query parameter.
    pub param: String,
    /// Where the answer has it: the first of these that is there.
    pub at: Vec<Place>,
}

/// A count that the next page is asked for with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// The query parameter.
    pub param: String,
    /// What it is for the first page; for an offset 0, for a page 1.
    pub first: Option<u64>,
}

/// How many results a page has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// The query parameter.
    pub param: String,
    /// As many as the provider gives.
    pub max: u64,
}

/// How an integration's lists are parted into pages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Paging {
    /// As a provider's, by its type ([`names`]).
    Named(String),
    /// As a project file tells.
    Own(Box<Strategy>),
}

impl Paging {
    /// The strategy; `None`: there is none of that name.
    pub fn strategy(&self) -> Option<&Strategy> {
        match self {
            Self::Named(name) => STRATEGIES.get(name),
            Self::Own(strategy) => Some(strategy),
        }
    }
}

static STRATEGIES: LazyLock<BTreeMap<String, Strategy>> = LazyLock::new(|| {
    // The file is compiled in, and a test reads it: a mistake in it never ships.
    let strategies = built_in(include_str!("paging/strategies.yaml"));
    serde_json::from_value(strategies).unwrap_or_default()
});

/// The types of providers whose strategy is known, as project files write them.
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> =
        LazyLock::new(|| STRATEGIES.keys().map(String::as_str).collect());
    &NAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pre-configured pagination (seeds: workflows/requests/request-pagination).
    const PRECONFIGURED: [&str; 11] = [
        "asana",
        "azuredevops",
        "dynamicsbusinesscentral",
        "dynamicsfinance",
        "jira",
        "microsoftDynamics",
        "microsoftTeams",
        "onedrive",
        "outlook",
        "salesforce",
        "sharepoint",
    ];

    #[test]
    fn the_file_says_of_every_strategy_how_it_goes_on() {
        let file = built_in(include_str!("paging/strategies.yaml"));
        let all: BTreeMap<String, Strategy> = serde_json::from_value(file).unwrap();
        for (name, strategy) in &all {
            assert!(strategy.source.starts_with("https://"), "{name}");
            let counts = strategy.offset.is_some() || strategy.page.is_some();
            assert!(strategy.cursor.is_some() || !strategy.link.is_empty() || counts, "{name}");
        }
        for name in PRECONFIGURED {
            let results = all.get(name).map(|strategy| strategy.results.len());
            assert!(results.is_some_and(|count| count > 0), "{name}");
        }
        assert_eq!(names().len(), all.len());
    }
}
