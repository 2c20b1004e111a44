//! What goes into the index, whichever way it is found.

use lingxi_domain::{Seq, now_ms, search};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{ConversationHead, EntryKind, Location, NewEntry, NewUser, Store};

use super::start;

const KEY: &str = "g:7";

/// A store with one user, who is in the conversation.
async fn store(folder: &std::path::Path) -> (Store, i64) {
    let store = Store::open(&Location::Sqlite(folder.join("lingxi.db")))
        .await
        .unwrap();
    let new = NewUser {
        username: "alice",
        username_key: "alice",
        password_hash: "",
        nickname: "alice",
        role: lingxi_domain::role::AccountRole::User,
        created_at: now_ms(),
    };
    let user = store.create_user(&new).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.put_heads(&[ConversationHead::new(KEY, now_ms())])
        .await
        .unwrap();
    let role = lingxi_domain::role::GroupRole::Owner;
    tx.add_members(KEY, &[(user, role)], 1, now_ms())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (store, user)
}

/// Appends these entries: a text is a message, a number edits the message at that place.
async fn append(store: &Store, user: i64, first: Seq, said: &[Result<&str, Seq>]) {
    let mut tx = store.begin().await.unwrap();
    for (seq, said) in (first..).zip(said) {
        let msg_id = seq.to_string();
        let new = NewEntry {
            id: seq,
            conversation: KEY,
            seq,
            sender_id: user,
            created_at: now_ms(),
            ..NewEntry::default()
        };
        let new = match said {
            Ok(text) => NewEntry {
                msg_id: Some(&msg_id),
                content: text,
                ..new
            },
            Err(edited) => NewEntry {
                kind: EntryKind::Edited,
                target: Some(*edited),
                target_seq: Some(*edited),
                ..new
            },
        };
        tx.insert_entries(&[new]).await.unwrap();
        if let Err(edited) = said {
            tx.edit_message(*edited, "a later text", (now_ms(), seq))
                .await
                .unwrap();
        }
    }
    let mut head = tx.lock_conversation(KEY).await.unwrap().unwrap();
    head.last_seq = first + said.len() as Seq - 1;
    head.message_seq = head.last_seq;
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
}

/// The places of messages that the index names for a word.
async fn named(store: &Store, user: i64, word: &str) -> Vec<Seq> {
    let found = store.searchable(user, None, 10).await.unwrap();
    let key = search::keys(word)[0];
    let mut places = store.find(&[&found[0]], (key, key)).await.unwrap();
    places.pop().unwrap()
}

async fn indexed(store: &Store, upto: Seq) {
    lingxi_testing::until("the index is there", async || {
        store.indexed(&[KEY]).await.unwrap().get(KEY) == Some(&upto)
    })
    .await;
}

#[tokio::test]
async fn what_is_gathered_and_what_is_found_by_walking() {
    let folder = tempfile::tempdir().unwrap();
    let (store, user) = store(folder.path()).await;
    // From before: nobody tells the indexer of it.
    append(
        &store,
        user,
        1,
        &[Ok("tea"), Ok("coffee"), Err(1), Ok("tea with milk")],
    )
    .await;
    let shutdown = Shutdown::new();
    let waiting = start(store.clone(), &shutdown);
    indexed(&store, 4).await;
    assert_eq!(named(&store, user, "coffee").await, [2]);
    assert_eq!(named(&store, user, "later").await, [1]);
    assert_eq!(named(&store, user, "milk").await, [4]);

    // Told of one of two: the other, an edit, stands before it.
    append(&store, user, 5, &[Err(2), Ok("tea again")]).await;
    waiting.put(KEY, 6, "tea again");
    indexed(&store, 6).await;
    assert_eq!(named(&store, user, "later").await, [1, 2]);
    assert_eq!(named(&store, user, "again").await, [6]);
    shutdown.trigger();
    shutdown.wait_all(lingxi_testing::DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_long_log_is_indexed_in_stretches() {
    let folder = tempfile::tempdir().unwrap();
    let (store, user) = store(folder.path()).await;
    let many: Vec<Result<&str, Seq>> = vec![Ok("one of many"); 2_500];
    append(&store, user, 1, &many).await;
    let shutdown = Shutdown::new();
    let _waiting = start(store.clone(), &shutdown);
    indexed(&store, 2_500).await;
    assert_eq!(named(&store, user, "many").await.len(), 2_500);
    shutdown.trigger();
    shutdown.wait_all(lingxi_testing::DEADLINE).await.unwrap();
}

/// What cannot be read is made anew, and what is indexed together with it does not wait for it.
#[tokio::test]
async fn an_index_that_is_broken_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (store, user) = store(folder.path()).await;
    append(&store, user, 1, &[Ok("tea")]).await;
    let stretch = |after, upto| lingxi_store::IndexPart {
        conversation: KEY,
        after,
        upto,
        postings: vec![(search::keys("tea")[0], upto)],
    };
    store.index(&[stretch(0, 1)]).await.unwrap();
    let file = folder.path().join("lingxi.db");
    let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                  db.execute(\"UPDATE search_blocks SET block = x'80'\"); db.commit()";
    let python = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&file)
        .status();
    assert!(python.expect("python3").success());
    append(&store, user, 2, &[Ok("coffee")]).await;
    let broken = store.index(&[stretch(1, 2)]).await;
    assert!(
        matches!(broken, Err(lingxi_store::Error::Corrupt(_))),
        "{broken:?}"
    );

    let indexer = super::work::Indexer::new(store.clone(), Default::default());
    let goes_on = indexer.add_each(&[KEY.into(), "g:8".into()]).await.unwrap();
    assert!(goes_on.is_empty());
    assert_eq!(store.indexed(&[KEY]).await.unwrap().get(KEY), None);
    indexer.add_each(&[KEY.into()]).await.unwrap();
    assert_eq!(named(&store, user, "tea").await, [1]);
    assert_eq!(named(&store, user, "coffee").await, [2]);
}
