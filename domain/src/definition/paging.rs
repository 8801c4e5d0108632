//! Requests that leave to their integration how they go on to further pages.

use super::flatten::Placed;
use super::mistake::Mistakes;
use crate::config::IntegrationSettings;
use crate::workflow::{Action, Pagination};

/// Notes those that nobody can go on with.
pub(super) fn note(
    placed: &[Placed<'_>],
    integration: Option<&IntegrationSettings>,
    mistakes: &mut Mistakes,
) {
    for placed in placed {
        let (key, request, integration) = match &placed.step.action {
            Action::Request(request) => ("request", request, None),
            Action::IntegrationRequest(request) => ("integration_request", request, integration),
            _ => continue,
        };
        let Some(Pagination::Preconfigured(told)) = &request.pagination else { continue };
        let path = placed.path.key(key).key("pagination");
        let node = placed.node.get(key).and_then(|inner| inner.get("pagination"));
        let at = node.map_or(placed.node.at, |node| node.at);
        let paging = integration.and_then(|settings| settings.paging.as_ref()?.strategy());
        let (problem, mend) = match paging {
            None => (
                "nothing says how it goes on to further pages",
                "add `output` and `page_token`, or `pagination` to the integration",
            ),
            Some(strategy) if strategy.results.is_empty() && told.output.is_none() => (
                "nothing says where the results of a page are",
                "add `output`, as `{{self.response.body.items}}`",
            ),
            Some(_) => continue,
        };
        if !mistakes.within(&path) {
            mistakes.add(at, &path, problem, mend);
        }
    }
}
