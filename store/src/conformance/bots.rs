//! Bots, who delivers to their webhooks, and how far.

use lingxi_domain::role::AccountRole;
use lingxi_domain::{UserId, now_ms};

use super::{group, user};
use crate::{
    ConversationHead, DeliveryState, Error, FailedAttempt, HeldWebhook, Lane, NewUser, Next, Store,
    WebhookMove,
};

pub(super) async fn run(store: &Store) {
    accounts(store).await;
    leases(store).await;
    cursors(store).await;
    failures(store).await;
    endings(store).await;
}

async fn bot(store: &Store, name: &str) -> UserId {
    let new = NewUser {
        username: name,
        username_key: name,
        password_hash: "!",
        nickname: name,
        role: AccountRole::Bot,
        created_at: now_ms(),
    };
    store.create_bot(&new, 1_000).await.unwrap().unwrap()
}

/// A bot with a webhook that `owner` delivers to.
async fn held(store: &Store, name: &str, owner: &str) -> HeldWebhook {
    let id = bot(store, name).await;
    assert!(store.set_webhook(id, "http://h/", "s").await.unwrap());
    store
        .take_webhooks(owner, 60_000, 100, false)
        .await
        .unwrap();
    let held = store.renew_webhooks(owner, 60_000).await.unwrap();
    held.into_iter().find(|held| held.bot == id).unwrap()
}

async fn lanes(store: &Store, bot: UserId) -> Vec<Lane> {
    store.webhook_due(bot, "", 10).await.unwrap().lanes
}

