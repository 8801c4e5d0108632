//! Webhooks that came.

use crate::auth::{Admin, Open};
use crate::door::Shared;
use crate::path::Address;
use crate::problem::{INTEGRATION_UNKNOWN, Outcome, QUERY_MALFORMED};
use crate::time::{iso, parse};
use axum::Json;
use axum::extract::State;
use domain::config::Project;
use domain::event::Verdict;
use domain::view::{Delivery, DeliveryFilter};
use serde_json::{Value, json};
use url::form_urlencoded;

const PAGE_LEN: usize = 100;

/// A page of webhooks, newest first: `?integration=&verdict=&delivery=&unmatched=&beforeDate=&afterDate=&offset=`.
pub(crate) async fn list(
    State(door): State<Shared>,
    _: Admin,
    open: Open,
    address: Address,
) -> Outcome<Json<Value>> {
    let filter = filter(address.query(), &open.project)?;
    let page = door.app.inbox.list(open.id, &filter).await?;
    let rows: Vec<Value> = page.rows.iter().map(view).collect();
    Ok(Json(json!({ "webhooks": rows, "total": page.total })))
}

fn view(row: &Delivery) -> Value {
    json!({
        "id": row.id,
        "dateReceived": iso(row.received_at),
        "integrationId": row.integration,
        "verdict": row.verdict,
        "delivery": row.delivery,
        "name": row.name,
        "providerId": row.provider_id,
        "repeated": row.repeated,
        "recipientCount": row.recipient_count,
        "size": row.size,
    })
}

fn filter(text: &str, project: &Project) -> Outcome<DeliveryFilter> {
    let mut filter = DeliveryFilter { limit: PAGE_LEN, ..DeliveryFilter::default() };
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let malformed = || QUERY_MALFORMED.because(format!("The parameter {name} cannot be read."));
        match &*name {
            "integration" => {
                let named = project.integration_named(&value);
                filter.integration = Some(named.ok_or_else(|| INTEGRATION_UNKNOWN.plain())?.id);
            }
            "verdict" => {
                let verdict: Option<Verdict> = serde_json::from_value(json!(value)).ok();
                filter.verdict = Some(verdict.ok_or_else(malformed)?);
            }
            "delivery" => filter.delivery = Some(value.into_owned()),
            "unmatched" => filter.unmatched = Some(value.parse().map_err(|_| malformed())?),
            "beforeDate" => filter.before = Some(parse(&value).ok_or_else(malformed)?),
            "afterDate" => filter.after = Some(parse(&value).ok_or_else(malformed)?),
            "offset" => filter.offset = value.parse().map_err(|_| malformed())?,
            _ => {}
        }
    }
    Ok(filter)
}
