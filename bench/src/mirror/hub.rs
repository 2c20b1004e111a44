//! The mirror's hub: usernames to sockets, conversations to their next `seq`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{
        Query, State as Shared, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::Response,
    routing::{get, post},
};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Flaw;
use crate::client::Frame;

/// Frames that a socket may be behind.
const QUEUE: usize = 4096;

type Outlet = mpsc::Sender<Message>;

/// All state of a mirror.
pub(super) struct Hub {
    flaw: Option<Flaw>,
    every: u64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sockets: HashMap<String, Outlet>,
    heads: HashMap<String, u64>,
    /// A push held back, to come behind the next one of its conversation.
    held: HashMap<String, String>,
    messages: u64,
}

impl Hub {
    pub(super) fn new(flaw: Option<Flaw>, every: u64) -> Self {
        Self {
            flaw,
            every,
            inner: Mutex::default(),
        }
    }

    /// Takes one frame of `from`; `false` closes its socket.
    fn take(&self, from: &str, outlet: &Outlet, text: &str) -> bool {
        #[derive(Deserialize)]
        struct Private<'a> {
            msg_id: &'a str,
            to: &'a str,
            content: &'a str,
        }
        let kind = Frame::scan(text.as_bytes()).map_or(0, |frame| frame.kind);
        let Ok(Private {
            msg_id,
            to,
            content,
        }) = serde_json::from_str(text)
        else {
            return kind != 1 || heartbeat(outlet, text);
        };
        let mut inner = self.inner.lock();
        inner.messages += 1;
        let flaw = self
            .flaw
            .filter(|_| inner.messages.is_multiple_of(self.every));
        match flaw {
            Some(Flaw::Refuse) => {
                let reason = r#""status":"failed","reason":"rate_limited""#;
                return send(
                    outlet,
                    format!(r#"{{"type":3,"msg_id":"{msg_id}",{reason}}}"#),
                );
            }
            Some(Flaw::Close) => return false,
            _ => {}
        }
        let conversation = if from < to {
            format!("d:{from}:{to}")
        } else {
            format!("d:{to}:{from}")
        };
        let head = inner.heads.entry(conversation.clone()).or_default();
        *head += 1;
        let seq = *head;
        let push = format!(
            r#"{{"type":2,"id":{id},"seq":{seq},"conversation":"{conversation}","msg_id":"{msg_id}","from":"{from}","to":"{to}","content":"{content}","created_at":0}}"#,
            id = inner.messages
        );
        let recipient = inner.sockets.get(to).cloned();
        let both = |text: &str| {
            for outlet in recipient.iter().chain([outlet]) {
                send(outlet, text.to_owned());
            }
        };
        match flaw {
            Some(Flaw::Lose) => {}
            Some(Flaw::Swap) => {
                if let Some(older) = inner.held.insert(conversation.clone(), push) {
                    both(&older);
                }
            }
            _ => {
                both(&push);
                if flaw == Some(Flaw::Repeat) {
                    both(&push);
                }
                if let Some(held) = inner.held.remove(&conversation) {
                    both(&held);
                }
            }
        }
        let status = if recipient.is_some() {
            "delivered"
        } else {
            "stored"
        };
        flaw == Some(Flaw::Unanswered)
            || send(
                outlet,
                format!(
                    r#"{{"type":3,"msg_id":"{msg_id}","status":"{status}","id":1,"seq":{seq}}}"#
                ),
            )
    }
}

fn heartbeat(outlet: &Outlet, text: &str) -> bool {
    let msg_id = serde_json::from_str::<Value>(text)
        .map(|frame| frame["msg_id"].clone())
        .unwrap_or_default();
    send(
        outlet,
        json!({"type": 3, "msg_id": msg_id, "status": "received"}).to_string(),
    )
}

fn send(outlet: &Outlet, text: String) -> bool {
    outlet.try_send(Message::Text(text.into())).is_ok()
}

/// Register and login, which let everybody in, and the WebSocket, whose token is the username.
pub(super) fn router(hub: Arc<Hub>) -> Router {
    #[derive(Deserialize)]
    struct User {
        username: String,
    }
    Router::new()
        .route(
            "/api/v1/user/register",
            post(async || Json(json!({"message": "register success"}))),
        )
        .route(
            "/api/v1/user/login",
            post(async |Json(user): Json<User>| Json(json!({"token": user.username}))),
        )
        .route("/api/v1/ws", get(upgrade))
        .with_state(hub)
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

async fn upgrade(
    Shared(hub): Shared<Arc<Hub>>,
    Query(Token { token }): Query<Token>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| session(hub, token, socket))
}

async fn session(hub: Arc<Hub>, username: String, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let (outlet, mut inlet) = mpsc::channel(QUEUE);
    hub.inner
        .lock()
        .sockets
        .insert(username.clone(), outlet.clone());
    loop {
        tokio::select! {
            frame = stream.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    if !hub.take(&username, &outlet, &text) {
                        let close = CloseFrame { code: 4008, reason: "flaw".into() };
                        drop(sink.send(Message::Close(Some(close))).await);
                        break;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            Some(first) = inlet.recv() => {
                let mut fed = sink.feed(first).await;
                while let Some(Some(next)) = inlet.recv().now_or_never() {
                    fed = fed.and(sink.feed(next).await);
                }
                if fed.and(sink.flush().await).is_err() {
                    break;
                }
            }
        }
    }
    hub.inner.lock().sockets.remove(&username);
}
