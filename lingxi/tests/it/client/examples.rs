//! The examples work, each with the other, whatever happens to the server. `deploy/local/install tests` gets what they
//! import.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Deployment, Mode};

use super::Client;
use super::resuming::kill_and_restart;

behaviours!(python_and_typescript_talk, examples_say_why_they_end);

/// Which example.
#[derive(Clone, Copy)]
enum Language {
    Python,
    TypeScript,
}

/// What they import, and the example in TypeScript as it was compiled.
struct Examples {
    installed: PathBuf,
    compiled: tempfile::TempDir,
}

impl Examples {
    fn new() -> Self {
        let home =
            || Path::new(&std::env::var_os("HOME").expect("a home")).join(".cache/lingxi-examples");
        let installed = std::env::var_os("LINGXI_TEST_EXAMPLES").map_or_else(home, PathBuf::from);
        assert!(
            installed.join("made-of").is_file(),
            "{} is not there: run deploy/local/install tests",
            installed.display()
        );
        let compiled = tempfile::tempdir().expect("a folder");
        for file in ["chat.ts", "tsconfig.json", "package.json"] {
            std::fs::copy(
                folder().join("typescript").join(file),
                compiled.path().join(file),
            )
            .expect(file);
        }
        let modules = installed.join("typescript/node_modules");
        std::os::unix::fs::symlink(&modules, compiled.path().join("node_modules")).expect("a link");
        let compiler = modules.join("typescript/bin/tsc");
        let output = Command::new("node")
            .arg(compiler)
            .current_dir(compiled.path())
            .output();
        let output = output.expect("node");
        assert!(output.status.success(), "{output:?}");
        Self {
            installed,
            compiled,
        }
    }

    fn start(
        &self,
        language: Language,
        lx: &Deployment,
        [user, password, to]: [&str; 3],
    ) -> Client {
        let mut command = match language {
            Language::Python => {
                let mut command = Command::new(self.installed.join("python/bin/python"));
                command
                    .args(["-B", "-X", "dev", "-W", "error"])
                    .arg(folder().join("python/chat.py"));
                command
            }
            Language::TypeScript => {
                let mut command = Command::new("node");
                command.arg(self.compiled.path().join("dist/chat.js"));
                command
            }
        };
        command.args([&lx.base_url(0), user, password, to]);
        command.env("no_proxy", "*");
        // By its library's default it waits up to 5 s before it connects again.
        command.env("WEBSOCKETS_BACKOFF_INITIAL_DELAY", "0.2");
        command.env("WEBSOCKETS_BACKOFF_MIN_DELAY", "0.2");
        Client::start(command)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

const ALICE: [&str; 3] = ["alice", "correct horse", "bob"];
const BOB: [&str; 3] = ["bob", "battery staple", "alice"];

/// What a client showed of what `name` said.
fn said_by(client: &Client, name: &str) -> Vec<String> {
    let said = client.said();
    let begin = format!("{name}: ");
    let lines = said.lines().filter_map(|line| line.strip_prefix(&begin));
    lines.map(str::to_owned).collect()
}

async fn python_and_typescript_talk(mode: Mode) {
    const COUNT: usize = 40;
    let mut lx = mode.start().await;
    let examples = Examples::new();
    let (python, typescript) = (Language::Python, Language::TypeScript);
    // They register themselves, and there is nobody to write to before that.
    let mut bob = examples.start(typescript, &lx, BOB);
    bob.ends_input();
    bob.succeeds().await;
    let mut alice = examples.start(python, &lx, ALICE);
    alice.types("are you there?");
    alice.says("stored").await;
    let mut bob = examples.start(typescript, &lx, BOB);
    bob.says("alice: are you there?").await;
    bob.types("yes");
    bob.says("delivered").await;
    alice.says("bob: yes").await;

    let numbered = |who: &str| Vec::from_iter((1..=COUNT).map(|number| format!("{who} {number}")));
    let (of_alice, of_bob) = (numbered("a"), numbered("b"));
    for half in [0, COUNT / 2] {
        for number in half..half + COUNT / 2 {
            alice.types(&of_alice[number]);
            bob.types(&of_bob[number]);
        }
        kill_and_restart(&mut lx).await;
    }
    for (last, client) in [(&of_alice, &bob), (&of_bob, &alice)] {
        client.says(&format!(": {}", last[COUNT - 1])).await;
    }
    alice.ends_input();
    alice.succeeds().await;
    // What is said to who is away comes with the next connection.
    bob.types("still there?");
    bob.says("stored").await;
    bob.ends_input();
    bob.succeeds().await;
    let mut later = examples.start(python, &lx, ALICE);
    later.says("bob: still there?").await;
    later.ends_input();
    later.succeeds().await;
    for (client, name, expected) in [
        (&alice, "alice", &of_alice),
        (&alice, "bob", &of_bob),
        (&bob, "alice", &of_alice),
        (&bob, "bob", &of_bob),
    ] {
        let said = said_by(client, name);
        let numbered: Vec<_> = said.iter().filter(|line| expected.contains(line)).collect();
        assert_eq!(numbered, Vec::from_iter(expected), "{name}");
    }
}

async fn examples_say_why_they_end(mode: Mode) {
    let lx = mode.start().await;
    let examples = Examples::new();
    for (language, name) in [(Language::Python, "alice"), (Language::TypeScript, "bob")] {
        let user = lx.user_at(0, name).await;
        let arguments = [name, user.password.as_str(), name];
        let mut first = examples.start(language, &lx, arguments);
        first.types("a note");
        first.says(&format!("{name}: a note")).await;
        let second = user.connect().await;
        let (status, errors) = first.ends().await;
        assert_eq!(
            (status.code(), errors.as_str()),
            (Some(1), "connected elsewhere")
        );
        drop(second);
        let mut wrong = examples.start(language, &lx, [name, "not this one", name]);
        let (status, errors) = wrong.ends().await;
        assert_eq!(status.code(), Some(1), "{errors}");
        assert!(
            errors.contains("401") || errors.contains("invalid_credentials"),
            "{errors}"
        );
    }
}
