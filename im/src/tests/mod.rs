//! Against a real store in a temporary folder, with the in-process bus and cache.

mod accounts;
mod bots;
mod contacts;
mod conversations;
mod edits;
mod effects;
mod group_limits;
mod groups;
mod history;
mod limits;
mod lock_outs;
mod message_bounds;
mod recall;
mod typing;

use std::sync::{Arc, Mutex};

use lingxi_bus::local::LocalBus;
use lingxi_bus::{SharedBus, Sink, Subject, Subscription};
use lingxi_cache::SharedCache;
use lingxi_cache::local::LocalCache;
use lingxi_domain::{ConversationKey, ErrorCode, Seq, UserId, message_id, now_ms};
use lingxi_proto::Message as _;
use lingxi_proto::bus::Push;
use lingxi_store::{ConversationHead, Effect, EntryKind, Location, NewEntry, Store};
use serde_json::Value;

use crate::{Actor, Deps, Error, Im, ImConfig, Rates, Registration};

/// A world of one process.
struct World {
    im: Im,
    store: Store,
    bus: SharedBus,
    cache: SharedCache,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut ImConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("lingxi.db")))
            .await
            .unwrap();
        let (bus, cache) = (LocalBus::shared(4), LocalCache::shared());
        let mut config = ImConfig {
            jwt_secret: b"a secret of the tests, long enough to be accepted".to_vec(),
            jwt_ttl_hours: 1,
            bcrypt_cost: 4,
            rate_limits: false,
            rates: Rates {
                logins_per_minute: 5,
                registers_per_minute: 5,
                ..Default::default()
            },
            groups_per_user: 1000,
            runs: Default::default(),
            files: Default::default(),
            partitions: 4,
            webhooks: Default::default(),
        };
        change(&mut config);
        let im = Im::new(Deps {
            store: store.clone(),
            bus: bus.clone(),
            cache: cache.clone(),
            files: crate::Blobs::folder(folder.path().join("files"), 0).unwrap(),
            config,
        });
        Self {
            im,
            store,
            bus,
            cache,
            _folder: folder,
        }
    }

    async fn user(&self, name: &str) -> Actor {
        let new = Registration {
            username: name.to_owned(),
            password: "correct horse".to_owned(),
            nickname: None,
        };
        let id = self.im.accounts().register(&new, None).await.unwrap();
        Actor::new(id, name)
    }

    /// A group of these users, the first one its owner.
    async fn group(&self, members: &[&Actor]) -> i64 {
        let new = crate::NewGroup {
            name: "g".into(),
            max_count: None,
            announcement: None,
        };
        let id = self.im.groups().create(members[0], &new).await.unwrap().id;
        for member in &members[1..] {
            self.im.groups().join(member, id).await.unwrap();
        }
        id
    }

    /// Commits a message as the chat worker would; answers its id and seq.
    async fn say(&self, from: &Actor, key: ConversationKey, text: &str, at: i64) -> (i64, Seq) {
        let conversation = key.to_string();
        let mut tx = self.store.begin().await.unwrap();
        let found = tx.lock_conversation(&conversation).await.unwrap();
        let mut head = found.unwrap_or(ConversationHead::new(conversation.clone(), at));
        if let ConversationKey::Direct(a, b) = key {
            let sides = [(conversation.as_str(), a), (conversation.as_str(), b)];
            tx.add_direct_members(if a == b { &sides[..1] } else { &sides }, at)
                .await
                .unwrap();
        }
        head.last_seq += 1;
        head.message_seq = head.last_seq;
        head.last_time = at;
        let partition = key.partition(4);
        let last = {
            let mut newest = NEWEST.lock().unwrap();
            *newest = message_id::next_owned(*newest, partition);
            *newest
        };
        let entry = NewEntry {
            id: last,
            conversation: &conversation,
            seq: head.last_seq,
            kind: EntryKind::Message,
            sender_id: from.user_id,
            msg_id: Some(text),
            content: text,
            target: None,
            target_seq: None,
            detail: None,
            file: None,
            created_at: at,
        };
        tx.insert_entries(&[entry]).await.unwrap();
        tx.put_heads(std::slice::from_ref(&head)).await.unwrap();
        tx.commit().await.unwrap();
        (last, head.last_seq)
    }

    async fn say_now(&self, from: &Actor, key: ConversationKey, text: &str) -> (i64, Seq) {
        self.say(from, key, text, now_ms()).await
    }

    /// What is pushed to this user from now on.
    async fn listen(&self, user: &Actor) -> Ear {
        let heard = Arc::new(Heard::default());
        let subscription = self
            .bus
            .subscribe(Subject::User(user.user_id), None, heard.clone())
            .await
            .unwrap();
        Ear {
            heard,
            _subscription: subscription,
        }
    }

    /// The whole log of a conversation, as stored.
    async fn log(&self, conversation: &str) -> Vec<(Seq, EntryKind)> {
        let entries = self
            .store
            .history_page(
                conversation,
                (1, Seq::MAX),
                lingxi_store::Bounds {
                    rows: 1000,
                    bytes: usize::MAX,
                },
                true,
                false,
            )
            .await
            .unwrap()
            .entries;
        entries
            .into_iter()
            .map(|entry| (entry.seq, entry.kind))
            .collect()
    }

    /// The actor by the first tool call of a run that a worker holds.
    async fn by_tool(&self, actor: &Actor, run: &str) -> Actor {
        let new = lingxi_store::NewRun {
            id: run,
            user_id: actor.user_id,
            kind: lingxi_domain::run::RunKind::Agent,
            lane: "interactive",
            conversation: None,
            input: "do it",
            idempotency_key: None,
            deadline_ms: 60_000,
        };
        self.store.create_run(&new).await.unwrap();
        self.store.claim_run(run, "worker").await.unwrap();
        actor.clone().for_effect(Effect {
            run_id: run.to_owned(),
            step: 1,
            ordinal: 0,
            attempt: 1,
        })
    }
}

/// The newest message id, so that ids rise across tests and partitions.
static NEWEST: Mutex<i64> = Mutex::new(0);

#[derive(Default)]
struct Heard(Mutex<Vec<Push>>);

impl Sink for Heard {
    fn deliver(&self, _: &Subject, message: lingxi_bus::Message) {
        self.0
            .lock()
            .unwrap()
            .push(Push::decode(message.payload).unwrap());
    }
}

/// Listens to one user's subject.
struct Ear {
    heard: Arc<Heard>,
    _subscription: Subscription,
}

impl Ear {
    /// The frames since the last call, with the log position that each was pushed under.
    fn frames(&self) -> Vec<(Value, String, Seq)> {
        let pushes = std::mem::take(&mut *self.heard.0.lock().unwrap());
        let frames = pushes.into_iter().flat_map(|push| push.frames);
        frames
            .map(|f| {
                (
                    serde_json::from_slice(&f.json).unwrap(),
                    f.conversation,
                    f.seq,
                )
            })
            .collect()
    }

    fn pushes(&self) -> Vec<Push> {
        std::mem::take(&mut *self.heard.0.lock().unwrap())
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: ErrorCode) {
    match result {
        Ok(done) => panic!("expected {code}, but it was done: {done:?}"),
        Err(error) => assert_eq!(error.code(), code, "{error}"),
    }
}

fn direct(a: &Actor, b: &Actor) -> ConversationKey {
    ConversationKey::direct(a.user_id, b.user_id)
}

const NOBODY: UserId = 4_503_599_627_370_000;
