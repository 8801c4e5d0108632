//! Pages as an integration parts lists into them: `domain::paging`.

use super::{Asked, Found, Lost, NoPage, said};
use domain::paging::{Counted, Strategy};
use domain::webhook::Place;
use domain::workflow::template::resolve;
use domain::workflow::{PreconfiguredPagination, Request, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// What this page is asked for with. It stands in the request as a variable, so that nothing that a
/// provider says is taken for one.
const NEXT: &str = "{{self.pageToken.next}}";

/// The way to a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Cursor,
    Link,
    Offset,
    Page,
}

/// How far it has come: what is kept from page to page.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Progress {
    /// How this page is asked for.
    by: Way,
    /// With what; null: as the step says.
    next: Value,
    /// Results of the pages before it.
    seen: u64,
}

/// A request that goes on as its integration knows.
pub struct Preconfigured<'a> {
    strategy: &'a Strategy,
    output: Option<&'a Value>,
    /// Results that count, at most.
    limit: Option<u64>,
    /// Results that are left out first.
    skipped: u64,
    progress: Progress,
}

impl<'a> Preconfigured<'a> {
    pub(super) fn begin(
        strategy: &'a Strategy,
        told: &'a PreconfiguredPagination,
        scope: &mut Scope,
        bytes_max: usize,
    ) -> Result<Self, NoPage> {
        let number = |name, template: &Option<Value>| -> Result<Option<u64>, NoPage> {
            let Some(template) = template else { return Ok(None) };
            match resolve(template, scope, bytes_max)? {
                Value::Null => Ok(None),
                value => said::count(&value).map(Some).ok_or(NoPage::NotANumber(name)),
            }
        };
        let limit = number("limit", &told.limit)?;
        let mut skipped = number("skip", &told.skip)?.unwrap_or_default();
        let previous = told.previous_page.as_ref();
        let previous = previous.map(|template| resolve(template, scope, bytes_max)).transpose()?;
        let mut progress = Progress::first(strategy, previous.unwrap_or_default());
        if let Some(offset) = strategy.offset.as_ref().filter(|_| strategy.only_counts()) {
            // The offset leaves them out.
            if skipped > 0 {
                let begun = said::count(&progress.next).or(offset.first).unwrap_or_default();
                progress.next = Value::from(begun.saturating_add(skipped));
            }
            skipped = 0;
        }
        if let Ok(known) = serde_json::from_value(scope.own["pageToken"].clone()) {
            progress = known;
        }
        scope.own["pageToken"] = serde_json::to_value(&progress).unwrap_or_default();
        Ok(Self { strategy, output: told.output.as_ref(), limit, skipped, progress })
    }

    /// The request for this page.
    pub(super) fn ask(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let Progress { by, next, .. } = &self.progress;
        if *by == Way::Link && !next.is_null() {
            // It has everything that the first page was asked for with.
            NEXT.clone_into(&mut request.url);
            request.params.clear();
            return request;
        }
        let mut set = |name: &str, value: Value| {
            request.params.retain(|(known, _)| known != name);
            request.params.push((name.to_owned(), value));
        };
        if let Some(param) = self.param().filter(|_| !next.is_null()) {
            set(param, Value::from(NEXT));
        }
        if let Some(size) = &self.strategy.size
            && !request.params.iter().any(|(known, _)| *known == size.param)
        {
            let wanted = self.limit.map_or(u64::MAX, |limit| limit.saturating_add(self.skipped));
            let size_max = size.max.min(wanted.max(1));
            request.params.push((size.param.clone(), Value::from(size_max)));
        }
        request
    }

    /// The parameter that this page is asked for with.
    fn param(&self) -> Option<&str> {
        let strategy = self.strategy;
        match self.progress.by {
            Way::Cursor => strategy.cursor.as_ref().map(|cursor| cursor.param.as_str()),
            Way::Offset => strategy.offset.as_ref().map(|offset| offset.param.as_str()),
            Way::Page => strategy.page.as_ref().map(|page| page.param.as_str()),
            Way::Link => None,
        }
    }

