//! `/healthz`, `/readyz`, `/metrics` and `/debug/pprof/` on the internal port.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::shutdown::Shutdown;
use crate::{metrics, profile};

/// A check that has not answered by then has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Checking = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Ask = Arc<dyn Fn() -> Checking + Send + Sync>;

#[derive(Clone)]
struct Check {
    ask: Ask,
    optional: bool,
}

/// What has to answer before this process should get work: a list of named checks, and facts beside them. Clones share
/// it.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Arc<RwLock<BTreeMap<String, Check>>>,
    facts: Arc<RwLock<BTreeMap<String, String>>>,
}

/// What `/readyz` says.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `ready`, `not_ready` or `draining`.
    pub status: &'static str,
    /// Each check by name.
    pub checks: BTreeMap<String, Outcome>,
    /// What was stated, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// How one check went.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Whether it passed.
    pub ok: bool,
    /// How long it took.
    pub latency_ms: u64,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether the process is ready without it, if with less.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Readiness {
    /// Nothing to wait for yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, or replaces the one of that name. It runs at every question to `/readyz`; its error text is shown
    /// there, so it must hold no secret.
    pub fn register<F, Fut>(&self, name: impl Into<String>, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name.into(), false, Arc::new(move || Box::pin(check())));
    }

    /// As [`register`](Self::register), for what the process can do without: its failure is shown and changes nothing.
    pub fn register_optional<F, Fut>(&self, name: impl Into<String>, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name.into(), true, Arc::new(move || Box::pin(check())));
    }

    fn add(&self, name: String, optional: bool, ask: Ask) {
        let mut checks = self.checks.write().unwrap_or_else(PoisonError::into_inner);
        checks.insert(name, Check { ask, optional });
    }

    /// States a fact for `/readyz` to show, or restates the one of that name; it must hold no secret.
    pub fn state(&self, name: impl Into<String>, fact: impl Into<String>) {
        let mut facts = self.facts.write().unwrap_or_else(PoisonError::into_inner);
        facts.insert(name.into(), fact.into());
    }

    /// Runs all checks at once; each has two seconds.
    pub async fn check(&self) -> Report {
        let checks = self
            .checks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut names: BTreeMap<_, _> = BTreeMap::new();
        let mut running = JoinSet::new();
        for (name, check) in checks {
            let Check { ask, optional } = check;
            let task = running.spawn(async move {
                let begun = Instant::now();
                let answer = match tokio::time::timeout(CHECK_TIMEOUT, ask()).await {
                    Ok(answer) => answer,
                    Err(_) => Err("no answer within 2 s".to_owned()),
                };
                (begun.elapsed(), answer)
            });
            names.insert(task.id(), (name, optional));
        }
        let mut outcomes = BTreeMap::new();
        while let Some(ended) = running.join_next_with_id().await {
            let (id, latency, answer) = match ended {
                Ok((id, (latency, answer))) => (id, latency, answer),
                Err(error) => (
                    error.id(),
                    Duration::ZERO,
                    Err("the check panicked".to_owned()),
                ),
            };
            let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
            let (name, optional) = names.remove(&id).unwrap_or_default();
            let outcome = Outcome {
                ok: answer.is_ok(),
                latency_ms,
                error: answer.err(),
                optional,
            };
            outcomes.insert(name, outcome);
        }
        let ready = outcomes
            .values()
            .all(|outcome| outcome.ok || outcome.optional);
        let facts = self.facts.read().unwrap_or_else(PoisonError::into_inner);
        Report {
            status: if ready { "ready" } else { "not_ready" },
            checks: outcomes,
            facts: facts.clone(),
        }
    }
}

/// The routes of the internal port; `/readyz` says 503 from the trigger of `shutdown` on.
pub fn router(readiness: Readiness, shutdown: Shutdown) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state((readiness, shutdown.clone()))
        .merge(profile::router(shutdown))
}

async fn readyz(State((readiness, shutdown)): State<(Readiness, Shutdown)>) -> Response {
    let mut report = readiness.check().await;
    if shutdown.is_triggered() {
        report.status = "draining";
    }
    let status = if report.status == "ready" {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report)).into_response()
}

async fn scrape() -> Response {
    match metrics::render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(router: &Router, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_is_the_sum_of_its_checks() {
        let readiness = Readiness::new();
        let shutdown = Shutdown::new();
        let router = router(readiness.clone(), shutdown.clone());
        assert_eq!(ask(&router, "/healthz").await, (200, "ok".to_owned()));
        assert_eq!(ask(&router, "/readyz").await.0, 200);

        readiness.register("store", || async { Ok(()) });
        readiness.register("bus", || async { Err("not connected".to_owned()) });
        readiness.register("cache", || async { panic!("on purpose") });
        let (status, body) = ask(&router, "/readyz").await;
        let report: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (status, report["status"].as_str()),
            (503, Some("not_ready"))
        );
        assert_eq!(report["checks"]["store"]["ok"], true);
        assert_eq!(report["checks"]["bus"]["error"], "not connected");
        assert_eq!(report["checks"]["cache"]["error"], "the check panicked");

        readiness.register("bus", || async { Ok(()) });
        readiness.register("cache", || async { Ok(()) });
        assert_eq!(ask(&router, "/readyz").await.0, 200);
        shutdown.trigger();
        let (status, body) = ask(&router, "/readyz").await;
        assert!(status == 503 && body.contains("draining"), "{body}");
        assert_eq!(ask(&router, "/healthz").await.0, 200);
    }

    #[tokio::test]
    async fn what_is_optional_is_shown_and_changes_nothing() {
        let readiness = Readiness::new();
        let router = router(readiness.clone(), Shutdown::new());
        readiness.register("store", || async { Ok(()) });
        let (_, body) = ask(&router, "/readyz").await;
        assert!(
            !body.contains("facts") && !body.contains("optional"),
            "{body}"
        );

        readiness.register_optional("cache", || async { Err("degraded: away".to_owned()) });
        readiness.state("store", "MariaDB 10.11");
        readiness.state("store", "MariaDB 11.4");
        let (status, body) = ask(&router, "/readyz").await;
        let report: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, report["status"].as_str()), (200, Some("ready")));
        let cache = &report["checks"]["cache"];
        assert_eq!(
            (&cache["ok"], &cache["optional"]),
            (&false.into(), &true.into())
        );
        assert_eq!(cache["error"], "degraded: away");
        assert_eq!(
            report["facts"],
            serde_json::json!({"store": "MariaDB 11.4"})
        );

        readiness.register("cache", || async { Err("away".to_owned()) });
        assert_eq!(ask(&router, "/readyz").await.0, 503);
    }

    #[tokio::test]
    async fn metrics_are_served_by_every_server_of_a_process() {
        metrics::install().unwrap();
        ::metrics::counter!("runtime_health_test_total").increment(1);
        for _ in 0..2 {
            let router = router(Readiness::new(), Shutdown::new());
            let (status, body) = ask(&router, "/metrics").await;
            assert!(
                status == 200 && body.contains("runtime_health_test_total 1"),
                "{body}"
            );
        }
    }
}
