//! Webhooks while servers and processes fail: at least once, and given up in the end.

use serde_json::json;

use crate::harness::database::Source;
use crate::harness::{Answer, Deployment, Hook, Mode, until, until_some};
use crate::webhooks::World;

behaviours!(
    a_message_is_given_up_after_the_last_attempt_and_the_next_one_goes_on,
    a_server_that_was_away_gets_everything_in_order,
    a_server_that_does_not_answer_is_tried_again,
    a_server_may_ask_to_be_left_alone,
    nothing_is_missed_when_processes_are_killed,
    a_process_that_slept_delivers_again,
    a_slow_server_keeps_no_other_waiting,
);

fn failing() -> Option<Answer> {
    Some(Answer::Status(500, String::new()))
}

async fn a_message_is_given_up_after_the_last_attempt_and_the_next_one_goes_on(mode: Mode) {
    let world = World::with(mode, "0.1,0.1,0.1", 2).await;
    let hook = &world.hook;
    let mut a = world.alice.connect().await;
    hook.always(failing());
    a.say("robot", "m1", "poison").await;
    until("it was given up", async || {
        world.listed().await["dead"] == 1
    })
    .await;
    assert_eq!(hook.contents(), ["poison"; 4]);
    hook.always(None);
    a.say("robot", "m2", "next").await;
    hook.told("next").await;
    let columns = "state, attempts, last_status, last_error, held";
    let rows = Source::of(&world.lx).query(&format!("SELECT {columns} FROM webhook_deliveries"));
    let expected = ["dead", "4", "500", "the server answered 500", "0"];
    assert_eq!(rows, [expected.map(str::to_owned)]);
    // Some of the next go past one that fails for longer than a conversation waits for it.
    hook.answer([500, 500].map(|status| Answer::Status(status, String::new())));
    a.say("robot", "m3", "late").await;
    a.say("robot", "m4", "later").await;
    until("both are told", async || {
        let told = hook.contents();
        told.iter().filter(|said| *said == "late").count() == 3
            && told.contains(&"later".to_owned())
    })
    .await;
    until("it is done", async || {
        let sql =
            "SELECT state, attempts, last_status FROM webhook_deliveries WHERE state = 'done'";
        Source::of(&world.lx).query(sql) == [["done", "3", "204"].map(str::to_owned)]
    })
    .await;
}

async fn a_server_that_was_away_gets_everything_in_order(mode: Mode) {
    let mut world = World::start(mode).await;
    let mut a = world.alice.connect().await;
    world.hook.close().await;
    for number in 0..20 {
        a.say("robot", &format!("m{number}"), &format!("m{number}"))
            .await;
    }
    a.stored("m19").await;
    until("an attempt has failed", async || {
        world.listed().await["queued"] == 1
    })
    .await;
    world.hook.open().await;
    world.hook.told("m19").await;
    let expected: Vec<_> = (0..20).map(|number| format!("m{number}")).collect();
    assert_eq!(world.hook.contents(), expected);
    until("nothing waits", async || {
        world.listed().await["queued"] == 0
    })
    .await;
}

async fn a_server_that_does_not_answer_is_tried_again(mode: Mode) {
    let world = World::start(mode).await;
    let mut a = world.alice.connect().await;
    world.hook.answer([Answer::Nothing]);
    a.say("robot", "m1", "hello?").await;
    until("it is posted twice", async || {
        world.hook.contents() == ["hello?", "hello?"]
    })
    .await;
    let posted = world.hook.posted();
    assert_eq!(
        posted[0].header("webhook-id"),
        posted[1].header("webhook-id")
    );
}

async fn a_server_may_ask_to_be_left_alone(mode: Mode) {
    let world = World::start(mode).await;
    let mut a = world.alice.connect().await;
    let busy = Answer::Status(429, "retry-after: 2\r\n".to_owned());
    world.hook.answer([busy]);
    let start = std::time::Instant::now();
    a.say("robot", "m1", "not now").await;
    until("it is posted twice", async || {
        world.hook.posted().len() == 2
    })
    .await;
    let waited = start.elapsed().as_millis();
    assert!(waited >= 2_000, "after {waited} ms");
}

