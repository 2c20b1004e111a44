//! What a client's frame leads to.

use std::sync::Arc;

use axum::body::Bytes;
use lingxi_bus::Error as BusError;
use lingxi_domain::frame::client::{self, ClientFrame, Recipient};
use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, ErrorCode, UserId, now_ms};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{Inbound, Push, PushFrame};
use tracing::Instrument as _;

use super::close::Close;
use super::session::Session;
use super::{bucket::Bucket, receipts};
use crate::state::AppState;

/// Handles one text frame; messages take from the first bucket, syncs, receipts and typing from the second.
pub(crate) async fn text(
    state: &AppState,
    session: &Arc<Session>,
    (bucket, other): (&mut Bucket, &mut Bucket),
    text: &str,
) {
    let frame = match client::parse(text) {
        Ok(frame) => frame,
        Err(refused) => {
            session.push_plain(server::failed(
                &refused.msg_id,
                refused.code,
                &refused.message,
            ));
            return;
        }
    };
    match frame {
        ClientFrame::Heartbeat { msg_id } => session.push_plain(server::received(&msg_id)),
        ClientFrame::Message {
            msg_id,
            to,
            content,
        } => {
            if !bucket.take() {
                let code = ErrorCode::RateLimited;
                session.push_plain(server::failed(&msg_id, code, code.message()));
            } else if let Err(code) = message(state, session, &msg_id, to, &content)
                .instrument(tracing::debug_span!("message in", msg_id = %msg_id))
                .await
            {
                session.push_plain(server::failed(&msg_id, code, code.message()));
            }
        }
        ClientFrame::Typing { .. } if !other.take() => {}
        ClientFrame::Sync { .. } | ClientFrame::Receipt { .. } if !other.take() => {
            let code = ErrorCode::RateLimited;
            session.push_plain(server::failed("", code, code.message()));
        }
        ClientFrame::Sync { cursors } => super::pull::sync(state, session, cursors).await,
        ClientFrame::Receipt {
            conversation,
            seq,
            read,
        } => receipts::take(state, session, &conversation, seq, read).await,
        ClientFrame::Typing { to } => typing(state, session, to).await,
    }
}

/// A binary frame is no frame of the contract.
pub(crate) fn binary(session: &Session) {
    let message = "Send text frames: one JSON object each.";
    session.push_plain(server::failed("", ErrorCode::InvalidRequest, message));
}

/// Puts a message into the log of its partition. The ACK comes from the chat worker.
async fn message(
    state: &AppState,
    session: &Session,
    msg_id: &str,
    to: Recipient<'_>,
    content: &str,
) -> Result<(), ErrorCode> {
    let (key, recipient_id, recipient) = match to {
        Recipient::Group(id) => (ConversationKey::Group(id), 0, String::new()),
        Recipient::User(name) => {
            let (id, name) = resolve(state, &name).await?;
            (ConversationKey::direct(session.user_id, id), id, name)
        }
    };
    let inbound = Inbound {
        conversation: key.to_string(),
        sender_id: session.user_id,
        sender: session.username.clone(),
        recipient_id,
        recipient,
        msg_id: msg_id.to_owned(),
        content: content.to_owned(),
        received_at: now_ms(),
    };
    let payload = Bytes::from(inbound.encode_to_vec());
    match state
        .bus
        .append(key.partition(state.options.partitions), payload)
        .await
    {
        Ok(_) => Ok(()),
        // Surely not taken, so the client may be told.
        Err(BusError::Full) => Err(ErrorCode::Unavailable),
        Err(error) => {
            // It may have been taken: only the client's repeat on its next connection can tell.
            tracing::warn!(%error, "a message was not confirmed by the bus; its socket is closed");
            session.close(Close::TryAgain);
            Ok(())
        }
    }
}

async fn resolve(state: &AppState, name: &str) -> Result<(UserId, String), ErrorCode> {
    match state.im.accounts().resolve(name).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(ErrorCode::UserNotFound),
        Err(error) => Err(error.code()),
    }
}

/// Shows that somebody is typing to whoever is there; nobody else ever learns of it.
async fn typing(state: &AppState, session: &Session, to: Recipient<'_>) {
    let (receivers, group_id) = match to {
        Recipient::User(name) => match resolve(state, &name).await {
            Ok((id, _)) => (vec![id], None),
            Err(_) => return,
        },
        Recipient::Group(id) => {
            let key = ConversationKey::Group(id).to_string();
            match state.store.active_member_ids(&key).await {
                Ok(members) if members.contains(&session.user_id) => (members, Some(id)),
                _ => return,
            }
        }
    };
    let frame = PushFrame::plain(server::typing(&session.username, group_id));
    let payload = Push::of(vec![frame]);
    for user in receivers
        .into_iter()
        .filter(|&user| user != session.user_id)
    {
        let _ = state
            .bus
            .publish(&lingxi_bus::Subject::User(user), payload.clone())
            .await;
    }
}
