//! A running `lingxi chat`.

use std::io::{Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::harness::{User, binary, until, until_some};

/// A process of the client, whose input is typed by the test.
pub(super) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    out: Said,
    err: Said,
}

/// What was said so far.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Client {
    /// `lingxi chat` as `user`, who gives their password by the environment.
    pub(super) fn of(user: &User, arguments: &[&str]) -> Self {
        let mut command = command(&user.rest.base, arguments);
        command.args(["--user", &user.name]);
        command.env("LINGXI_PASSWORD", &user.password);
        Self::start(command)
    }

    /// Starts it.
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (out, err) = (Said::default(), Said::default());
        out.follow(child.stdout.take().expect("an output"));
        err.follow(child.stderr.take().expect("an output for errors"));
        let input = child.stdin.take();
        Self {
            child,
            input,
            out,
            err,
        }
    }

    /// Types a line.
    pub(super) fn types(&mut self, line: &str) {
        let input = self.input.as_mut().expect("an open input");
        input
            .write_all(format!("{line}\n").as_bytes())
            .expect("typed");
        input.flush().expect("typed");
    }

    /// Presses keys.
    pub(super) fn presses(&mut self, keys: &str) {
        let input = self.input.as_mut().expect("an open input");
        input.write_all(keys.as_bytes()).expect("typed");
        input.flush().expect("typed");
    }

    /// Waits until that was shown, in whatever line.
    pub(super) async fn shows(&self, part: &str) {
        until(part, async || self.said().contains(part)).await;
    }

    /// Nothing more is typed.
    pub(super) fn ends_input(&mut self) {
        self.input = None;
    }

    /// Everything that it has said.
    pub(super) fn said(&self) -> String {
        self.out.all()
    }

    /// Waits until it has said a line with that in it, and returns the first.
    pub(super) async fn says(&self, part: &str) -> String {
        until_some(part, async || {
            // A line whose end has come.
            let said = self.said();
            let mut lines = said
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'));
            lines
                .find(|line| line.contains(part))
                .map(|line| line.trim_end().to_owned())
        })
        .await
    }

    /// Each line of its output, as JSON.
    #[track_caller]
    pub(super) fn objects(&self) -> Vec<Value> {
        let said = self.said();
        // The last line may still be on its way.
        let lines = said
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        lines.map(parse).collect()
    }

    /// Waits until it has ended; its status, and what it said on its standard error.
    pub(super) async fn ends(&mut self) -> (ExitStatus, String) {
        let probe = async || self.child.try_wait().expect("a child of ours");
        let status = until_some("the client ends", probe).await;
        // The last words are in the pipe.
        until("its last words are read", async || {
            self.out.is_over() && self.err.is_over()
        })
        .await;
        (status, self.err.all().trim_end().to_owned())
    }

    /// Waits until it has ended well.
    pub(super) async fn succeeds(&mut self) {
        let (status, errors) = self.ends().await;
        assert!(status.success(), "{status}: {errors}\n{}", self.said());
        assert_eq!(errors, "");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!(
                "--- the client said ---\n{}{}",
                self.out.all(),
                self.err.all()
            );
        }
    }
}

impl Said {
    fn follow(&self, stream: impl Read + Send + 'static) {
        let said = self.clone();
        std::thread::spawn(move || {
            let mut stream = stream;
            let mut part = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = stream.read(&mut part) {
                said.lock().extend_from_slice(&part[..read]);
            }
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }

    /// Whether nobody writes to it any more.
    fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// `lingxi chat` at a server, without what the environment of the test may say.
pub(super) fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["chat", "--url", url]).args(arguments);
    command
        .env_remove("LINGXI_TOKEN")
        .env_remove("LINGXI_PASSWORD");
    command
}
