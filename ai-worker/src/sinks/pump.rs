//! Carries one run's events to one follower.

use std::sync::Arc;

use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_proto::bus::Watcher;
use lingxi_proto::sink::AiEvent;
use tokio::sync::mpsc;

use super::STUCK;
use crate::run_log::{Portion, RunLog};

/// Sends everything behind `watcher.after`, as it is said, until the run ends or the follower is stuck. A run that is
/// cut off tells its follower to look elsewhere.
pub(crate) async fn pump(
    log: Arc<RunLog>,
    attempt: i64,
    watcher: Watcher,
    link: mpsc::Sender<AiEvent>,
) {
    let event = |stamped: &StampedEvent| AiEvent {
        sink_id: watcher.sink_id.clone(),
        event_id: stamped.id.to_i64(),
        json: stamped.event.to_json().into(),
        last: stamped.event.is_terminal(),
        after: stamped.start(),
        attempt,
        session: watcher.session,
        detached: false,
    };
    // An id that was never given out is answered from the start.
    let after = EventId::from_i64(watcher.after).unwrap_or(EventId::START);
    let (mut position, reset) = log.resume(after);
    if let Some(reset) = reset
        && !send(&link, event(&reset)).await
    {
        return;
    }
    loop {
        let changed = log.changed();
        tokio::pin!(changed);
        changed.as_mut().enable();
        match log.read(position) {
            Portion::Events(events) => {
                for stamped in &events {
                    if !send(&link, event(stamped)).await {
                        return;
                    }
                    position = stamped.id.position;
                }
            }
            Portion::Nothing => tokio::select! {
                () = changed => {}
                () = link.closed() => return,
            },
            Portion::Ended => return,
            Portion::Cut => {
                let (sink_id, session) = (watcher.sink_id.clone(), watcher.session);
                send(
                    &link,
                    AiEvent {
                        sink_id,
                        session,
                        attempt,
                        detached: true,
                        ..AiEvent::default()
                    },
                )
                .await;
                return;
            }
        }
    }
}

async fn send(link: &mpsc::Sender<AiEvent>, event: AiEvent) -> bool {
    match tokio::time::timeout(STUCK, link.send(event)).await {
        Ok(sent) => sent.is_ok(),
        Err(_) => {
            metrics::counter!("lingxi_ai_sinks_dropped_total").increment(1);
            tracing::debug!("a follower took nothing for too long; it was dropped");
            false
        }
    }
}
