//! Times of many events, as quantiles.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Times from 1 µs to two minutes, in microseconds, to three digits.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u64>);

impl Times {
    /// No times yet.
    ///
    /// # Errors
    /// Never with these bounds; the histogram's own constructor says that it may.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, 120_000_000, 3)?))
    }

    /// Adds one; longer ones count as two minutes.
    pub fn add(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their quantiles.
    #[must_use]
    pub fn quantiles(&self) -> Latency {
        Latency::of(&self.0)
    }
}

/// Quantiles of a latency, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Latency {
    /// How many were timed.
    pub samples: u64,
    /// The quickest.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// Half were quicker.
    pub p50: f64,
    /// 90 of 100 were quicker.
    pub p90: f64,
    /// 99 of 100 were quicker.
    pub p99: f64,
    /// 999 of 1000 were quicker.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl Latency {
    /// Of a histogram of microseconds; all 0 when it is empty.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            samples: histogram.len(),
            min: histogram.min() as f64 / 1000.0,
            mean: histogram.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max() as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Times;
    use std::time::Duration;

    #[test]
    fn quantiles_are_milliseconds() {
        let mut times = Times::new().unwrap();
        assert_eq!(times.quantiles().max, 0.0);
        for ms in 1..=100 {
            times.add(Duration::from_millis(ms));
        }
        let seen = times.quantiles();
        let near = |value: f64, wanted: f64| (value - wanted).abs() <= wanted / 500.0;
        assert_eq!(seen.samples, 100);
        assert!(
            near(seen.min, 1.0) && near(seen.p50, 50.0) && near(seen.p99, 99.0),
            "{seen:?}"
        );
        assert!(near(seen.max, 100.0), "{seen:?}");
    }
}
