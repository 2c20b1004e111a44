//! Who may commit: partitions are shared, move when a worker goes, and an owner that slept through the loss of its lease
//! commits nothing.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::database::{self, Session};
use crate::harness::{Deployment, Mode, User, Ws, until};

const PARTITIONS: i64 = 64;

fn url_of(lx: &Deployment) -> &str {
    &lx.backends.as_ref().expect("a cluster").database_url
}

/// How many partitions each owner holds, the most first.
fn shares(lx: &Deployment) -> Vec<i64> {
    let rows = database::query(
        url_of(lx),
        "SELECT COUNT(*) FROM partition_leases WHERE owner <> '' AND expires_at > UNIX_TIMESTAMP(NOW(3)) * 1000 \
         GROUP BY owner ORDER BY 1 DESC",
    );
    rows.iter()
        .map(|row| row[0].parse().expect("a number"))
        .collect()
}

async fn shared_out(lx: &Deployment) {
    until("two workers hold half of the partitions each", async || {
        shares(lx) == [PARTITIONS / 2, PARTITIONS / 2]
    })
    .await;
}

/// How long it takes until one owner has everything.
async fn taken_over(lx: &Deployment) -> Duration {
    let start = Instant::now();
    until("one worker holds everything", async || {
        shares(lx) == [PARTITIONS]
    })
    .await;
    start.elapsed()
}

#[tokio::test]
async fn partitions_are_shared_and_move() {
    let mut lx = Mode::Cluster.start().await;
    let roles = lx.roles();
    let worker = roles.iter().position(|role| *role == "chat-worker");
    let (one, other) = (worker.expect("a worker"), worker.expect("a worker") + 1);
    shared_out(&lx).await;

    lx.process(one).kill9().await;
    let killed = taken_over(&lx).await;
    println!("moved {killed:.1?} after a kill -9");
    assert!(killed < Duration::from_secs(10), "{killed:?}");

    lx.restart_one(one).await;
    shared_out(&lx).await;
    lx.process(other).sigterm();
    let told = taken_over(&lx).await;
    println!("moved {told:.1?} after a SIGTERM");
    assert!(told < Duration::from_secs(3), "{told:?}");
    assert!(lx.process(other).exit().await.success());

    // And messages go on meanwhile.
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut b = bob.connect().await;
    let mut a = alice.connect().await;
    a.say("bob", "m1", "still there").await;
    a.stored("m1").await;
    b.message("still there").await;
}

#[tokio::test]
async fn a_lease_that_its_owner_does_not_know_of_is_given_up() {
    let options = Mode::Cluster.options().roles(&["gateway", "chat-worker"]);
    let lx = options.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say("bob", "m1", "m1").await;
    a.stored("m1").await;
    // As after a statement that took them, whose answer was lost: the worker is the owner, and renews them.
    database::query(url_of(&lx), "UPDATE partition_leases SET epoch = epoch + 1");
    a.say("bob", "m2", "m2").await;
    a.stored("m2").await;
    b.message("m2").await;
}

/// A system with one chat worker, which is stopped in its sleep while another takes over and it wakes up again.
struct Sleeper {
    lx: Deployment,
    alice: User,
    bob: User,
    a: Ws,
    /// The chat worker that owned everything.
    first: usize,
    sent: usize,
}

/// The worker that takes everything over.
const SUCCESSOR: usize = 2;
const REFUSED: &str = "nothing of theirs was committed";

impl Sleeper {
    async fn new() -> Self {
        let options = Mode::Cluster.options().roles(&["gateway", "chat-worker"]);
        let lx = options.start().await;
        let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
        let mut a = alice.connect().await;
        a.say("bob", "m0", "m0").await;
        a.stored("m0").await;
        Self {
            lx,
            alice,
            bob,
            a,
            first: 1,
            sent: 1,
        }
    }

    /// Sends without waiting for the ACK.
    async fn send(&mut self, count: usize) {
        for _ in 0..count {
            let id = format!("m{}", self.sent);
            self.a.say("bob", &id, &id).await;
            self.sent += 1;
        }
    }

    async fn pause(&self) {
        self.lx.process(self.first).pause().await;
    }

