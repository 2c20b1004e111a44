//! A bot with a webhook, somebody who writes to it, and the server that is told of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_bus::local::LocalBus;
use lingxi_cache::local::LocalCache;
use lingxi_domain::{ConversationKey, UserId, now_ms};
use lingxi_im::{Im, ImConfig, Registration};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{ConversationHead, Location, NewEntry, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::settings::Webhooks;
use crate::{Deps, Options};

/// How long anything may take.
pub(super) const WITHIN: Duration = Duration::from_secs(20);

/// What is posted, and how many requests were under way when it came, itself among them.
pub(super) struct Posted {
    pub(super) text: String,
    pub(super) at_once: usize,
}

/// A status, and how long to wait with it.
pub(super) type Answer = fn(&str) -> (u16, Duration);

/// What an answer takes nothing for.
pub(super) fn taken(_: &str) -> (u16, Duration) {
    (204, Duration::ZERO)
}

/// Where a webhook is; answers what is posted to it as `answer` says of it.
pub(super) async fn server(answer: Answer) -> (String, mpsc::Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (posted, received) = mpsc::channel(256);
    let under_way = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, answer, posted.clone(), under_way.clone()));
        }
    });
    (url, received)
}

async fn serve(
    mut socket: TcpStream,
    answer: Answer,
    posted: mpsc::Sender<Posted>,
    under_way: Arc<AtomicUsize>,
) {
    let mut read = Vec::new();
    while !read.ends_with(b"}") && socket.read_buf(&mut read).await.unwrap() > 0 {}
    let text = String::from_utf8(read).unwrap();
    let (status, wait) = answer(&text);
    let at_once = under_way.fetch_add(1, Ordering::SeqCst) + 1;
    let _ = posted.send(Posted { text, at_once }).await;
    tokio::time::sleep(wait).await;
    under_way.fetch_sub(1, Ordering::SeqCst);
    let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n");
    let _ = socket.write_all(answer.as_bytes()).await;
}

pub(super) struct World {
    pub(super) store: Store,
    pub(super) bus: SharedBus,
    pub(super) im: Im,
    pub(super) webhooks: Webhooks,
    pub(super) robot: UserId,
    _folder: tempfile::TempDir,
}

impl World {
    /// A bot whose webhook is there; nobody delivers to it yet.
    pub(super) async fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&location).await.unwrap();
        let (bus, cache): (SharedBus, _) = (LocalBus::shared(4), LocalCache::shared());
        let mut webhooks = Webhooks::defaults().unwrap();
        webhooks.allow_private = "127.0.0.0/8".to_owned();
        let config = ImConfig {
            jwt_secret: vec![7; 32],
            jwt_ttl_hours: 1,
            bcrypt_cost: 4,
            rate_limits: false,
            rates: Default::default(),
            groups_per_user: 1000,
            runs: Default::default(),
            files: Default::default(),
            partitions: 4,
            webhooks: webhooks.reach().unwrap(),
        };
        let im = Im::new(lingxi_im::Deps {
            store: store.clone(),
            bus: bus.clone(),
            cache,
            files: lingxi_im::Blobs::none(),
            config,
        });
        let robot = im.bots().create("robot", None).await.unwrap().id;
        im.bots().set_webhook("robot", url, None).await.unwrap();
        Self {
            store,
            bus,
            im,
            webhooks,
            robot,
            _folder: folder,
        }
    }

    pub(super) async fn user(&self, name: &str) -> UserId {
        let new = Registration {
            username: name.to_owned(),
            password: "correct horse".to_owned(),
            nickname: None,
        };
        self.im.accounts().register(&new, None).await.unwrap()
    }

    /// Begins to deliver.
    pub(super) async fn deliver(&self) -> Shutdown {
        let shutdown = Shutdown::new();
        let options = Options {
            webhooks: self.webhooks.clone(),
            sole: true,
        };
        let deps = Deps {
            store: self.store.clone(),
            bus: Arc::clone(&self.bus),
            im: self.im.clone(),
        };
        crate::run(options, deps, &shutdown).await.unwrap();
        shutdown
    }

    /// Commits what this user says to the bot as a chat worker would, and hints at nothing.
    pub(super) async fn say(&self, from: UserId, seq: i64, text: &str) {
        let key = ConversationKey::direct(from, self.robot);
        let conversation = key.to_string();
        let now = now_ms();
        let mut tx = self.store.begin().await.unwrap();
        if let ConversationKey::Direct(a, b) = key {
            let sides = [(conversation.as_str(), a), (conversation.as_str(), b)];
            tx.add_direct_members(&sides, now).await.unwrap();
        }
        let entry = NewEntry {
            id: now << 22 | from << 12 | seq,
            conversation: &conversation,
            seq,
            sender_id: from,
            msg_id: Some(text),
            content: text,
            created_at: now,
            ..NewEntry::default()
        };
        tx.insert_entries(&[entry]).await.unwrap();
        let head = ConversationHead {
            last_seq: seq,
            message_seq: seq,
            ..ConversationHead::new(conversation.as_str(), now)
        };
        tx.put_heads(&[head]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// The next that is posted.
pub(super) async fn next(posted: &mut mpsc::Receiver<Posted>) -> Posted {
    let next = tokio::time::timeout(WITHIN, posted.recv()).await;
    next.expect("nothing is posted").unwrap()
}
