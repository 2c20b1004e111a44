//! What the cache says is what the store has, however it got there.

use lingxi_domain::role::GroupRole;
use lingxi_store::{ConversationHead, EntryKind, Location, NewEntry, Store};

use super::members::{Loaded, MemberCache};

const KEY: &str = "g:1";

struct World {
    store: Store,
    head: ConversationHead,
    cache: MemberCache,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("test.db")))
            .await
            .unwrap();
        let head = ConversationHead {
            version: 0,
            ..ConversationHead::new(KEY, 0)
        };
        let mut world = Self {
            store,
            head,
            cache: MemberCache::default(),
            _folder: folder,
        };
        for user in 1..=3 {
            world.change(user, EntryKind::Joined).await;
        }
        world
    }

    /// One change of membership, as `im` commits it; any other kind only raises the version.
    async fn change(&mut self, user: i64, kind: EntryKind) {
        let mut tx = self.store.begin().await.unwrap();
        self.head.version += 1;
        if kind != EntryKind::Message {
            self.head.last_seq += 1;
            let entry = NewEntry {
                id: self.head.last_seq,
                conversation: KEY,
                seq: self.head.last_seq,
                kind,
                sender_id: user,
                target: Some(user),
                ..NewEntry::default()
            };
            tx.insert_entries(&[entry]).await.unwrap();
        }
        let rows = [(user, GroupRole::Member)];
        match kind {
            EntryKind::Joined | EntryKind::Invited => tx
                .add_members(KEY, &rows, self.head.last_seq, 0)
                .await
                .unwrap(),
            EntryKind::Left | EntryKind::Kicked => tx
                .end_membership(KEY, user, self.head.last_seq)
                .await
                .unwrap(),
            _ => {}
        }
        let heads = std::slice::from_ref(&self.head);
        tx.put_heads(heads).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The members as a batch sees them; `None` when they must be read outside first.
    async fn load(&mut self, read_locked: bool) -> Option<Vec<i64>> {
        let mut tx = self.store.begin().await.unwrap();
        let heads = tx.lock_conversations(&[KEY]).await.unwrap();
        let heads: Vec<_> = heads.iter().collect();
        let loaded = self.cache.current(&mut tx, &heads, read_locked).await;
        match loaded.unwrap() {
            Loaded::Current(groups) => Some(groups[KEY].ids().collect()),
            Loaded::Changed(groups) => {
                assert_eq!(groups, [KEY]);
                None
            }
        }
    }

    async fn read(&mut self) {
        let groups = [KEY.to_owned()];
        self.cache.read(&self.store, &groups).await.unwrap();
    }
}

#[tokio::test]
async fn changes_of_membership_are_applied_without_reading_all_members() {
    let mut world = World::new().await;
    assert_eq!(world.load(false).await, None, "nothing is known yet");
    world.read().await;
    assert_eq!(world.load(false).await.unwrap(), [1, 2, 3]);

    world.change(4, EntryKind::Joined).await;
    world.change(2, EntryKind::Left).await;
    assert_eq!(world.load(false).await.unwrap(), [1, 3, 4]);
    world.change(2, EntryKind::Invited).await;
    world.change(1, EntryKind::Kicked).await;
    world.change(4, EntryKind::Left).await;
    world.change(4, EntryKind::Joined).await;
    assert_eq!(world.load(false).await.unwrap(), [2, 3, 4]);
    assert_eq!(world.load(false).await.unwrap(), [2, 3, 4]);
}

#[tokio::test]
async fn what_no_entry_explains_is_read_outside_and_at_last_under_the_lock() {
    let mut world = World::new().await;
    world.read().await;
    world.change(2, EntryKind::Message).await;
    world.change(3, EntryKind::Left).await;
    assert_eq!(world.load(false).await, None, "two versions, one entry");
    assert_eq!(world.load(true).await.unwrap(), [1, 2]);
    for user in 10..90 {
        world.change(user, EntryKind::Joined).await;
    }
    assert_eq!(world.load(false).await, None, "too much at once");
    world.read().await;
    assert_eq!(world.load(false).await.unwrap().len(), 82);
}
