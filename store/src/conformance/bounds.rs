//! Reads end where they are told to, whatever there is.

use lingxi_domain::role::GroupRole;
use lingxi_domain::{UserId, message_id, now_ms};

use super::{entries::message, user};
use crate::{Bounds, ConversationHead, CursorMove, Excerpt, NewEntry, NewGroup, Store};

pub(super) async fn run(store: &Store) {
    bytes(store).await;
    unread(store).await;
    unread_of_many(store).await;
    many_conversations(store).await;
    contacts(store).await;
    groups(store).await;
    members(store).await;
    store.check_write().await.unwrap();
}

/// Gives a private conversation these messages.
async fn talk(store: &Store, key: &str, sides: &[UserId], contents: &[(UserId, &str)]) {
    talk_in(9, store, key, sides, contents).await;
}

/// With ids of that partition.
async fn talk_in(
    partition: u16,
    store: &Store,
    key: &str,
    sides: &[UserId],
    contents: &[(UserId, &str)],
) {
    let ids: Vec<String> = (0..contents.len()).map(|n| format!("b{n}")).collect();
    let mut last = 0;
    let new: Vec<NewEntry<'_>> = contents
        .iter()
        .zip(&ids)
        .zip(1..)
        .map(|((&(sender, content), msg_id), seq)| {
            last = message_id::next_owned(last, partition);
            NewEntry {
                content,
                ..message(last, key, seq, sender, msg_id)
            }
        })
        .collect();
    let mut tx = store.begin().await.unwrap();
    tx.insert_entries(&new).await.unwrap();
    let head = head(key, contents.len() as i64);
    tx.put_heads(&[head]).await.unwrap();
    let rows: Vec<(&str, UserId)> = sides.iter().map(|&side| (key, side)).collect();
    tx.add_direct_members(&rows, now_ms()).await.unwrap();
    tx.commit().await.unwrap();
}

fn head(key: &str, last_seq: i64) -> ConversationHead {
    ConversationHead {
        last_seq,
        message_seq: last_seq,
        ..ConversationHead::new(key, now_ms())
    }
}

fn seqs(page: &Excerpt) -> (Vec<i64>, bool) {
    (page.entries.iter().map(|e| e.seq).collect(), page.has_more)
}

