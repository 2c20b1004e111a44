//! Files: who has uploaded how much, which messages bring them, and which nobody needs.

use lingxi_domain::{FileId, Seq, UserId};

use super::{group, user};
use crate::{EntryKind, NewEntry, NewFile, Store, Thumbnail};

const MOST: (i64, i64) = (0, i64::MAX);

pub(super) async fn run(store: &Store) {
    let alice = user(store, "files-alice").await;
    let bob = user(store, "files-bob").await;
    a_file_is_there_once_it_is_kept(store, alice).await;
    a_day_has_so_many_bytes(store, bob).await;
    who_reads_the_message_sees_the_file(store, alice, bob).await;
    what_nobody_needs_is_claimed_once(store, alice).await;
    one_that_is_used_again_stays(store, alice).await;
    what_was_given_up_does_not_wait_for_what_is_unsent(store, alice).await;
}

fn new(uploader_id: UserId, created_at: i64) -> NewFile<'static> {
    NewFile {
        uploader_id,
        blob_key: "00112233445566778899aabbccddeeff",
        name: "照片.png",
        mime: "image/png",
        size: 100,
        pixels: Some((30, 20)),
        thumbnail: Some(Thumbnail {
            mime: "image/jpeg".into(),
            size: 10,
        }),
        created_at,
    }
}

async fn kept(store: &Store, uploader: UserId, at: i64) -> FileId {
    let id = store.begin_file(&new(uploader, at), MOST).await.unwrap();
    let id = id.expect("room");
    assert!(store.file_is_kept(id).await.unwrap());
    id
}

