//! Who follows runs at this gateway.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::{UserId, now_ms};
use lingxi_im::Identity;
use lingxi_proto::sink::AiEvent;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::queue::Queue;

/// The subscribers of this gateway by name. An event goes to one of them or nowhere; none ever waits, so that a client
/// that does not read holds nobody up.
pub(crate) struct Subscribers {
    table: Mutex<HashMap<String, Entry>>,
    /// Workers are told of those who left.
    left: mpsc::Sender<Left>,
}

/// A subscriber who wants no more events for a request, or any earlier one.
#[derive(Debug)]
pub(crate) struct Left {
    pub(super) run_id: String,
    pub(super) subscriber: String,
    pub(super) session: u32,
}

struct Entry {
    user: UserId,
    /// The version of the token that opened it, and when that ends.
    version: i64,
    expires_at: i64,
    queue: Arc<Queue>,
    /// The run and the number of the request that a worker was sent last.
    asked: Option<(String, u32)>,
    ended: CancellationToken,
}

impl Entry {
    fn left(&self, id: &str) -> Option<Left> {
        let (run_id, session) = self.asked.clone()?;
        Some(Left {
            run_id,
            subscriber: id.to_owned(),
            session,
        })
    }
}

/// A subscriber's end; leaves the table when dropped, and the run's worker is told.
pub(crate) struct Subscription {
    pub(super) id: String,
    pub(super) queue: Arc<Queue>,
    /// Cancelled when the token that opened it works no longer.
    pub(super) ended: CancellationToken,
    subscribers: Arc<Subscribers>,
}

impl Subscribers {
    /// Nobody yet. Who leaves is told to `left`.
    pub(crate) fn new(left: mpsc::Sender<Left>) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            left,
        })
    }

    /// A new subscriber, if `may` agrees to the number of those that its user has here already.
    pub(super) fn register<E>(
        self: &Arc<Self>,
        who: &Identity,
        may: impl FnOnce(usize) -> Result<(), E>,
    ) -> Result<Subscription, E> {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let (queue, ended) = (Arc::<Queue>::default(), CancellationToken::new());
        let entry = Entry {
            user: who.user_id,
            version: who.version,
            expires_at: who.expires_at,
            queue: queue.clone(),
            asked: None,
            ended: ended.clone(),
        };
        let mut table = self.table.lock();
        may(table.values().filter(|e| e.user == who.user_id).count())?;
        table.insert(id.clone(), entry);
        drop(table);
        metrics::gauge!("lingxi_ai_subscribers").increment(1);
        Ok(Subscription {
            id,
            queue,
            ended,
            subscribers: self.clone(),
        })
    }

    /// Hands an event to its subscriber. One who does not keep up is taken away from the worker until they ask again.
    pub(crate) fn deliver(&self, event: AiEvent) {
        let mut table = self.table.lock();
        let Some(entry) = table.get_mut(&event.sink_id) else {
            return;
        };
        let id = event.sink_id.clone();
        if !entry.queue.push(event) {
            metrics::counter!("lingxi_ai_subscribers_overflowed_total").increment(1);
            let left = entry.left(&id);
            entry.asked = None;
            drop(table);
            self.tell(left);
        }
    }

    /// The users who follow something here.
    pub(super) fn users(&self) -> Vec<UserId> {
        let mut users: Vec<_> = self.table.lock().values().map(|e| e.user).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Ends the streams of this user that were opened with a token of a version other than this one.
    pub(super) fn end_other_versions(&self, user: UserId, version: Option<i64>) {
        let table = self.table.lock();
        let of_user = table.values().filter(|entry| entry.user == user);
        of_user
            .filter(|entry| version.is_none_or(|version| entry.version < version))
            .for_each(|entry| entry.ended.cancel());
    }

    /// Ends the streams whose tokens have expired.
    pub(super) fn end_expired(&self) {
        let now = now_ms();
        let table = self.table.lock();
        let expired = table.values().filter(|entry| entry.expires_at <= now);
        expired.for_each(|entry| entry.ended.cancel());
    }

    fn tell(&self, left: Option<Left>) {
        // Where too many leave at once, the worker's own bound holds.
        if let Some(left) = left
            && self.left.try_send(left).is_err()
        {
            metrics::counter!("lingxi_ai_leavings_untold_total").increment(1);
        }
    }
}