async fn bytes(store: &Store) {
    let (a, b) = (user(store, "bounds.a").await, user(store, "bounds.b").await);
    let key = format!("d:{a}:{b}");
    let (long, longer) = ("ü".repeat(150), "x".repeat(2_000));
    let contents: Vec<(UserId, &str)> =
        vec![(a, &long), (b, &long), (a, &long), (a, &long), (b, &longer)];
    talk(store, &key, &[a, b], &contents).await;
    let page = async |from_start, (rows, bytes)| {
        let bounds = Bounds { rows, bytes };
        let page = store.history_page(&key, (1, i64::MAX), bounds, from_start, true);
        seqs(&page.await.unwrap())
    };
    assert_eq!(page(true, (200, 1_000)).await, (vec![1, 2, 3], true));
    assert_eq!(page(true, (200, 900)).await, (vec![1, 2, 3], true));
    assert_eq!(page(true, (200, 899)).await, (vec![1, 2], true));
    assert_eq!(page(true, (2, 10_000)).await, (vec![1, 2], true));
    assert_eq!(page(true, (5, 10_000)).await, (vec![1, 2, 3, 4, 5], false));
    assert_eq!(
        page(false, (200, 1_000)).await,
        (vec![5], true),
        "the first comes however long it is"
    );
    assert_eq!(page(false, (3, 10_000)).await, (vec![3, 4, 5], true));
    assert_eq!(page(false, (200, 2_300)).await, (vec![4, 5], true));

    let other = format!("d:{b}:{b}");
    talk(store, &other, &[b], &[(b, "short"), (b, "short")]).await;
    let ranges = [(key.as_str(), 2, 5), (other.as_str(), 1, 9)];
    let within = async |rows, bytes| {
        let bounds = Bounds { rows, bytes };
        store.entries_within(&ranges, bounds).await.unwrap()
    };
    let all = within(100, 1 << 20).await;
    assert_eq!((all.entries.len(), all.has_more), (6, false));
    let some = within(100, 650).await;
    assert!(some.has_more && some.entries.len() < 6, "{some:?}");
    let few = within(3, 1 << 20).await;
    assert_eq!((few.entries.len(), few.has_more), (3, true));
    for conversation in [&key, &other] {
        for found in [&all, &some, &few] {
            let mut last = None;
            let of = found
                .entries
                .iter()
                .filter(|e| e.conversation == *conversation);
            for entry in of {
                assert!(last.is_none_or(|last| entry.seq == last + 1), "no holes");
                last = Some(entry.seq);
            }
        }
    }
    let none = Bounds { rows: 9, bytes: 9 };
    assert!(
        store
            .entries_within(&[], none)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
}

async fn unread(store: &Store) {
    let (a, b) = (user(store, "unread.a").await, user(store, "unread.b").await);
    let key = format!("d:{a}:{b}");
    let mut contents = vec![(b, "x"); 1_010];
    contents.extend(vec![(a, "mine"); 10]);
    talk(store, &key, &[a, b], &contents).await;
    let unread = async |reader| {
        let list = store.conversations_of(reader, i64::MAX, 10).await.unwrap();
        list[0].unread
    };
    assert_eq!(unread(a).await, 999, "999 is that or more");
    assert_eq!(unread(b).await, 10, "one's own do not count");
    for (upto, left) in [
        (11, 999),
        (12, 998),
        (13, 997),
        (1_005, 5),
        (1_010, 0),
        (1_020, 0),
    ] {
        let mark = crate::ReadMark {
            conversation: &key,
            user_id: a,
            upto,
        };
        store.mark_read(&[mark]).await.unwrap();
        assert_eq!(unread(a).await, left, "read up to {upto}");
    }
}

/// Counting ends somewhere: behind that, what is unread is whatever stands there.
async fn unread_of_many(store: &Store) {
    let me = user(store, "unread.many").await;
    let others: Vec<UserId> = (0..12).map(|n| 8_000_000 + n).collect();
    for (other, partition) in others.iter().zip(10..) {
        let mut contents = vec![(*other, "x"); 100];
        contents.extend(vec![(me, "mine"); 2_000]);
        let key = format!("d:{me}:{other}");
        talk_in(partition, store, &key, &[me, *other], &contents).await;
    }
    let list = store.conversations_of(me, i64::MAX, 20).await.unwrap();
    let unread: Vec<i64> = list.iter().map(|row| row.unread).collect();
    let expected: Vec<i64> = std::iter::repeat_n(100, 10)
        .chain(std::iter::repeat_n(999, 2))
        .collect();
    assert_eq!(unread, expected);
}

/// A user with very many conversations is looked at alone, page by page; the others as ever.
async fn many_conversations(store: &Store) {
    let (heavy, light) = (
        user(store, "many.heavy").await,
        user(store, "many.light").await,
    );
    let keys: Vec<String> = (0..2_005)
        .map(|n| format!("d:{heavy}:{}", 7_000_000 + n))
        .collect();
    let mut tx = store.begin().await.unwrap();
    let heads: Vec<ConversationHead> = keys.iter().map(|key| head(key, 3)).collect();
    tx.put_heads(&heads).await.unwrap();
    let rows: Vec<(&str, UserId)> = keys.iter().map(|key| (key.as_str(), heavy)).collect();
    tx.add_direct_members(&rows, 1).await.unwrap();
    tx.commit().await.unwrap();
    let mine = format!("d:{light}:{light}");
    talk(store, &mine, &[light], &[(light, "x")]).await;

    let found = store.unconfirmed(&[heavy, light, -1]).await.unwrap();
    assert_eq!(found.alone, [heavy]);
    assert_eq!(found.heads.len(), 1);
    assert_eq!(found.heads[0].conversation, mine);
    let confirmed: Vec<CursorMove> = keys[..1_500]
        .iter()
        .map(|key| CursorMove {
            conversation: key.clone(),
            user_id: heavy,
            from: 1,
            to: 3,
        })
        .collect();
    store.move_cursors(&confirmed).await.unwrap();
    let (mut pages, mut heads, mut after) = (0, Vec::new(), None);
    loop {
        let (page, next) = store
            .unconfirmed_page(heavy, after.as_deref())
            .await
            .unwrap();
        assert!(page.len() <= 1_000);
        heads.extend(page.into_iter().map(|head| head.conversation));
        pages += 1;
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    heads.sort_unstable();
    let mut expected = keys[1_500..].to_vec();
    expected.sort_unstable();
    assert_eq!(heads, expected, "all of them, once");
    let all = store.unconfirmed_heads(&[heavy, light]).await.unwrap();
    assert_eq!(all.len(), 506);
    let nobody = store.unconfirmed(&[]).await.unwrap();
    assert!(nobody.heads.is_empty() && nobody.alone.is_empty());
}

async fn contacts(store: &Store) {
    let keeper = user(store, "pages.keeper").await;
    let mut names: Vec<String> = (0..7).map(|n| format!("pages.c{n}")).collect();
    let mut tx_rows = Vec::new();
    for name in names.iter().rev() {
        tx_rows.push(user(store, name).await);
    }
    let mut tx = store.begin().await.unwrap();
    for contact in tx_rows {
        tx.put_contact(keeper, contact, None, 1).await.unwrap();
    }
    assert_eq!(tx.count_contacts(keeper, 100).await.unwrap(), 7);
    assert_eq!(tx.count_contacts(keeper, 3).await.unwrap(), 3);
    tx.commit().await.unwrap();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().cloned().unwrap_or_default();
        let page = store.contacts_page(keeper, &after, 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|contact| contact.username));
    }
    names.sort_unstable();
    assert_eq!(seen, names);
    assert_eq!(store.contacts(keeper).await.unwrap().len(), 7);
}