/// A message at this place that brings the file; answers its id.
async fn sent(store: &Store, conversation: &str, seq: Seq, file: FileId) -> i64 {
    let id = file * 1000 + seq;
    let (with, without) = (format!("{id}"), format!("{id} plain"));
    let entry = NewEntry {
        id,
        conversation,
        seq,
        kind: EntryKind::Message,
        sender_id: 1,
        msg_id: Some(&with),
        detail: Some("{\"file\":{}}"),
        file: Some(file),
        created_at: 1,
        ..NewEntry::default()
    };
    let plain = NewEntry {
        id: id + 500,
        seq: seq + 500,
        msg_id: Some(&without),
        file: None,
        ..entry.clone()
    };
    let mut tx = store.begin().await.unwrap();
    tx.insert_entries(&[entry, plain]).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn recalled(store: &Store, (id, conversation, seq): (i64, &str, Seq), file: FileId, at: i64) {
    let mut tx = store.begin().await.unwrap();
    tx.drop_file((id, conversation, seq), file, (None, at))
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn a_file_is_there_once_it_is_kept(store: &Store, alice: UserId) {
    let id = store
        .begin_file(&new(alice, 5), MOST)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.file(id).await.unwrap(), None);
    assert!(!store.file_is_wanted(id, 6).await.unwrap());
    assert!(store.file_is_kept(id).await.unwrap());
    assert!(!store.file_is_kept(id).await.unwrap(), "once");
    let file = store.file(id).await.unwrap().unwrap();
    let expected = new(alice, 5);
    assert_eq!((file.uploader_id, file.created_at), (alice, 5));
    assert_eq!(
        (file.name.as_str(), file.mime.as_str()),
        (expected.name, expected.mime)
    );
    assert_eq!((file.size, file.pixels), (100, expected.pixels));
    assert_eq!(file.thumbnail, expected.thumbnail);
    store.forget_file(id).await.unwrap();
    assert!(
        store.file(id).await.unwrap().is_some(),
        "one that is kept stays"
    );
    let plain = NewFile {
        pixels: None,
        thumbnail: None,
        ..new(alice, 5)
    };
    let id = store.begin_file(&plain, MOST).await.unwrap().unwrap();
    store.forget_file(id).await.unwrap();
    assert!(!store.file_is_kept(id).await.unwrap());
}

async fn a_day_has_so_many_bytes(store: &Store, bob: UserId) {
    for at in [10, 20, 30] {
        kept(store, bob, at).await;
    }
    assert_eq!(store.uploaded_since(bob, 20).await.unwrap(), 200);
    assert_eq!(store.uploaded_since(bob, 31).await.unwrap(), 0);
    let another = async |most| store.begin_file(&new(bob, 40), (20, most)).await.unwrap();
    assert_eq!(another(299).await, None);
    assert_eq!(store.uploaded_since(bob, 20).await.unwrap(), 200);
    let (one, other) = futures_util::join!(another(399), another(399));
    let made = [one, other];
    assert_eq!(
        made.iter().flatten().count(),
        1,
        "of two at once one has room"
    );
}

async fn who_reads_the_message_sees_the_file(store: &Store, alice: UserId, bob: UserId) {
    let key = "g:900500";
    group(store, key, 10, &[(alice, 1), (bob, 6)]).await;
    let (early, late) = (kept(store, alice, 1).await, kept(store, alice, 1).await);
    sent(store, key, 5, early).await;
    let id = sent(store, key, 6, late).await;
    let sees = async |user, file| store.sees_file(user, file).await.unwrap();
    assert!(sees(alice, early).await && sees(alice, late).await);
    assert!(!sees(bob, early).await, "from before their time");
    assert!(sees(bob, late).await);
    assert!(!sees(bob + 1, late).await);
    let mut tx = store.begin().await.unwrap();
    tx.end_membership(key, bob, 8).await.unwrap();
    tx.commit().await.unwrap();
    let after = kept(store, alice, 1).await;
    sent(store, key, 9, after).await;
    assert!(sees(bob, late).await && !sees(bob, after).await);
    recalled(store, (id, key, 6), late, 100).await;
    assert!(!sees(alice, late).await && !sees(bob, late).await);
    assert_eq!(store.entry(id).await.unwrap().unwrap().detail, None);
}

/// Those of these that are claimed.
async fn claimed(store: &Store, before: (i64, i64), of: &[FileId]) -> Vec<FileId> {
    let claimed = store.claim_unused_files(before, 1000).await.unwrap();
    let mut ids: Vec<FileId> = claimed.into_iter().map(|file| file.id).collect();
    ids.retain(|id| of.contains(id));
    ids
}

async fn what_nobody_needs_is_claimed_once(store: &Store, alice: UserId) {
    let key = "g:900501";
    group(store, key, 10, &[(alice, 1)]).await;
    let (unsent, used, young) = (
        kept(store, alice, 1_000).await,
        kept(store, alice, 1_000).await,
        kept(store, alice, 2_000).await,
    );
    let coming = store
        .begin_file(&new(alice, 1_000), MOST)
        .await
        .unwrap()
        .unwrap();
    let id = sent(store, key, 5, used).await;
    let of = [unsent, used, young, coming];
    let (one, other) = futures_util::join!(
        claimed(store, (2_000, 500), &of),
        claimed(store, (2_000, 500), &of)
    );
    let both: Vec<FileId> = one.into_iter().chain(other).collect();
    assert_eq!(both, [unsent], "once, whoever asks");
    assert_eq!(store.file(unsent).await.unwrap(), None);
    store.forget_file(unsent).await.unwrap();
    assert_eq!(claimed(store, (0, 1_500), &of).await, [coming]);
    recalled(store, (id, key, 5), used, 1_500).await;
    assert_eq!(claimed(store, (1_500, 0), &of).await, [0; 0]);
    assert_eq!(claimed(store, (1_501, 0), &of).await, [used]);
    // Who claimed it was killed: it is claimed again.
    let later = lingxi_domain::now_ms() + 1_000;
    assert_eq!(claimed(store, (0, later), &[used]).await, [used]);
    store.forget_file(used).await.unwrap();
    assert_eq!(claimed(store, (0, later + 1_000), &[used]).await, [0; 0]);
}

async fn one_that_is_used_again_stays(store: &Store, alice: UserId) {
    let (here, there) = ("g:900502", "g:900503");
    group(store, here, 10, &[(alice, 1)]).await;
    group(store, there, 10, &[(alice, 1)]).await;
    let file = kept(store, alice, 3_000).await;
    assert!(store.file_is_wanted(file, 3_500).await.unwrap());
    assert_eq!(claimed(store, (3_500, 0), &[file]).await, [0; 0]);
    let first = sent(store, here, 5, file).await;
    let second = sent(store, there, 6, file).await;
    recalled(store, (first, here, 5), file, 4_000).await;
    assert_eq!(
        claimed(store, (9_000, 0), &[file]).await,
        [0; 0],
        "a copy has it"
    );
    assert!(store.sees_file(alice, file).await.unwrap());
    recalled(store, (second, there, 6), file, 5_000).await;
    assert_eq!(claimed(store, (9_000, 0), &[file]).await, [file]);
}

async fn what_was_given_up_does_not_wait_for_what_is_unsent(store: &Store, alice: UserId) {
    let unsent = kept(store, alice, 10).await;
    let coming = store.begin_file(&new(alice, 20), MOST).await.unwrap();
    let first = store.claim_unused_files((10, 21), 1).await.unwrap();
    let ids: Vec<Option<FileId>> = first.into_iter().map(|file| Some(file.id)).collect();
    assert_eq!(ids, [coming]);
    assert_eq!(claimed(store, (11, 0), &[unsent]).await, [unsent]);
}