/// The process that delivers to the webhook.
async fn deliverer(lx: &Deployment) -> usize {
    until_some("somebody delivers", async || {
        for node in 0..lx.roles().len() {
            let metrics = lx.http.get(lx.internal_url(node, "/metrics")).send().await;
            let Ok(metrics) = metrics else { continue };
            let metrics = metrics.text().await.unwrap_or_default();
            let mut held = metrics
                .lines()
                .filter_map(|line| line.strip_prefix("lingxi_webhooks_held "));
            if held.any(|held| held != "0") {
                return Some(node);
            }
        }
        None
    })
    .await
}

/// What was told, each as it was told first.
fn first_told(hook: &Hook) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for said in hook.contents() {
        if !told.contains(&said) {
            told.push(said);
        }
    }
    told
}

async fn nothing_is_missed_when_processes_are_killed(mode: Mode) {
    let mut world = World::start(mode).await;
    let first = deliverer(&world.lx).await;
    let clerks = Hook::start().await;
    let clerk = crate::bots::bot(&world.lx, &world.root, "clerk").await;
    let body = json!({"username": clerk.name, "url": clerks.url()});
    world.root.put("/api/admin/bot/webhook", body).await.ok();
    let mut a = world.alice.connect().await;
    // The attempt is under way when its process is killed, and what is done by then is written.
    world.hook.always(Some(Answer::Nothing));
    for number in 0..10 {
        a.say("robot", &format!("m{number}"), &format!("m{number}"))
            .await;
    }
    a.stored("m9").await;
    world.hook.told("m0").await;
    a.say("clerk", "c0", "done").await;
    clerks.told("done").await;
    let written = format!(
        "SELECT seq FROM webhook_cursors WHERE bot_id = {} AND seq > 0",
        clerk.id
    );
    let database = Source::of(&world.lx);
    until("it is written", async || {
        !database.query(&written).is_empty()
    })
    .await;
    (world.lx.process(first).killer())();
    world.lx.process(first).exit().await;
    world.hook.always(None);
    // In a cluster the other worker takes it over.
    if mode == Mode::Embedded {
        world.lx.restart().await;
    }
    world.hook.told("m9").await;
    let expected: Vec<_> = (0..10).map(|number| format!("m{number}")).collect();
    assert_eq!(first_told(&world.hook), expected);
    let told = world.hook.contents();
    assert!(told.iter().filter(|said| *said == "m0").count() >= 2);

    // What is said while nobody delivers is told when somebody does.
    if mode == Mode::Cluster {
        let second = deliverer(&world.lx).await;
        assert_ne!(first, second);
        (world.lx.process(second).killer())();
        world.lx.process(second).exit().await;
        a.say("robot", "n1", "meanwhile").await;
        a.stored("n1").await;
        world.lx.restart_one(first).await;
        world.hook.told("meanwhile").await;
    }
}

async fn a_process_that_slept_delivers_again(mode: Mode) {
    let world = World::start(mode).await;
    let mut a = world.alice.connect().await;
    a.say("robot", "m1", "good night").await;
    world.hook.told("good night").await;
    a.close().await;
    let process = world.lx.process(deliverer(&world.lx).await);
    let database = Source::of(&world.lx);
    let lease = || {
        let sql = "SELECT owner, expires_at FROM bots";
        let row = database.query(sql).remove(0);
        (
            row[0].clone(),
            row[1].parse::<u128>().expect("milliseconds"),
        )
    };
    let (owner, _) = lease();
    process.pause().await;
    until("its lease is over", async || {
        let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
        let (by, until) = lease();
        by != owner || until < now.as_millis()
    })
    .await;
    process.wake();
    let mut a = world.alice.connect().await;
    a.say("robot", "m2", "good morning").await;
    world.hook.told("good morning").await;
}

async fn a_slow_server_keeps_no_other_waiting(mode: Mode) {
    let world = World::start(mode).await;
    let slow = Hook::start().await;
    slow.always(Some(Answer::Nothing));
    let snail = crate::bots::bot(&world.lx, &world.root, "snail").await;
    let body = json!({"username": snail.name, "url": slow.url()});
    world.root.put("/api/admin/bot/webhook", body).await.ok();
    let mut a = world.alice.connect().await;
    for number in 0..20 {
        a.say("snail", &format!("s{number}"), "hurry up").await;
    }
    slow.told("hurry up").await;
    let start = std::time::Instant::now();
    for number in 0..20 {
        a.say("robot", &format!("r{number}"), &format!("r{number}"))
            .await;
    }
    world.hook.told("r19").await;
    let took = start.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
}