    /// Another worker takes everything over while the first one sleeps, and answers what waits.
    async fn succeed(&mut self) {
        self.lx.add("chat-worker").await;
        taken_over(&self.lx).await;
        for number in 0..self.sent {
            if number > 0 {
                self.a.stored(&format!("m{number}")).await;
            }
        }
    }

    /// The sleeper wakes while its keeper of leases is held up, so that its lane has to find out by itself, and while its
    /// successor is stopped: what it then reads is committed by nobody yet.
    async fn wake(&mut self) {
        let mut session = Session::open(url_of(&self.lx));
        session.run("BEGIN; SELECT owner FROM chat_workers FOR UPDATE");
        let before = self.rows();
        self.lx.process(SUCCESSOR).pause().await;
        let fresh = self.sent..self.sent + 3;
        self.send(fresh.len()).await;
        self.lx.process(self.first).wake();
        let refused = || self.lx.log(self.first).contains(REFUSED);
        until("the sleeper tries to commit", async || {
            refused() || self.rows() != before
        })
        .await;
        assert_eq!(self.rows(), before, "the sleeper committed something");
        assert!(refused(), "the fence refuses the sleeper's batch");
        self.lx.process(SUCCESSOR).wake();
        for number in fresh {
            self.a.stored(&format!("m{number}")).await;
        }
        drop(session);
    }

    /// Everything in the database that a batch writes.
    fn rows(&self) -> Vec<Vec<String>> {
        database::query(
            url_of(&self.lx),
            "SELECT id, conversation, seq, sender_id FROM entries ORDER BY id; \
             SELECT partition_no, owner, epoch, stream_pos, last_id FROM partition_leases ORDER BY 1",
        )
    }

    /// Everything is there once, in one order, and the system goes on.
    async fn check(mut self) {
        let next = self.sent;
        self.send(1).await;
        self.a.stored(&format!("m{next}")).await;
        let log = self.bob.log("username=alice").await;
        let ids: Vec<&str> = log
            .iter()
            .filter_map(|row| row["msg_id"].as_str())
            .collect();
        let expected: Vec<String> = (0..=next).map(|number| format!("m{number}")).collect();
        assert_eq!(ids, expected);
        let seqs: Vec<Option<u64>> = log.iter().map(|row| row["seq"].as_u64()).collect();
        let dense: Vec<Option<u64>> = (1..=log.len() as u64).map(Some).collect();
        assert_eq!(seqs, dense);
        assert_eq!(self.alice.log("username=bob").await, log);
    }
}

#[tokio::test]
async fn a_worker_paused_before_its_transaction_commits_nothing() {
    let mut sleeper = Sleeper::new().await;
    sleeper.pause().await;
    // They wait in its socket and in the log; it reads them when it wakes.
    sleeper.send(20).await;
    sleeper.succeed().await;
    sleeper.wake().await;
    sleeper.check().await;
}

#[tokio::test]
async fn a_worker_paused_inside_its_transaction_commits_nothing() {
    let mut sleeper = Sleeper::new().await;
    let mut session = Session::open(url_of(&sleeper.lx));
    session.run("BEGIN; SELECT conversation FROM conversations FOR UPDATE");
    sleeper.send(5).await;
    // It is behind the fence, which locks its lease, and waits for the conversation's row.
    until(
        "the worker is in the middle of its transaction",
        async || database::lock_waits(url_of(&sleeper.lx)) > 0,
    )
    .await;
    sleeper.pause().await;
    drop(session);
    sleeper.succeed().await;
    sleeper.wake().await;
    sleeper.check().await;
}

#[tokio::test]
async fn a_worker_paused_after_its_transaction_commits_nothing_more() {
    let mut sleeper = Sleeper::new().await;
    sleeper.send(1).await;
    let ack: Value = sleeper.a.ack("m1").await;
    sleeper.pause().await;
    assert_ne!(ack["status"], "failed");
    sleeper.send(20).await;
    sleeper.lx.add("chat-worker").await;
    taken_over(&sleeper.lx).await;
    for number in 2..sleeper.sent {
        sleeper.a.stored(&format!("m{number}")).await;
    }
    sleeper.wake().await;
    sleeper.check().await;
}