async fn grow(store: &Store, key: &str, last_seq: i64) {
    let head = ConversationHead {
        last_seq,
        ..ConversationHead::new(key, now_ms())
    };
    let mut tx = store.begin().await.unwrap();
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn accounts(store: &Store) {
    let id = bot(store, "robot-one").await;
    let found = store.bots(id - 1, 10).await.unwrap();
    assert_eq!(
        (found[0].username.as_str(), &found[0].webhook),
        ("robot-one", &None)
    );
    let count = store.count_bots().await.unwrap();
    let new = NewUser {
        username: "robot-two",
        username_key: "robot-two",
        password_hash: "!",
        nickname: "",
        role: AccountRole::Bot,
        created_at: now_ms(),
    };
    assert_eq!(store.create_bot(&new, count).await.unwrap(), None);
    assert!(!store.set_webhook(id + 1_000, "u", "s").await.unwrap());
    assert!(store.set_webhook(id, "http://a/", "s").await.unwrap());
    assert!(store.webhook_bots().await.unwrap().contains(&id));
    let found = store.bots(id - 1, 10).await.unwrap();
    assert_eq!(found[0].webhook.as_ref().unwrap().url, "http://a/");
    assert!(store.remove_webhook(id).await.unwrap());
    assert!(!store.remove_webhook(id).await.unwrap());
    assert!(!store.webhook_bots().await.unwrap().contains(&id));
}

async fn leases(store: &Store) {
    let first = held(store, "robot-lease", "one").await;
    // Nobody takes what another one has.
    store
        .take_webhooks("two", 60_000, 100, false)
        .await
        .unwrap();
    let of = async |owner: &str| store.renew_webhooks(owner, 60_000).await.unwrap();
    assert!(of("two").await.iter().all(|held| held.bot != first.bot));
    // Changed, it is another version under the same owner.
    store
        .set_webhook(first.bot, "http://i/", "s2")
        .await
        .unwrap();
    let now = of("one").await;
    let now = now.iter().find(|held| held.bot == first.bot).unwrap();
    assert_eq!((now.version, now.epoch), (first.version + 1, first.epoch));
    assert_eq!(now.url, "http://i/");
    // Given up, it is anybody's; the epoch tells them apart.
    store.release_webhooks("one").await.unwrap();
    assert!(of("one").await.is_empty());
    store
        .take_webhooks("two", 60_000, 100, false)
        .await
        .unwrap();
    let taken = of("two").await;
    let taken = taken.iter().find(|held| held.bot == first.bot).unwrap();
    assert_eq!(taken.epoch, first.epoch + 1);
    // Who is alone takes what is held, too.
    store.take_webhooks("three", -1, 100, true).await.unwrap();
    assert!(of("two").await.is_empty());
    assert!(of("three").await.is_empty(), "its lease has expired");
    assert!(store.disable_webhook(first.bot, now.version).await.unwrap());
    assert!(!store.disable_webhook(first.bot, now.version).await.unwrap());
    store
        .take_webhooks("two", 60_000, 100, false)
        .await
        .unwrap();
    assert!(of("two").await.iter().all(|held| held.bot != first.bot));
    store.release_webhooks("two").await.unwrap();
    many_leases(store).await;
}

async fn many_leases(store: &Store) {
    let mut all = Vec::new();
    for number in 0..5 {
        let id = bot(store, &format!("robot-many-{number}")).await;
        assert!(store.set_webhook(id, "http://h/", "s").await.unwrap());
        all.push(id);
    }
    // No more at a time than were asked for, each of them once.
    let take = async |owner, ttl_ms| store.take_webhooks(owner, ttl_ms, 3, false).await.unwrap();
    assert_eq!(take("one", 60_000).await, 3);
    assert_eq!(take("two", 60_000).await, 2);
    assert_eq!(take("three", 60_000).await, 0);
    let held = async |owner| store.renew_webhooks(owner, 60_000).await.unwrap().len();
    assert_eq!((held("one").await, held("two").await), (3, 2));
    // Whose leases have expired while it slept takes them back as anybody would.
    store.release_webhooks("one").await.unwrap();
    assert_eq!(take("one", -1).await, 3);
    assert_eq!(held("one").await, 0);
    assert_eq!(take("one", 500).await, 3);
    // One that has not long to go is prolonged.
    assert_eq!(held("one").await, 3);
    let begin = std::time::Instant::now();
    while begin.elapsed().as_millis() < 600 {
        assert_eq!(take("three", 60_000).await, 0);
    }
    assert_eq!(held("one").await, 3);
    for owner in ["one", "two"] {
        store.release_webhooks(owner).await.unwrap();
    }
    for id in all {
        store.remove_webhook(id).await.unwrap();
    }
}

async fn cursors(store: &Store) {
    let owner = user(store, "robot-owner").await;
    let id = bot(store, "robot-cursor").await;
    group(store, "g:812001", 5, &[(owner, 1), (id, 2)]).await;
    // It begins with what is said from now on.
    store.set_webhook(id, "http://h/", "s").await.unwrap();
    assert!(lanes(store, id).await.is_empty());
    grow(store, "g:812001", 7).await;
    let of = |first, last, left_seq| Lane {
        conversation: "g:812001".to_owned(),
        first,
        last,
        left_seq,
        attempts: 0,
    };
    assert_eq!(lanes(store, id).await, [of(6, 7, None)]);
    assert_eq!(
        store.webhook_lanes(id, &["g:812001"]).await.unwrap(),
        [of(6, 7, None)]
    );
    let told = |seq| WebhookMove {
        bot: id,
        conversation: "g:812001".to_owned(),
        seq,
    };
    store.move_webhook_cursors(&[told(7)]).await.unwrap();
    store.move_webhook_cursors(&[told(6)]).await.unwrap();
    assert!(lanes(store, id).await.is_empty(), "it never goes back");
    // A conversation that began since is told from the bot's joining on, and not behind its leaving.
    group(store, "g:812002", 9, &[(owner, 1), (id, 4)]).await;
    let mut tx = store.begin().await.unwrap();
    tx.end_membership("g:812002", id, 8).await.unwrap();
    tx.commit().await.unwrap();
    let found = lanes(store, id).await;
    assert_eq!(
        (found[0].first, found[0].last, found[0].left_seq),
        (4, 8, Some(8))
    );
    let done = WebhookMove {
        conversation: "g:812002".to_owned(),
        ..told(8)
    };
    store.move_webhook_cursors(&[done]).await.unwrap();
    assert!(lanes(store, id).await.is_empty());
}

fn failed(message_id: i64, seq: i64) -> FailedAttempt<'static> {
    FailedAttempt {
        message_id,
        conversation: "g:813001",
        seq,
        in_order: true,
        status: Some(500),
        error: "the server answered 500",
    }
}

