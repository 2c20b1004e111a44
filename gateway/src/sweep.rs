//! Removes files that nobody needs, now and then.

use std::time::Duration;

use lingxi_im::Im;
use lingxi_runtime::outage::Outage;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest and the shortest time between two looks.
const EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Between two batches: nobody waits for them.
const PAUSE: Duration = Duration::from_millis(200);

/// Removes them until `stop`; `unsent` is how long files are kept that no message has.
pub(crate) async fn run(im: Im, unsent: Duration, stop: CancellationToken) {
    let files = im.files();
    let every = (unsent / 8).clamp(EVERY.0, EVERY.1);
    let mut failing = Outage::of("removing files that nobody needs");
    loop {
        // What was claimed and not removed when it stops comes up again.
        let swept = tokio::select! {
            swept = files.sweep() => swept,
            () = stop.cancelled() => return,
        };
        let pause = match swept {
            Ok((removed, more)) => {
                failing.over(Instant::now());
                metrics::counter!("lingxi_files_swept_total").increment(removed);
                if more { PAUSE } else { every }
            }
            Err(error) => {
                failing.failed(Instant::now(), &error);
                every
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}
