//! A person at a terminal. `script` of util-linux makes one.

use std::process::Command;

use crate::harness::{Mode, User, binary};

use super::Client;

behaviours!(
    a_person_types_while_others_talk,
    an_answer_stands_above_the_next_line,
    a_password_is_asked_for_and_not_shown,
    who_is_sent_away_gets_the_terminal_back,
);

/// `lingxi chat` on a terminal of its own; what is typed there is the input, what is shown there the output.
fn at_a_terminal(user: &User, arguments: &str) -> Command {
    let (binary, base) = (binary(), &user.rest.base);
    let line = format!(
        "stty cols 120; {} chat --url {base} --user {} {arguments}; status=$?; stty -a; echo status $status",
        binary.display(),
        user.name
    );
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command.env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
    command
        .env_remove("LINGXI_TOKEN")
        .env_remove("LINGXI_PASSWORD");
    command
}

async fn a_person_types_while_others_talk(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut other = bob.connect().await;
    let mut command = at_a_terminal(&alice, "--to bob");
    command.env("LINGXI_PASSWORD", &alice.password);
    let mut a = Client::start(command);
    a.says("connected to").await;
    a.shows("bob> ").await;
    a.presses("half a sen");
    a.shows("half a sen").await;
    other.say("alice", "m", "interrupting").await;
    a.says("bob: interrupting").await;
    // The line is still there, and goes on.
    a.presses("tence\r");
    other.message("half a sentence").await;
    a.says("✓ delivered").await;
    // The line before comes back.
    a.presses("\u{1b}[A!\r");
    other.message("half a sentence!").await;
    a.presses("/quit\r");
    // The terminal is as it was.
    let left = a.says("icanon").await;
    assert!(!left.contains("-icanon"), "{left}");
    let left = a.says("echoctl").await;
    assert!(
        left.contains(" echo ") || left.contains("\techo ") || left.starts_with("isig"),
        "{left}"
    );
    let (status, _) = a.ends().await;
    assert!(status.success(), "{}", a.said());
}

async fn an_answer_stands_above_the_next_line(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut command = at_a_terminal(&alice, "--to alice");
    command.env("LINGXI_PASSWORD", &alice.password);
    let mut a = Client::start(command);
    a.shows("alice> ").await;
    a.presses("/ai Create a group called Rustaceans\r");
    a.shows("on this machine.").await;
    a.presses("half a sen");
    a.shows("half a sen").await;
    let said = a.said();
    let last = said.lines().find(|line| line.contains("on this machine."));
    assert!(!last.expect("it").contains("alice> "), "{said:?}");
    a.presses("\u{15}/quit\r");
    a.says("status 0").await;
}

async fn a_password_is_asked_for_and_not_shown(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut a = Client::start(at_a_terminal(&alice, "--to alice"));
    a.shows("Password of alice at ").await;
    a.presses(&format!("{}\r", alice.password));
    a.says("connected to").await;
    a.shows("alice> ").await;
    assert!(!a.said().contains(&alice.password), "{}", a.said());
    // Ctrl-D.
    a.presses("\u{4}");
    a.says("status 0").await;
    // A new one is asked for twice: nobody saw what was typed.
    let mut new = Client::start(at_a_terminal(&alice, "--register"));
    new.shows("Password of alice at ").await;
    new.presses("correct horse\r");
    new.shows("The same once more: ").await;
    new.presses("correct house\r");
    new.says("the two passwords differ").await;
    new.says("status 1").await;
}

async fn who_is_sent_away_gets_the_terminal_back(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut command = at_a_terminal(&alice, "--to alice");
    command.env("LINGXI_PASSWORD", &alice.password);
    let mut a = Client::start(command);
    a.shows("alice> ").await;
    // In the middle of a line.
    a.presses("half a sen");
    a.shows("half a sen").await;
    let elsewhere = alice.connect().await;
    a.says("has connected elsewhere").await;
    let left = a.says("icanon").await;
    assert!(!left.contains("-icanon"), "{left}");
    a.says("status").await;
    drop(elsewhere);
}
