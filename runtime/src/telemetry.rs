//! Logs, and traces when a collector is configured.

use std::io::{IsTerminal, stderr};
use std::panic::PanicHookInfo;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::set_global_default;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::log_line;

/// The variable of the OpenTelemetry specification that turns traces on.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is malformed; a loaded configuration has checked it already.
    #[error("log: {0}")]
    Filter(#[from] ParseError),
    /// Something in this process has set its own subscriber.
    #[error("logging was already set up in this process")]
    AlreadySet,
    /// The exporter refused its settings.
    #[error("{ENDPOINT}: {0}")]
    Exporter(String),
}

/// Keeps traces flowing; what is left is sent when it is dropped, within three seconds.
#[derive(Debug)]
#[must_use = "traces end when this is dropped"]
pub struct TelemetryGuard {
    provider: Option<SdkTracerProvider>,
}

impl TelemetryGuard {
    /// Sends what is left, without blocking the runtime that the exporter runs on.
    pub async fn shutdown(mut self) {
        if let Some(provider) = self.provider.take() {
            let flush = move || report(provider.shutdown_with_timeout(FLUSH_WITHIN));
            if let Err(error) = tokio::task::spawn_blocking(flush).await {
                tracing::warn!(%error, "traces were not flushed");
            }
        }
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            report(provider.shutdown_with_timeout(FLUSH_WITHIN));
        }
    }
}

/// Logs to standard error what `log` (a level or directives) lets through, panics included. With
/// `OTEL_EXPORTER_OTLP_ENDPOINT` set, spans of this workspace go there by OTLP over gRPC as `service_name`; that needs
/// a Tokio runtime around the call, and the guard must be dropped, or shut down, before that runtime ends.
///
/// # Errors
/// At the second call in a process, and when the exporter's endpoint is malformed.
pub fn init(
    log: &str,
    format: LogFormat,
    service_name: &'static str,
) -> Result<TelemetryGuard, Error> {
    let filter = filter(log)?;
    let provider = match std::env::var(ENDPOINT) {
        Ok(endpoint) if !endpoint.is_empty() => Some(exporting(service_name)?),
        _ => None,
    };
    let traces = provider
        .as_ref()
        .map(|provider| traces(provider.tracer(service_name)));
    let subscriber = Registry::default()
        .with(lines(format).with_filter(filter))
        .with(traces);
    set_global_default(subscriber).map_err(|_| Error::AlreadySet)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(TelemetryGuard { provider })
}

/// What `log` says, without what async_openai says: it logs what models answer.
fn filter(log: &str) -> Result<EnvFilter, ParseError> {
    let quiet = match log.contains("async_openai") {
        true => "",
        false => ",async_openai=off",
    };
    EnvFilter::try_new(format!("{log}{quiet}"))
}

fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = fmt::layer().with_writer(stderr);
    match format {
        LogFormat::Text => layer
            .with_ansi(stderr().is_terminal())
            .fmt_fields(log_line::fields())
            .boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    }
}

/// Spans of our own crates, at DEBUG those of single messages: the exporter's transport must not trace itself.
fn traces<S>(tracer: Tracer) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    OpenTelemetryLayer::new(tracer)
        .with_filter(Targets::new().with_target("lingxi", LevelFilter::DEBUG))
}

fn exporting(service_name: &'static str) -> Result<SdkTracerProvider, Error> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .build()
        .map_err(|error| Error::Exporter(error.to_string()))?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service_name).build())
        .build();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    opentelemetry::global::set_tracer_provider(provider.clone());
    Ok(provider)
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("(no message)");
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let backtrace = std::backtrace::Backtrace::capture();
    tracing::error!(%place, %backtrace, "panic: {message}");
}

fn report(flushed: opentelemetry_sdk::error::OTelSdkResult) {
    if let Err(error) = flushed {
        tracing::warn!(%error, "traces were not flushed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_call_is_refused_and_leaves_the_first() {
        let init = || init("info", LogFormat::Text, "lingxi-test");
        let guard = init().unwrap();
        assert!(matches!(init(), Err(Error::AlreadySet)));
        tracing::info!("still logging");
        drop(guard);
        drop(std::panic::take_hook());
    }

    #[test]
    fn what_models_answer_is_not_logged_unless_asked_for() {
        let quiet = |log: &str| {
            filter(log)
                .unwrap()
                .to_string()
                .contains("async_openai=off")
        };
        assert!(quiet("info") && quiet("warn,lingxi_gateway=debug") && quiet(""));
        assert!(!quiet("info,async_openai=debug"));
    }
}
