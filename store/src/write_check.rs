//! One proof of a write, for all who ask.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Error, Result};

/// How long an answer holds, however many ask.
const FRESH: Duration = Duration::from_secs(1);
/// A write that takes longer is no service.
const LONGEST: Duration = Duration::from_millis(1_800);

/// The last proof, shared by all who ask.
#[derive(Clone, Default)]
pub(crate) struct WriteCheck(Arc<Mutex<Option<Proof>>>);

struct Proof {
    at: Instant,
    outcome: std::result::Result<(), String>,
}

impl WriteCheck {
    /// What the last write came to, or `write` does, where that is no longer fresh.
    pub(crate) async fn proof(&self, write: impl Future<Output = Result<()>>) -> Result<()> {
        let mut last = self.0.lock().await;
        if let Some(proof) = last.as_ref().filter(|proof| proof.at.elapsed() < FRESH) {
            return proof.outcome.clone().map_err(Error::away);
        }
        let outcome = match tokio::time::timeout(LONGEST, write).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "a small write was not committed within {LONGEST:?}"
            )),
        };
        *last = Some(Proof {
            at: Instant::now(),
            outcome: outcome.clone(),
        });
        outcome.map_err(Error::away)
    }
}
