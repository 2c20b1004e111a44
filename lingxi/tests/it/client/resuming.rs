//! Whatever happens to the connection: nothing is lost, nothing comes twice, and an end is said to be one.

use serde_json::Value;

use crate::harness::{Deployment, Direction, Mode, User, until};

use super::Client;

behaviours!(
    a_killed_server_loses_and_doubles_nothing,
    who_is_sent_away_comes_back,
    what_another_device_has_is_not_what_this_one_has,
    a_newer_connection_ends_this_one_clearly,
    a_token_that_works_no_longer_ends_it_clearly,
    a_server_that_is_not_there_is_said_to_be,
    who_left_and_came_back_misses_nothing_that_is_theirs,
);

/// Kills the process that both sit at, in the middle of whatever it does, and starts it again.
pub(super) async fn kill_and_restart(lx: &mut Deployment) {
    match lx.mode() {
        Mode::Embedded => {
            lx.kill9().await;
            lx.restart().await;
        }
        Mode::Cluster => {
            lx.process(0).kill9().await;
            lx.restart_one(0).await;
        }
    }
}

fn messages(client: &Client) -> Vec<String> {
    let said = client.objects().into_iter();
    let messages = said.filter(|o| o["type"] == 2);
    let content = |o: Value| o["content"].as_str().expect("a content").to_owned();
    messages.map(content).collect()
}

async fn two(lx: &Deployment) -> (User, User) {
    (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await)
}

async fn a_killed_server_loses_and_doubles_nothing(mode: Mode) {
    const COUNT: usize = 300;
    let mut lx = mode.start().await;
    let (alice, bob) = two(&lx).await;
    let b = Client::of(&bob, &["--json", "--follow"]);
    b.says("connected").await;
    let mut a = Client::of(&alice, &["--to", "bob", "--json"]);
    let lines: Vec<String> = (1..=COUNT).map(|number| format!("line {number}")).collect();
    for line in &lines {
        a.types(line);
    }
    a.ends_input();
    for part in ["line 20\"", "line 100\"", "line 180\""] {
        b.says(part).await;
        kill_and_restart(&mut lx).await;
    }
    a.succeeds().await;
    assert!(
        a.said().contains(r#""client":"lost""#),
        "the connection never broke"
    );
    until("all of them came", async || messages(&b).len() >= COUNT).await;
    assert_eq!(messages(&b), lines);
    // The sender sees each once, too.
    assert_eq!(messages(&a), lines);
    let log = bob.log("username=alice").await;
    let log: Vec<_> = log.iter().filter_map(|m| m["content"].as_str()).collect();
    assert_eq!(log, lines);
    // What was read is known, whatever was lost with the server.
    until("the receipts are there", async || {
        let list = bob.get("message/conversations").await.ok();
        list["conversations"][0]["unread"] == 0
    })
    .await;
}

async fn who_is_sent_away_comes_back(mode: Mode) {
    let mut lx = mode.start().await;
    let (alice, bob) = two(&lx).await;
    let mut b = Client::of(&bob, &["--json", "--follow", "--to", "alice"]);
    b.says("connected").await;
    lx.sigterm();
    let drain = b.says(r#""event":"drain""#).await;
    let drain: Value = serde_json::from_str(&drain).expect("JSON");
    let lost = b.says(r#""client":"lost""#).await;
    let lost: Value = serde_json::from_str(&lost).expect("JSON");
    assert_eq!(lost["reconnect_in_ms"], drain["reconnect_in_ms"]);
    lx.exit().await;
    // Said while there is no server.
    b.types("still here");
    lx.restart().await;
    until("it is stored", async || {
        alice.history("username=bob").await.len() == 1
    })
    .await;
    b.says(r#""again":true"#).await;
}

async fn what_another_device_has_is_not_what_this_one_has(mode: Mode) {
    let options = mode.with("LINGXI__SESSIONS__POLICY", "multi").proxied();
    let lx = options.start().await;
    let (alice, bob) = two(&lx).await;
    let mut through = bob.clone();
    through.rest.base = format!("http://{}", lx.edges[0].address());
    let b = Client::of(&through, &["--json", "--follow"]);
    let (mut a, mut other) = (alice.connect().await, bob.connect().await);
    a.say("bob", "m1", "both").await;
    b.says("both").await;
    lx.edges[0].silence(Direction::Up);
    lx.edges[0].silence(Direction::Down);
    lx.edges[0].cut();
    b.says("\"client\":\"lost\"").await;
    a.say("bob", "m2", "one").await;
    other.message("one").await;
    // To the server, bob has it.
    other.pinged().await;
    other.alive().await;
    lx.edges[0].speak();
    b.says("\"again\":true").await;
    b.says("\"content\":\"one\"").await;
    assert_eq!(messages(&b), ["both", "one"]);
}

async fn a_newer_connection_ends_this_one_clearly(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut first = Client::of(&alice, &[]);
    first.says("connected").await;
    let second = alice.connect().await;
    let (status, errors) = first.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("has connected elsewhere") && errors.lines().count() == 1,
        "{errors}"
    );
    drop(second);
}

async fn a_token_that_works_no_longer_ends_it_clearly(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut client = Client::of(&alice, &[]);
    client.says("connected").await;
    alice.post("user/logout", serde_json::json!({})).await.ok();
    let (status, errors) = client.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("log in again") && errors.lines().count() == 1,
        "{errors}"
    );
}

async fn a_server_that_is_not_there_is_said_to_be(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    // One that speaks HTTP, and is no Lingxi.
    let readyz = lx.internal_url(0, "");
    let command = super::process::command(&readyz, &["--token", &alice.token]);
    let (status, errors) = Client::start(command).ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("is it a Lingxi server?"), "{errors}");
}

async fn who_left_and_came_back_misses_nothing_that_is_theirs(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = two(&lx).await;
    let group = alice.create_group("g").await;
    let mut ws = alice.connect().await;
    let mut b = Client::of(&bob, &["--json", "--follow"]);
    b.types(&format!("/join {group}"));
    b.says("group_joined").await;
    b.types("/leave");
    b.says("group_left").await;
    for number in 1..=3 {
        ws.say_in(group, &format!("m{number}"), "not for bob").await;
    }
    ws.stored("m3").await;
    b.types(&format!("/join {group}"));
    until("he is back", async || {
        b.said().matches("\"event\":\"group_joined\"").count() == 2
    })
    .await;
    ws.say_in(group, "m4", "for bob").await;
    // What he may not see is no hole for him.
    b.says("\"content\":\"for bob\"").await;
    let said = b.said();
    assert!(!said.contains("not for bob"), "{said}");
}
