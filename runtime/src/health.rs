//! `/healthz`, `/readyz` and `/metrics` on the internal port.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::metrics;
use crate::shutdown::Shutdown;

/// A check that has not answered by then has failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

type Checking = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Check = Arc<dyn Fn() -> Checking + Send + Sync>;

/// What has to answer before this process should get work: a list of named checks. Clones share it.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Arc<RwLock<BTreeMap<String, Check>>>,
}

/// What `/readyz` says.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `ready`, `not_ready` or `draining`.
    pub status: &'static str,
    /// Each check by name.
    pub checks: BTreeMap<String, Outcome>,
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
        let check: Check = Arc::new(move || Box::pin(check()));
        self.checks
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.into(), check);
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
            let task = running.spawn(async move {
                let begun = Instant::now();
                let answer = match tokio::time::timeout(CHECK_TIMEOUT, check()).await {
                    Ok(answer) => answer,
                    Err(_) => Err("no answer within 2 s".to_owned()),
                };
                (begun.elapsed(), answer)
            });
            names.insert(task.id(), name);
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
            let outcome = Outcome {
                ok: answer.is_ok(),
                latency_ms,
                error: answer.err(),
            };
            outcomes.insert(names.remove(&id).unwrap_or_default(), outcome);
        }
        let ready = outcomes.values().all(|outcome| outcome.ok);
        Report {
            status: if ready { "ready" } else { "not_ready" },
            checks: outcomes,
        }
    }
}

/// Answers on `listener` from now until the tasks of `shutdown` have ended, so that probes and scrapes work through the
/// drain; `/readyz` says 503 from the trigger on. Do not run it with [`Shutdown::spawn`] of the same system: it would
/// wait for itself.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    shutdown: Shutdown,
) -> io::Result<()> {
    let mut upkeep = tokio::time::interval(UPKEEP_EVERY);
    let server = axum::serve(listener, router(readiness, shutdown.clone()))
        .with_graceful_shutdown(async move { shutdown.drained().await });
    let mut server = std::pin::pin!(server.into_future());
    loop {
        tokio::select! {
            ended = &mut server => return ended,
            _ = upkeep.tick() => metrics::upkeep(),
        }
    }
}

/// The routes of [`serve`], for a process that adds more of its own to the internal port.
pub fn router(readiness: Readiness, shutdown: Shutdown) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state((readiness, shutdown))
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

    #[tokio::test]
    async fn serves_through_the_drain_and_ends_after_it() {
        let shutdown = Shutdown::new();
        let listener = crate::listener::bind("internal_listen", "127.0.0.1:0")
            .await
            .unwrap();
        let server = tokio::spawn(serve(listener, Readiness::new(), shutdown.clone()));
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        shutdown.spawn("draining", async move { drop(finished.await) });
        shutdown.trigger();
        tokio::task::yield_now().await;
        assert!(!server.is_finished());
        drop(finish);
        shutdown.wait_all(Duration::from_secs(5)).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), server)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}