async fn failures(store: &Store) {
    let owner = user(store, "robot-owner-2").await;
    let hook = held(store, "robot-failing", "one").await;
    let id = hook.bot;
    group(store, "g:813001", 9, &[(owner, 1), (id, 1)]).await;
    let fail = async |failed: &FailedAttempt<'_>, next| {
        store.fail_delivery(&hook, "one", failed, next, 1).await
    };
    // Held: nothing is due before its time, and the attempt is counted.
    let next = fail(&failed(71, 3), Next::Hold(60_000)).await.unwrap();
    assert_eq!(next, Next::Hold(60_000));
    let due = store.webhook_due(id, "", 10).await.unwrap();
    assert!(due.lanes.is_empty() && due.deliveries.is_empty());
    let wait = due.next_ms.unwrap();
    assert!((1..=60_000).contains(&wait), "{wait}");
    fail(&failed(71, 3), Next::Hold(-1)).await.unwrap();
    let lane = lanes(store, id).await.remove(0);
    assert_eq!((lane.first, lane.attempts), (3, 2));
    // Passed: the conversation goes on, and it is due by itself.
    fail(&failed(71, 3), Next::Pass(-1)).await.unwrap();
    let due = store.webhook_due(id, "", 10).await.unwrap();
    assert_eq!((due.lanes[0].first, due.lanes[0].attempts), (4, 0));
    assert_eq!(
        (due.deliveries[0].message_id, due.deliveries[0].attempts),
        (71, 3)
    );
    // No more than so many wait by themselves.
    let next = fail(&failed(72, 4), Next::Pass(5)).await.unwrap();
    assert_eq!(next, Next::Hold(5));
    // The last attempt.
    let alone = FailedAttempt {
        in_order: false,
        ..failed(71, 3)
    };
    fail(&alone, Next::Dead).await.unwrap();
    let dead = store.delivery(id, 71).await.unwrap().unwrap();
    assert_eq!(
        (dead.state, dead.attempts, dead.last_status),
        (DeliveryState::Dead, 4, Some(500))
    );
    let listed = store
        .deliveries(DeliveryState::Dead, None, 10)
        .await
        .unwrap();
    assert_eq!(listed, std::slice::from_ref(&dead));
    let before = Some((dead.updated_at, id, 71));
    let more = store.deliveries(DeliveryState::Dead, before, 10).await;
    assert!(more.unwrap().is_empty());
    // Once more, by an operator.
    assert!(store.retry_delivery(id, 71).await.unwrap());
    assert!(!store.retry_delivery(id, 71).await.unwrap());
    store.finish_delivery(id, 71, 204).await.unwrap();
    let done = store.delivery(id, 71).await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.last_status),
        (DeliveryState::Done, Some(204))
    );
    let counted = store.count_deliveries().await.unwrap();
    assert!(counted.contains(&(DeliveryState::Done, 1)), "{counted:?}");
    let long = now_ms() + 1_000;
    let pruned = store.prune_deliveries(DeliveryState::Done, long, 10).await;
    assert_eq!(pruned.unwrap(), 1);
    // Another owner, another epoch: nothing is written.
    let old = HeldWebhook {
        epoch: hook.epoch - 1,
        ..hook.clone()
    };
    let fenced = store
        .fail_delivery(&old, "one", &failed(73, 5), Next::Dead, 1)
        .await;
    assert!(matches!(fenced, Err(Error::Fenced)));
    assert_eq!(store.delivery(id, 73).await.unwrap(), None);
}

async fn endings(store: &Store) {
    let hook = held(store, "robot-ending", "one").await;
    let one = FailedAttempt {
        conversation: "g:814001",
        ..failed(81, 1)
    };
    let failing = store.fail_delivery(&hook, "one", &one, Next::Hold(60_000), 1);
    failing.await.unwrap();
    assert!(store.disable_webhook(hook.bot, hook.version).await.unwrap());
    let left = store.delivery(hook.bot, 81).await.unwrap().unwrap();
    assert_eq!(left.state, DeliveryState::Failed);
    assert!(!store.retry_delivery(hook.bot, 81).await.unwrap());
    let found = store.bots(hook.bot - 1, 1).await.unwrap();
    let webhook = found[0].webhook.clone().unwrap();
    assert!(webhook.disabled_at.is_some() && webhook.queued == 0);
    // Set again, it begins anew.
    assert!(store.set_webhook(hook.bot, "http://h/", "s").await.unwrap());
    assert!(store.webhook_bots().await.unwrap().contains(&hook.bot));
}
