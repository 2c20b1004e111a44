//! What is said is found although nobody hints at it.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::local::LocalBus;
use lingxi_cache::local::LocalCache;
use lingxi_domain::{ConversationKey, now_ms};
use lingxi_im::{Im, ImConfig, Registration};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{ConversationHead, Location, NewEntry, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::settings::Webhooks;
use crate::{Deps, Options};

/// Where a webhook is; answers what is posted to it, request by request.
async fn server() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (posted, received) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut read = Vec::new();
            while !read.ends_with(b"}") && socket.read_buf(&mut read).await.unwrap() > 0 {}
            let answer = b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n";
            socket.write_all(answer).await.unwrap();
            let text = String::from_utf8(read).unwrap();
            posted.send(text).await.unwrap();
        }
    });
    (url, received)
}

/// Commits a message as a chat worker would, and hints at nothing.
async fn say(store: &Store, key: ConversationKey, from: i64, seq: i64, text: &str) {
    let conversation = key.to_string();
    let now = now_ms();
    let mut tx = store.begin().await.unwrap();
    if let ConversationKey::Direct(a, b) = key {
        let sides = [(conversation.as_str(), a), (conversation.as_str(), b)];
        tx.add_direct_members(&sides, now).await.unwrap();
    }
    let entry = NewEntry {
        id: now << 12 | seq,
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

#[tokio::test]
async fn what_nobody_hinted_at_is_told_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("test.db"));
    let store = Store::open(&location).await.unwrap();
    let (bus, cache): (lingxi_bus::SharedBus, _) = (LocalBus::shared(4), LocalCache::shared());
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
    let alice = Registration {
        username: "alice".to_owned(),
        password: "correct horse".to_owned(),
        nickname: None,
    };
    let alice = im.accounts().register(&alice, None).await.unwrap();
    let robot = im.bots().create("robot", None).await.unwrap();
    let (url, mut posted) = server().await;
    im.bots().set_webhook("robot", &url, None).await.unwrap();
    let shutdown = Shutdown::new();
    let options = Options {
        webhooks,
        sole: true,
    };
    let deps = Deps {
        store: store.clone(),
        bus: Arc::clone(&bus),
        im,
    };
    crate::run(options, deps, &shutdown).await.unwrap();
    let key = ConversationKey::direct(alice, robot.id);
    let within = Duration::from_secs(20);
    // The second one comes long after deliveries began.
    for (seq, text) in [(1, "first"), (2, "second"), (3, "third")] {
        say(&store, key, alice, seq, text).await;
        let told = tokio::time::timeout(within, posted.recv()).await.unwrap();
        assert!(told.unwrap().contains(text));
    }
    shutdown.trigger();
    shutdown.wait_all(within).await.unwrap();
    // What was told is written, and nobody has the webhook any more.
    assert!(
        store
            .webhook_due(robot.id, "", 9)
            .await
            .unwrap()
            .lanes
            .is_empty()
    );
    assert_eq!(
        store.take_webhooks("next", 1_000, 9, false).await.unwrap(),
        1
    );
}
