//! What a client's frame leads to.

use std::time::Duration;

use lingxi_domain::ErrorCode;
use lingxi_domain::frame::client::{Head, Refused};
use lingxi_domain::frame::server;

use super::allowance::Price;
use super::commands::{self, Connection};

/// Handles one text frame. Returns how long nothing more is to be read from a client that sends too much.
pub(crate) async fn text(from: &Connection<'_>, text: &str) -> Option<Duration> {
    match Head::read(text) {
        Ok(head) => match commands::dispatch(from, &head).await {
            Ok(()) => None,
            Err(refused) => refuse(from, head.answerable(), &refused),
        },
        Err((msg_id, refused)) => unreadable(from, &msg_id, refused).await,
    }
}

/// A binary frame is no frame of the contract.
pub(crate) async fn binary(from: &Connection<'_>) -> Option<Duration> {
    let refused = Refused::invalid("Send text frames: one JSON object each.");
    unreadable(from, "", refused).await
}

/// A Ping, or a Pong that nobody asked for. The WebSocket library answers what is to be answered.
pub(crate) async fn control(from: &Connection<'_>) -> Option<Duration> {
    from.pay(Price::Life).await.err()?;
    from.allowance.refused()
}

/// What cannot be read costs as much as what can.
async fn unreadable(from: &Connection<'_>, msg_id: &str, refused: Refused) -> Option<Duration> {
    let paid = from.pay(Price::Request).await;
    refuse(from, msg_id, &paid.err().unwrap_or(refused))
}

fn refuse(from: &Connection<'_>, msg_id: &str, refused: &Refused) -> Option<Duration> {
    let Refused { code, message } = refused;
    from.session
        .push_plain(server::failed(msg_id, *code, message));
    if *code == ErrorCode::RateLimited {
        from.allowance.refused()
    } else {
        None
    }
}
