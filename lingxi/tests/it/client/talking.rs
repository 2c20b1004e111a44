//! What people do in it: talk, in groups too, look back, change what they said.

use crate::harness::Mode;

use super::Client;

behaviours!(
    two_people_talk,
    a_group_is_made_joined_and_left,
    messages_are_answered_changed_and_taken_back,
    who_is_there_is_shown_as_it_changes,
    the_assistant_answers,
    what_strangers_write_controls_no_terminal,
);

async fn two_people_talk(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = Client::of(&alice, &["--to", "bob"]);
    a.says("connected to").await;
    // Bob is away.
    a.types("are you there?");
    a.says("✓ stored").await;
    let mut b = Client::of(&bob, &[]);
    b.says("[alice] alice: are you there?").await;
    a.says("bob has read it").await;
    b.types("/to alice");
    b.types("yes");
    b.says("✓ delivered").await;
    a.says("bob: yes").await;
    a.types("//slashes and  spaces");
    let seen = b.says("slashes").await;
    assert!(
        seen.starts_with("alice: /slashes and  spaces  (#"),
        "{seen}"
    );
    b.types("/history 2");
    let listed = b.says("  bob: yes").await;
    assert!(!listed.is_empty());
}

async fn a_group_is_made_joined_and_left(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = Client::of(&alice, &[]);
    let mut b = Client::of(&bob, &[]);
    b.says("connected to").await;
    a.types("/create Rust 灵犀");
    let made = a.says("is yours").await;
    let id = made.split(' ').nth(1).expect("an id").to_owned();
    a.types("/invite bob");
    a.says("member invited").await;
    b.says("alice took bob in").await;
    b.types("/groups");
    b.says(&format!("{id}  Rust 灵犀, 2 members")).await;
    a.types("welcome");
    b.says(&format!("[Rust 灵犀 {id}] alice: welcome")).await;
    b.types(&format!("/group {id}"));
    b.types("thank you");
    a.says("bob: thank you").await;
    b.types("/members");
    b.says("  alice, owner").await;
    b.says("  bob, member").await;
    b.types("/list");
    let listed = b.says("bob: thank you  (#").await;
    assert!(
        listed.contains(&format!("Rust 灵犀 (/group {id})")),
        "{listed}"
    );
    b.types("/leave");
    a.says("bob left").await;
    // Whoever is not in it is told how to get there.
    b.types(&format!("/group {id}"));
    b.says(&format!("/join {id}")).await;
    b.types(&format!("/join {id}"));
    b.says("group joined").await;
    b.types("back");
    a.says("bob: back").await;
}

async fn messages_are_answered_changed_and_taken_back(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = Client::of(&alice, &["--to", "bob"]);
    let mut b = Client::of(&bob, &["--to", "alice"]);
    b.says("connected to").await;
    a.types("lunch?");
    b.says("alice: lunch?").await;
    b.types("/reply ^ at one");
    a.says("  > alice: lunch?").await;
    let answer = a.says("bob: at one").await;
    let id = answer
        .split("(#")
        .nth(1)
        .expect("an id")
        .trim_end_matches(')');
    a.types("/react ^ 👍");
    b.says(&format!("alice reacted to #{id}: 👍")).await;
    a.types("/react ^ -👍");
    b.says(&format!("alice took 👍 back from #{id}")).await;
    b.types(&format!("/edit {id} at two"));
    a.says(&format!("bob changed #{id} to: at two")).await;
    b.types(&format!("/recall {id}"));
    a.says(&format!("bob took #{id} back")).await;
    a.types("/history");
    a.says("  bob: (recalled)").await;
    a.types("/search lunch");
    a.says("  [alice → bob] alice: lunch?").await;
    a.types(&format!("/edit {id} mine"));
    a.says("✗").await;
    a.ends_input();
    let (status, errors) = a.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("1 of 5 commands were not done"), "{errors}");
}

async fn who_is_there_is_shown_as_it_changes(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = Client::of(&alice, &["--follow"]);
    a.types("/add bob");
    a.says("contact added").await;
    a.types("/who");
    a.says("  bob is away").await;
    let b = bob.connect().await;
    a.says("  bob is online").await;
    drop(b);
    let mut once = Client::of(&bob, &[]);
    once.types("/who alice");
    once.ends_input();
    once.succeeds().await;
    let said = once.said();
    assert!(said.contains("  alice is "), "{said}");
}

async fn the_assistant_answers(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut a = Client::of(&alice, &[]);
    a.types("/ai Create a group called Rustaceans");
    a.says("… create_group").await;
    a.says("I created the group").await;
    a.types("/groups");
    a.says("Rustaceans, 1 members").await;
    a.ends_input();
    a.succeeds().await;
}

async fn what_strangers_write_controls_no_terminal(mode: Mode) {
    let lx = mode.start().await;
    let (alice, eve) = (lx.user("alice").await, lx.user("eve").await);
    let mut ws = eve.connect().await;
    ws.say(
        "alice",
        "m",
        "hi\nbob: send me your password\u{202e}\u{2028}\u{feff}",
    )
    .await;
    ws.stored("m").await;
    let a = Client::of(&alice, &["--follow"]);
    a.says("[eve] eve: hi").await;
    // It stands where nobody's name does.
    let forged = a.says("send me your password").await;
    assert!(
        forged.starts_with(r"    | bob: send me your password\u{202e}\u{2028}\u{feff}"),
        "{forged}"
    );
    let mut json = Client::of(&alice, &["--json"]);
    json.types(r#"{"to":"eve","content":"x"}"#);
    json.types("/to eve");
    json.types("/history");
    json.ends_input();
    json.succeeds().await;
    let said = json.said();
    assert!(said.contains("your password"), "{said}");
    let harmful =
        |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202e}' | '\u{2028}' | '\u{feff}');
    assert!(!said.contains(harmful), "{said:?}");
    json.objects();
}
