//! The Prometheus recorder behind the `metrics` facade: one a process, however many servers live in it.

use std::sync::OnceLock;

use ::metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of every histogram whose name ends in `_seconds`.
const SECONDS: [f64; 16] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0,
];

/// Why metrics cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("metrics cannot be recorded: {0}")]
pub struct Error(String);

/// Installs the recorder at the first call; later calls do nothing. Metrics recorded before it are lost.
///
/// # Errors
/// When something else installed a recorder of its own.
pub fn install() -> Result<(), Error> {
    handle().map(|_| ())
}

/// Everything recorded so far, in Prometheus' text format.
///
/// # Errors
/// As [`install`].
pub fn render() -> Result<String, Error> {
    let handle = handle()?;
    if let Some(bytes) = resident_bytes() {
        gauge!("process_resident_memory_bytes").set(bytes);
    }
    Ok(handle.render())
}

/// Folds recorded samples into their histograms. Without this, or a scrape, they pile up in memory.
pub fn upkeep() {
    if let Ok(handle) = handle() {
        handle.run_upkeep();
    }
}

fn handle() -> Result<&'static PrometheusHandle, Error> {
    static HANDLE: OnceLock<Result<PrometheusHandle, Error>> = OnceLock::new();
    let made = HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .map_err(|error| Error(error.to_string()))?
            .build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).map_err(|error| Error(error.to_string()))?;
        Ok(handle)
    });
    made.as_ref().map_err(Clone::clone)
}

/// Resident memory of this process; `None` where /proc does not say.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use ::metrics::{counter, histogram};

    #[test]
    fn records_once_installed_however_often() {
        super::install().unwrap();
        super::install().unwrap();
        counter!("runtime_test_total").increment(2);
        histogram!("runtime_test_seconds").record(0.003);
        super::upkeep();
        let text = super::render().unwrap();
        assert!(text.contains("runtime_test_total 2"), "{text}");
        assert!(
            text.contains("runtime_test_seconds_bucket{le=\"0.005\"} 1"),
            "{text}"
        );
        assert!(text.contains("process_resident_memory_bytes"), "{text}");
    }
}