impl Subscription {
    /// A worker is asked for the events of a run: only those that answer this request count from now on.
    pub(super) fn asks(&self, run_id: &str, session: u32) {
        self.queue.expect(session);
        if let Some(entry) = self.subscribers.table.lock().get_mut(&self.id) {
            entry.asked = Some((run_id.to_owned(), session));
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let entry = self.subscribers.table.lock().remove(&self.id);
        self.subscribers
            .tell(entry.and_then(|entry| entry.left(&self.id)));
        metrics::gauge!("lingxi_ai_subscribers").decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use lingxi_domain::role::AccountRole;

    use super::super::queue::Taken;
    use super::*;

    fn who(user_id: UserId, version: i64) -> Identity {
        Identity {
            user_id,
            username: "u".into(),
            role: AccountRole::parse("user"),
            version,
            expires_at: i64::MAX,
        }
    }

    fn any(_: usize) -> Result<(), ()> {
        Ok(())
    }

    fn event(to: &Subscription, event_id: i64, size: usize) -> AiEvent {
        AiEvent {
            sink_id: to.id.clone(),
            event_id,
            json: "x".repeat(size).into(),
            session: 1,
            ..AiEvent::default()
        }
    }

    async fn taken(from: &Subscription) -> i64 {
        match from.queue.take().await {
            Taken::Event(event) => event.event_id,
            Taken::Overflow => panic!("overflow"),
        }
    }

    #[tokio::test]
    async fn events_go_to_their_subscriber_only_and_workers_hear_who_leaves() {
        let (sender, mut left) = mpsc::channel(8);
        let subscribers = Subscribers::new(sender);
        let one = subscribers.register(&who(1, 1), any).unwrap();
        let two = subscribers.register(&who(2, 1), any).unwrap();
        one.asks("r", 1);
        two.asks("r", 1);
        subscribers.deliver(event(&two, 2, 1));
        subscribers.deliver(event(&one, 1, 1));
        assert_eq!((taken(&one).await, taken(&two).await), (1, 2));
        let (gone, id) = (event(&one, 3, 1), one.id.clone());
        drop(one);
        subscribers.deliver(gone);
        assert_eq!(subscribers.table.lock().len(), 1);
        let told = left.try_recv().unwrap();
        assert_eq!(
            (told.run_id.as_str(), told.subscriber, told.session),
            ("r", id, 1)
        );
        // One who does not keep up leaves, too, until they ask again.
        while left.is_empty() {
            subscribers.deliver(event(&two, 4, 10_000));
        }
        assert_eq!(left.try_recv().unwrap().subscriber, two.id);
        assert_eq!(two.queue.take().await, Taken::Overflow);
        two.asks("r", 2);
        drop(two);
        assert_eq!(left.try_recv().unwrap().session, 2);
    }

    #[test]
    fn a_user_has_as_many_as_the_rule_allows() {
        let subscribers = Subscribers::new(mpsc::channel(8).0);
        let few = |open: usize| if open < 2 { Ok(()) } else { Err(open) };
        let first = subscribers.register(&who(1, 1), few).ok().unwrap();
        let _second = subscribers.register(&who(1, 1), few).ok().unwrap();
        assert_eq!(subscribers.register(&who(1, 1), few).err(), Some(2));
        let _other = subscribers.register(&who(2, 1), few).ok().unwrap();
        drop(first);
        assert!(subscribers.register(&who(1, 1), few).is_ok());
    }

    #[test]
    fn tokens_that_work_no_longer_end_what_they_opened() {
        let subscribers = Subscribers::new(mpsc::channel(8).0);
        let old = subscribers.register(&who(1, 1), any).unwrap();
        let new = subscribers.register(&who(1, 2), any).unwrap();
        let mut brief = who(2, 1);
        brief.expires_at = now_ms() - 1;
        let brief = subscribers.register(&brief, any).unwrap();
        assert_eq!(subscribers.users(), [1, 2]);
        subscribers.end_other_versions(1, Some(2));
        subscribers.end_expired();
        let ended = [&old, &new, &brief].map(|s| s.ended.is_cancelled());
        assert_eq!(ended, [true, false, true]);
        subscribers.end_other_versions(1, None);
        assert!(new.ended.is_cancelled(), "the account is barred");
    }
}
