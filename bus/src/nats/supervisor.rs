//! Looks after the connection: what was lost with it is put back in place, and only then are losses announced.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::RngExt as _;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::api::{self, Failure, code};
use super::link::Link;
use super::names::StreamName;
use super::streams;
use crate::{Error, Result};

/// How often the connection's own count is compared, since events can be dropped.
const LOOK: Duration = Duration::from_millis(500);
/// How often the streams are looked at without a reason.
const INSPECT: Duration = Duration::from_secs(2);
/// Listeners that are too slow are announced at most this often.
const OVERFLOW: Duration = Duration::from_millis(250);

/// Runs until the bus is closed.
pub(super) async fn run(link: Arc<Link>) {
    // Not the current one: a connection that was lost since the streams were declared has to be settled too.
    let mut known = *link.settled.borrow();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut inspected = Instant::now();
    let mut overflowed: Option<Instant> = None;
    let mut up = true;
    loop {
        tokio::select! {
            () = link.events.wake.notified() => {}
            _ = look.tick() => {}
        }
        metrics::gauge!("lingxi_bus_pending_requests").set(link.replies.len() as f64);
        let dropped = link.events.disconnected.swap(false, Ordering::AcqRel);
        if up && (dropped || !link.is_connected()) {
            up = false;
            metrics::gauge!("lingxi_bus_connected").set(0.0);
            tracing::warn!("the connection to NATS is lost; connecting again");
        }
        if link.is_connected() && link.connection() != known {
            known = settle(&link).await;
            up = true;
            inspected = Instant::now();
        } else if link.is_connected() {
            up = true;
        }
        if link.events.overflowed.load(Ordering::Acquire)
            && overflowed.is_none_or(|at| at.elapsed() >= OVERFLOW)
        {
            overflowed = Some(Instant::now());
            link.events.overflowed.store(false, Ordering::Release);
            tracing::warn!("messages were dropped because a listener was too slow");
            link.lost();
        }
        let suspicious = link.events.suspicious.swap(false, Ordering::AcqRel);
        if link.is_connected() && (suspicious || inspected.elapsed() >= INSPECT) {
            inspected = Instant::now();
            if let Err(error) = inspect(&link).await {
                tracing::warn!(%error, "the streams cannot be looked at");
            }
        }
    }
}

/// After a reconnect: waits until the server has the subscriptions again, then until the streams are there again, then
/// announces the loss. Answers the number of the connection that is in place.
async fn settle(link: &Link) -> u64 {
    let began = Instant::now();
    let mut told = false;
    loop {
        let connection = link.connection();
        match restore(link).await {
            Ok(()) if link.is_connected() && link.connection() == connection => {
                link.settled.send_replace(connection);
                metrics::counter!("lingxi_bus_reconnects_total").increment(1);
                metrics::gauge!("lingxi_bus_connected").set(1.0);
                link.lost();
                tracing::info!(
                    server = link.client.server_info().server_name,
                    after = ?began.elapsed(),
                    "connected to NATS again"
                );
                return connection;
            }
            Ok(()) => {}
            Err(error) if !told => {
                told = true;
                tracing::warn!(%error, "NATS is reached again, but not ready; trying again");
            }
            Err(_) => {}
        }
        let pause = rand::rng().random_range(50..250);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

async fn restore(link: &Link) -> Result<()> {
    link.barrier.pass().await?;
    declare(link).await?;
    Ok(())
}

/// Makes the streams be there; answers whether the chat log is another one than before.
pub(super) async fn declare(link: &Link) -> Result<bool> {
    let infos = streams::declare(link).await?;
    *link.description.lock() = streams::describe(link, &infos);
    let created = infos.first().map_or(0, api::created);
    Ok(link.log_created.swap(created, Ordering::AcqRel) != created)
}

/// Streams can be deleted, and made anew, without the connection noticing.
async fn inspect(link: &Link) -> Result<()> {
    let known = link.log_created.load(Ordering::Acquire);
    let mut sound = true;
    for stream in [StreamName::Chat, StreamName::Ai] {
        match api::info(link, stream).await {
            Ok(info) => {
                let other = stream == StreamName::Chat && api::created(&info) != known;
                let workers_gone = stream == StreamName::Ai && info.state.consumer_count < 2;
                sound &= !other && !workers_gone;
            }
            Err(Failure::Refused {
                code: code::STREAM_NOT_FOUND,
                ..
            }) => sound = false,
            Err(other) => return Err(Error::from(other)),
        }
    }
    if !sound {
        tracing::warn!("streams on NATS are not as they were; declaring them again");
        if declare(link).await? {
            link.lost();
        }
    }
    Ok(())
}
