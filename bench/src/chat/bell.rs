//! Wakes senders when their messages are due, more exactly than the runtime's timers, which are a millisecond coarse.

use std::{sync::Arc, thread, time::Duration};

use tokio::{sync::Notify, time::Instant};

/// One bell a sender.
pub(crate) type Bells = Arc<Vec<Notify>>;

/// Bells that ring at a fixed rate over all senders, one after the other, from `start` to `end`.
pub(crate) fn ring(
    senders: usize,
    rate: f64,
    start: Instant,
    end: Instant,
) -> std::io::Result<Bells> {
    let bells: Bells = Arc::new((0..senders).map(|_| Notify::new()).collect());
    let weak = Arc::downgrade(&bells);
    let start = start.into_std();
    let end = end.into_std();
    thread::Builder::new()
        .name("pace".to_owned())
        .spawn(move || {
            for number in 0_u32.. {
                let due = start + Duration::from_secs_f64(f64::from(number) / rate);
                // Short naps, so that the thread does not outlive a run that was given up.
                while let Some(left) = due.checked_duration_since(std::time::Instant::now()) {
                    if left.is_zero() {
                        break;
                    }
                    thread::sleep(left.min(Duration::from_millis(100)));
                    if weak.strong_count() == 0 {
                        return;
                    }
                }
                let Some(bells) = weak.upgrade() else { return };
                if due >= end {
                    return;
                }
                if let Some(bell) = bells.get(number as usize % senders) {
                    bell.notify_one();
                }
            }
        })?;
    Ok(bells)
}

/// Bells that never ring, for a closed loop.
pub(crate) fn silent(senders: usize) -> Bells {
    Arc::new((0..senders).map(|_| Notify::new()).collect())
}
