//! What is read from a real store, in a temporary folder, for sessions without sockets.

mod pull;
mod queues;
mod receipts;
mod resync;
mod sockets;

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::local::LocalBus;
use lingxi_cache::local::LocalCache;
use lingxi_domain::role::{AccountRole, GroupRole};
use lingxi_domain::{Seq, UserId, message_id};
use lingxi_im::{Identity, Im, ImConfig};
use lingxi_runtime::budget::Budget;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{ConnectionIds, ConversationHead, EntryKind, Location, NewEntry, Store};
use serde_json::Value;

use super::queues::Queues;
use super::registry::{Registry, SessionPolicy};
use super::resync::{Asked, ResyncQueue};
use super::session::Session;
use crate::Options;
use crate::state::{AppState, State};

const ALICE: UserId = 1;
const BOB: UserId = 2;

/// A gateway of which only the parts that read for sessions run, when a test says so.
struct World {
    state: AppState,
    asked: Asked,
    /// Sessions that are served alone.
    alone: Asked,
    _shutdown: Shutdown,
    /// The newest entry's id.
    last_id: i64,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("lingxi.db")))
            .await
            .unwrap();
        let (bus, cache) = (LocalBus::shared(4), LocalCache::shared());
        let config = ImConfig {
            jwt_secret: vec![7; 32],
            jwt_ttl_hours: 1,
            bcrypt_cost: 4,
            rate_limits: false,
            rates: lingxi_im::Rates::default(),
            groups_per_user: 1000,
            runs: lingxi_im::RunLimits::default(),
            files: Default::default(),
            partitions: 4,
            webhooks: Default::default(),
        };
        let im = Im::new(lingxi_im::Deps {
            store: store.clone(),
            bus: bus.clone(),
            cache: cache.clone(),
            files: lingxi_im::Blobs::none(),
            config,
        });
        let options = Options {
            partitions: 4,
            session_policy: SessionPolicy::Single,
            sockets_per_user: 3,
            heartbeat: Duration::from_secs(54),
            grpc_advertise: String::new(),
            cluster_token: None,
            run_deadline_ms: 60_000,
            drain_spread: Duration::ZERO,
            drain_linger: Duration::ZERO,
            unsent_files: Duration::from_secs(86_400),
            http: lingxi_http::Options::default(),
        };
        let (resync, [asked, alone]) = ResyncQueue::new();
        let shutdown = Shutdown::new();
        let connections = shutdown.tasks("connection");
        let sockets = options.sockets();
        let state = State {
            node: "node".into(),
            options,
            im,
            connection_ids: ConnectionIds::new(store.clone()),
            store,
            sessions: Registry::new(bus.clone(), resync.clone(), sockets, connections.clone()),
            queues: queues(64 * 1024 * 1024),
            connections,
            bus,
            cache,
            resync,
            receipts: Arc::default(),
            comparisons: super::comparisons::Comparisons::default(),
            watching: Arc::default(),
            subscribers: crate::ai::Subscribers::new(tokio::sync::mpsc::channel(1).0),
            stopping: Default::default(),
        };
        Self {
            state: Arc::new(state),
            asked,
            alone,
            _shutdown: shutdown,
            last_id: 0,
            _folder: folder,
        }
    }

    /// A conversation of these members, who see it from their seq on, with entries `1..=last` of that many bytes.
    async fn log(&mut self, key: &str, members: &[(UserId, Seq)], last: Seq, bytes: usize) {
        let ids: Vec<String> = (1..=last).map(|seq| format!("m{seq}")).collect();
        let content = "x".repeat(bytes);
        let new: Vec<NewEntry<'_>> = (1..)
            .zip(&ids)
            .map(|(seq, msg_id)| {
                self.last_id = message_id::next_owned(self.last_id, 1);
                NewEntry {
                    id: self.last_id,
                    conversation: key,
                    seq,
                    kind: EntryKind::Message,
                    sender_id: BOB,
                    msg_id: Some(msg_id),
                    content: &content,
                    target: None,
                    target_seq: None,
                    detail: None,
                    file: None,
                    created_at: 1,
                }
            })
            .collect();
        let head = ConversationHead {
            last_seq: last,
            message_seq: last,
            ..ConversationHead::new(key.to_owned(), 1)
        };
        let mut tx = self.state.store.begin().await.unwrap();
        tx.put_heads(&[head]).await.unwrap();
        tx.insert_entries(&new).await.unwrap();
        for &(member, joined_seq) in members {
            tx.add_members(key, &[(member, GroupRole::Member)], joined_seq, 1)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

fn queues(most: usize) -> Arc<Queues> {
    Queues::new(Budget::new(most))
}

pub(super) fn session(user: UserId) -> Arc<Session> {
    session_of(user, user, &queues(64 * 1024 * 1024))
}

fn session_of(connection_id: i64, user_id: UserId, queues: &Arc<Queues>) -> Arc<Session> {
    let identity = Identity {
        user_id,
        username: "name".into(),
        role: AccountRole::User,
        version: 1,
        expires_at: i64::MAX,
    };
    Arc::new(Session::new(connection_id, identity, queues))
}

/// The frames that wait for the session's socket.
fn waiting(session: &Session) -> Vec<Value> {
    let taken = std::iter::from_fn(|| session.take()).flatten();
    taken
        .map(|frame| serde_json::from_slice(&frame.json).unwrap())
        .collect()
}

/// Each frame in short: an entry by its conversation and seq, any other as it is.
fn brief(frames: &[Value]) -> Vec<String> {
    let brief = |frame: &Value| match (frame["conversation"].as_str(), frame["seq"].as_i64()) {
        (Some(conversation), Some(seq)) => format!("{conversation}@{seq}"),
        _ => frame.to_string(),
    };
    frames.iter().map(brief).collect()
}

/// `g:1@1`, `g:1@2`, …
fn stretch(
    conversation: &str,
    seqs: std::ops::RangeInclusive<Seq>,
) -> impl Iterator<Item = String> {
    seqs.map(move |seq| format!("{conversation}@{seq}"))
}
