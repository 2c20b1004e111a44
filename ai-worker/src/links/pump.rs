//! Carries one run's events to one subscriber.

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_proto::bus::Watcher;
use lingxi_proto::sink::AiEvent;
use tokio::sync::mpsc;

use crate::ledger::{Portion, RunLog};

/// How long a gateway may take to take an event before its subscriber is dropped; it may attach again.
const STUCK: Duration = Duration::from_secs(5);

/// Sends everything behind `watcher.after`, as it is said, until the run ends or the subscriber is stuck. A run that is
/// cut off tells its subscriber to look elsewhere.
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
    // What is no id at all is answered from the start.
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
            metrics::counter!("lingxi_ai_subscribers_dropped_total").increment(1);
            tracing::debug!("a gateway took nothing for too long; a subscriber was dropped");
            false
        }
    }
}