    pub(super) fn read(&self, scope: &Scope, asked: Asked<'_>) -> Result<Found, Lost> {
        let results = self.results(scope, asked.bytes_max).map_err(|error| (error, Vec::new()))?;
        let (count, seen) = (results.len() as u64, self.progress.seen);
        let left_out = usize::try_from(self.skipped.saturating_sub(seen)).unwrap_or(usize::MAX);
        let counted = seen.saturating_sub(self.skipped);
        let room = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(counted));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let is_full = results.len().saturating_sub(left_out) >= room;
        let results: Vec<Value> = results.into_iter().skip(left_out).take(room).collect();
        if is_full {
            return Ok(Found { results, next: Value::Null });
        }
        match self.next(&scope.own["response"], (count, seen + count), asked.url) {
            Ok(None) => Ok(Found { results, next: Value::Null }),
            Ok(Some(next)) => {
                let next = serde_json::to_value(&next).unwrap_or_default();
                Ok(Found { results, next })
            }
            Err(error) => Err((error, results)),
        }
    }

    fn results(&self, scope: &Scope, bytes_max: usize) -> Result<Vec<Value>, NoPage> {
        let found = match self.output {
            Some(template) => resolve(template, scope, bytes_max)?,
            None => {
                let response = &scope.own["response"];
                let said = self.strategy.results.iter().map(|place| said::at(response, place));
                let list = said.clone().find(|value| value.is_array());
                let other = || said.clone().find(|value| !said::is_nothing(value));
                list.or_else(other).cloned().unwrap_or_default()
            }
        };
        match found {
            Value::Array(results) => Ok(results),
            Value::Null => Ok(Vec::new()),
            _ => Err(NoPage::NotAnArray),
        }
    }

    /// How the next page is asked for; `None`: this is the last.
    fn next(
        &self,
        response: &Value,
        (count, seen): (u64, u64),
        url: &Url,
    ) -> Result<Option<Progress>, NoPage> {
        let strategy = self.strategy;
        let says = |place: &Option<Place>, word: bool| {
            place.as_ref().is_some_and(|place| *said::at(response, place) == Value::Bool(word))
        };
        if says(&strategy.more, false) || says(&strategy.last, true) {
            return Ok(None);
        }
        let on = |by, next| Ok(Some(Progress { by, next, seen }));
        if let Some(cursor) = &strategy.cursor {
            let token = said::first(response, &cursor.at);
            if *token == self.progress.next && !token.is_null() {
                return Err(NoPage::SameToken);
            }
            if !token.is_null() {
                return on(Way::Cursor, token.clone());
            }
        }
        if let Some(next) = self.link(response, url)? {
            return on(Way::Link, Value::from(next));
        }
        let is_counted = |by| self.progress.by == by || self.progress.next.is_null();
        if let Some(offset) = strategy.offset.as_ref().filter(|_| is_counted(Way::Offset)) {
            let next = self.here(offset, 0).saturating_add(count);
            let total = count_at(response, strategy.total.as_ref());
            let first = offset.first.unwrap_or_default();
            let is_last =
                count == 0 || total.is_some_and(|total| next.saturating_sub(first) >= total);
            return if is_last { Ok(None) } else { on(Way::Offset, Value::from(next)) };
        }
        if let Some(page) = strategy.page.as_ref().filter(|_| is_counted(Way::Page)) {
            let next = self.here(page, 1).saturating_add(1);
            let first = page.first.unwrap_or(1);
            let pages = count_at(response, strategy.pages.as_ref());
            let total = count_at(response, strategy.total.as_ref());
            let is_last = count == 0
                || pages.is_some_and(|pages| next >= first.saturating_add(pages))
                || total.is_some_and(|total| seen >= total);
            return if is_last { Ok(None) } else { on(Way::Page, Value::from(next)) };
        }
        Ok(None)
    }

    /// The next page's address, if the answer gives one.
    fn link(&self, response: &Value, url: &Url) -> Result<Option<String>, NoPage> {
        let found = self.strategy.link.iter().find_map(|place| {
            let text = said::at(response, place);
            match place {
                Place::Header(name) if name == "link" => said::next_link(text.as_str()?),
                _ => text.as_str().filter(|text| !text.is_empty()),
            }
        });
        let Some(found) = found else { return Ok(None) };
        let next = url.join(found).map_err(|_| NoPage::NotAnAddress)?;
        if next == *url { Err(NoPage::SameToken) } else { Ok(Some(next.into())) }
    }

    /// The count that this page was asked for with.
    fn here(&self, counted: &Counted, first: u64) -> u64 {
        said::count(&self.progress.next).unwrap_or_else(|| counted.first.unwrap_or(first))
    }
}

impl Progress {
    fn first(strategy: &Strategy, previous: Value) -> Self {
        let is_address = previous.as_str().is_some_and(|text| Url::parse(text).is_ok());
        let by = match strategy {
            Strategy { link, .. } if !link.is_empty() && is_address => Way::Link,
            Strategy { cursor: Some(_), .. } if !previous.is_null() => Way::Cursor,
            Strategy { offset: Some(_), .. } => Way::Offset,
            Strategy { page: Some(_), .. } => Way::Page,
            Strategy { cursor: Some(_), .. } => Way::Cursor,
            _ => Way::Link,
        };
        Self { by, next: previous, seen: 0 }
    }
}

fn count_at(response: &Value, place: Option<&Place>) -> Option<u64> {
    place.and_then(|place| said::count(said::at(response, place)))
}