async fn groups(store: &Store) {
    let owner = user(store, "pages.owner").await;
    let mut made = Vec::new();
    let mut tx = store.begin().await.unwrap();
    for _ in 0..12 {
        let new = NewGroup {
            name: "pages",
            owner_id: owner,
            announcement: "",
            max_count: 5,
            created_at: now_ms(),
        };
        let id = tx.create_group(&new).await.unwrap();
        let key = format!("g:{id}");
        tx.put_heads(&[head(&key, 0)]).await.unwrap();
        tx.add_members(&key, &[(owner, GroupRole::Owner)], 1, 1)
            .await
            .unwrap();
        made.push(id);
    }
    assert_eq!(tx.count_memberships(owner, 100).await.unwrap(), 12);
    assert_eq!(tx.count_memberships(owner, 5).await.unwrap(), 5);
    tx.end_membership(&format!("g:{}", made[3]), owner, 1)
        .await
        .unwrap();
    assert_eq!(tx.count_memberships(owner, 100).await.unwrap(), 11);
    tx.commit().await.unwrap();
    let left = made.remove(3);
    let own = format!("d:{owner}:{owner}");
    talk(store, &own, &[owner], &[(owner, "no group")]).await;
    let mut seen = Vec::new();
    loop {
        let after = seen.last().copied().unwrap_or(0);
        let page = store.groups_page(owner, after, 4).await.unwrap();
        assert!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|group| group.id));
    }
    assert_eq!(seen, made, "lowest id first, without {left}");
}

async fn members(store: &Store) {
    let key = "g:990000001";
    let mut tx = store.begin().await.unwrap();
    tx.put_heads(&[head(key, 0)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut expected = Vec::new();
    for n in 0..9 {
        let id = user(store, &format!("pages.m{n}")).await;
        let role = match n {
            4 => GroupRole::Owner,
            7 => GroupRole::Admin,
            _ => GroupRole::Member,
        };
        let mut tx = store.begin().await.unwrap();
        // Some join at the same moment.
        tx.add_members(key, &[(id, role)], 1, n / 3).await.unwrap();
        tx.commit().await.unwrap();
        expected.push((std::cmp::Reverse(role.to_db()), n / 3, id));
    }
    expected.sort_unstable();
    let expected: Vec<UserId> = expected.into_iter().map(|(.., id)| id).collect();
    let mut seen: Vec<UserId> = Vec::new();
    loop {
        let page = store.members_page(key, seen.last().copied(), 4).await;
        let page = page.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|member| member.user_id));
    }
    assert_eq!(seen, expected, "the owner first, then by when they joined");
    // Behind one who has left meanwhile it goes on.
    let mut tx = store.begin().await.unwrap();
    tx.end_membership(key, expected[3], 1).await.unwrap();
    tx.commit().await.unwrap();
    let page = store.members_page(key, Some(expected[3]), 2).await.unwrap();
    let page: Vec<UserId> = page.into_iter().map(|member| member.user_id).collect();
    assert_eq!(page, expected[4..6]);
    assert!(
        store
            .members_page(key, Some(-1), 2)
            .await
            .unwrap()
            .is_empty()
    );
}
