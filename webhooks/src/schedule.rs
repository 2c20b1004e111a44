//! When a delivery is tried again.

use std::time::Duration;

use lingxi_store::Next;
use rand::RngExt as _;

/// The longest that a server may ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// What becomes of a delivery after each failed attempt.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    waits: Vec<Duration>,
    hold: i64,
}

impl Schedule {
    /// With these waits between attempts; a conversation waits until `hold` attempts have failed.
    pub(crate) fn new(waits: Vec<Duration>, hold: i64) -> Self {
        Self { waits, hold }
    }

    /// What comes after `failed` attempts have, the last of them with the server's wish for a pause. Waits differ by a fifth,
    /// so that what failed together does not come back together.
    pub(crate) fn after(&self, failed: i64, asked: Option<Duration>) -> Next {
        let at = usize::try_from(failed - 1).unwrap_or(0);
        let Some(wait) = self.waits.get(at) else {
            return Next::Dead;
        };
        let wait = wait.mul_f64(rand::rng().random_range(0.8..1.2));
        let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
        let wait = i64::try_from(wait.max(asked).as_millis()).unwrap_or(i64::MAX);
        match failed < self.hold {
            true => Next::Hold(wait),
            false => Next::Pass(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_then_passes_then_gives_up() {
        let waits = vec![Duration::from_secs(10); 3];
        let schedule = Schedule::new(waits, 3);
        let fits = |wait: i64| (8_000..12_000).contains(&wait);
        assert!(matches!(schedule.after(1, None), Next::Hold(wait) if fits(wait)));
        assert!(matches!(schedule.after(2, None), Next::Hold(wait) if fits(wait)));
        assert!(matches!(schedule.after(3, None), Next::Pass(wait) if fits(wait)));
        assert_eq!(schedule.after(4, None), Next::Dead);
        let minute = Some(Duration::from_secs(60));
        assert_eq!(schedule.after(1, minute), Next::Hold(60_000));
        let year = Some(Duration::from_secs(31_536_000));
        assert_eq!(schedule.after(3, year), Next::Pass(3_600_000));
        let none = Schedule::new(Vec::new(), 3);
        assert_eq!(none.after(1, None), Next::Dead);
    }
}
