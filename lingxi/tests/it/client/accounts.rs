//! Whom one is: passwords, tokens, and where they are kept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::harness::Mode;

use super::Client;
use super::elsewhere::Elsewhere;
use super::process::command;

behaviours!(
    one_registers_and_is_remembered,
    secrets_go_to_no_other_server,
    a_password_may_be_the_first_line,
    a_wrong_password_is_one_line_and_a_status,
    who_is_nobody_is_told_how_to_be_somebody,
);

fn with_home(url: &str, home: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = command(url, arguments);
    command.env("HOME", home).env_remove("XDG_CONFIG_HOME");
    command
}

async fn one_registers_and_is_remembered(mode: Mode) {
    let lx = mode.start().await;
    let url = lx.base_url(0);
    let home = tempfile::tempdir().expect("a folder");
    let first = [
        "--user",
        "dora",
        "--register",
        "--remember",
        "--to",
        "dora",
        "--say",
        "one",
    ];
    let mut register = with_home(&url, home.path(), &first);
    register.env("LINGXI_PASSWORD", "correct horse");
    let mut client = Client::start(register);
    client.succeeds().await;
    let file = home.path().join(".config/lingxi/chat.json");
    let rights = std::fs::metadata(&file)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(rights & 0o777, 0o600);
    let kept = std::fs::read_to_string(&file).expect("the file");
    assert!(!kept.contains("correct horse"), "{kept}");
    // Nothing is asked for any more, not even the address.
    let mut again = std::process::Command::new(crate::harness::binary());
    again.args(["chat", "--to", "dora", "--say", "two"]);
    again
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("LINGXI_TOKEN");
    Client::start(again).succeeds().await;
    let dora = crate::harness::User::login(&lx.anonymous(), "dora", "correct horse").await;
    assert_eq!(dora.history("username=dora").await.len(), 2);
    // Where a file is named, a token alone does.
    let bare = home.path().join("token");
    std::fs::write(&bare, format!("{}\n", dora.token)).expect("written");
    let bare = bare.to_str().expect("a path");
    let three = ["--token-file", bare, "--to", "dora", "--say", "three"];
    Client::start(with_home(&url, home.path(), &three))
        .succeeds()
        .await;
}

async fn secrets_go_to_no_other_server(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let home = tempfile::tempdir().expect("a folder");
    let arguments = [
        "--user",
        "alice",
        "--remember",
        "--to",
        "alice",
        "--say",
        "hi",
    ];
    let mut remember = with_home(&alice.rest.base, home.path(), &arguments);
    remember.env("LINGXI_PASSWORD", &alice.password);
    Client::start(remember).succeeds().await;
    // The token that was kept is another server's.
    let other = Elsewhere::start("200 OK").await;
    let (status, errors) = Client::start(with_home(&other.url, home.path(), &[]))
        .ends()
        .await;
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("log in with --user"), "{errors}");
    assert_eq!(other.heard(), "");
    // Who sends on elsewhere is not followed: with a 307 the password would go along.
    let sends_on = format!("307 Temporary Redirect\r\nlocation: {}/there", other.url);
    let sends_on = Elsewhere::start(&sends_on).await;
    let mut log_in = with_home(&sends_on.url, home.path(), &["--user", "alice"]);
    log_in.env("LINGXI_PASSWORD", &alice.password);
    let with_token = with_home(&sends_on.url, home.path(), &["--token", &alice.token]);
    for command in [log_in, with_token] {
        let (status, errors) = Client::start(command).ends().await;
        assert_eq!(other.heard(), "");
        assert_eq!(status.code(), Some(1));
        assert!(errors.contains("answered 307"), "{errors}");
    }
    let heard = sends_on.heard();
    assert!(
        heard.contains(&alice.password) && heard.contains(&alice.token),
        "{heard}"
    );
}

async fn a_password_may_be_the_first_line(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let arguments = ["--user", "alice", "--to", "bob"];
    let mut client = Client::start(command(&alice.rest.base, &arguments));
    client.types(&alice.password);
    client.types("hi");
    client.ends_input();
    client.succeeds().await;
    let stored = bob.history("username=alice").await;
    assert_eq!(
        (stored.len(), stored[0]["content"].as_str()),
        (1, Some("hi"))
    );
}

async fn a_wrong_password_is_one_line_and_a_status(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut wrong = command(&alice.rest.base, &["--user", "alice"]);
    wrong.env("LINGXI_PASSWORD", "not this one");
    let (status, errors) = Client::start(wrong).ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(
        errors.contains("password is wrong") && errors.lines().count() == 1,
        "{errors}"
    );
    let mut taken = command(&alice.rest.base, &["--user", "alice", "--register"]);
    taken.env("LINGXI_PASSWORD", "not this one");
    let (status, errors) = Client::start(taken).ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("taken"), "{errors}");
}

async fn who_is_nobody_is_told_how_to_be_somebody(mode: Mode) {
    let lx = mode.start().await;
    let url = lx.base_url(0);
    let home = tempfile::tempdir().expect("a folder");
    let (status, errors) = Client::start(with_home(&url, home.path(), &[]))
        .ends()
        .await;
    assert_eq!(status.code(), Some(2));
    assert!(errors.contains("--user NAME"), "{errors}");
    let say = with_home(&url, home.path(), &["--token", "t", "--say", "hi"]);
    let (status, errors) = Client::start(say).ends().await;
    assert_eq!(status.code(), Some(2));
    assert!(errors.contains("--to NAME"), "{errors}");
    let (status, _) = Client::start(with_home(&url, home.path(), &["--nonsense"]))
        .ends()
        .await;
    assert_eq!(status.code(), Some(2));
}
