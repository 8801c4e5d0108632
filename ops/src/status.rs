//! `/health/live`, `/health/ready`, `/metrics`.

use crate::meters::Meters;
use crate::node::{projections, seats};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::effect::RUNS_HEADER;
use ingest::problem::Code;
use ports::{Error, Partition};
use projections::World;
use projections::runner;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::sync::Arc;
use std::time::Instant;

/// Bounds of the histogram of requests, in seconds.
const BUCKETS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0, 60.0];

struct Status {
    world: World,
    meters: Arc<Meters>,
    registry: Registry,
    requests: HistogramVec,
    ends: IntGaugeVec,
    lags: IntGaugeVec,
    waiting: IntGauge,
}

/// Adds the addresses, and counts every request of the router.
///
/// # Errors
/// A metric is declared twice.
pub(crate) fn with_status(
    router: Router,
    world: &World,
    meters: Arc<Meters>,
    registry: Registry,
) -> Result<Router, prometheus::Error> {
    let status = Arc::new(Status::new(world.clone(), meters, registry)?);
    let counted = middleware::from_fn_with_state(status.clone(), count);
    let own = Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn(from_outside))
        .with_state(status);
    Ok(router.route_layer(counted).merge(own))
}

impl Status {
    fn new(
        world: World,
        meters: Arc<Meters>,
        registry: Registry,
    ) -> Result<Self, prometheus::Error> {
        let requests = HistogramVec::new(
            HistogramOpts::new("millrace_http_request_seconds", "Requests by route and status.")
                .buckets(BUCKETS.to_vec()),
            &["route", "status"],
        )?;
        let ends = IntGaugeVec::new(
            Opts::new("millrace_log_end", "Offset after the last record."),
            &["stream", "partition"],
        )?;
        let lags = IntGaugeVec::new(
            Opts::new("millrace_projection_lag", "Records that a projection has not folded."),
            &["projection", "partition"],
        )?;
        let waiting =
            IntGauge::new("millrace_callers_waiting", "Commands that a caller waits for.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(ends.clone()))?;
        registry.register(Box::new(lags.clone()))?;
        registry.register(Box::new(waiting.clone()))?;
        Ok(Self { world, meters, registry, requests, ends, lags, waiting })
    }

    async fn read(&self) -> Result<(), Error> {
        let log = &self.world.log;
        let callers = i64::try_from(self.world.answers.len()).unwrap_or(i64::MAX);
        self.waiting.set(callers);
        for seat in seats(log.partitions()) {
            let number = seat.number().to_string();
            let commands = log.end(seat.commands).await?;
            let events = log.end(seat.events).await?;
            self.ends.with_label_values(&["commands", number.as_str()]).set(commands);
            self.ends.with_label_values(&["events", number.as_str()]).set(events);
            for projection in projections() {
                let name = projection.name();
                let store = self.world.store.as_ref();
                let applied = runner::applied(store, projection.as_ref(), seat).await?;
                self.lags.with_label_values(&[name, number.as_str()]).set(events - applied);
            }
        }
        let config = log.end(Partition::CONFIG).await?;
        self.ends.with_label_values(&["config", "0"]).set(config);
        Ok(())
    }
}

async fn count(State(status): State<Arc<Status>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let code = response.status();
    status
        .requests
        .with_label_values(&[route, code.as_str()])
        .observe(began.elapsed().as_secs_f64());
    // What a workflow answers has no code: it is no refusal.
    if let Some(refused) = response.extensions().get::<&'static Code>()
        && (code == StatusCode::TOO_MANY_REQUESTS || code.is_server_error())
    {
        status.meters.refusal(refused.name);
    }
    response
}

/// Ready: the log answers and takes appends, the rows answer, and every owner works.
async fn ready(State(status): State<Arc<Status>>) -> Response {
    let read = status.read().await.map_err(|error| error.to_string());
    match read.and_then(|()| status.meters.ready()) {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response()
        }
    }
}

/// Steps may call this installation, and their addresses may be what somebody else wrote: what
/// needs no key is not for them.
async fn from_outside(request: Request, next: Next) -> Response {
    match request.headers().contains_key(RUNS_HEADER) {
        true => StatusCode::NOT_FOUND.into_response(),
        false => next.run(request).await,
    }
}

async fn metrics(State(status): State<Arc<Status>>) -> Response {
    if let Err(error) = status.read().await {
        tracing::warn!(%error, "metrics are incomplete");
    }
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    match encoder.encode(&status.registry.gather(), &mut text) {
        Ok(()) => {
            let kind = encoder.format_type().to_owned();
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
