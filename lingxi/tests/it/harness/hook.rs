//! A bot maker's server: takes what is posted to it, and answers as a test says.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lingxi_testing::{Port, until_some};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is posted: head and body.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    head: String,
    pub(crate) body: String,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The frame in it.
    pub(crate) fn frame(&self) -> Value {
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(body["type"], "message", "{body}");
        assert!(
            body["timestamp"]
                .as_str()
                .is_some_and(|at| at.ends_with('Z'))
        );
        body["data"].clone()
    }

    pub(crate) fn content(&self) -> String {
        let frame = self.frame();
        frame["content"].as_str().expect("content").to_owned()
    }

    /// Whether it bears the signature that Python computes.
    pub(crate) fn is_signed(&self, secret: &str) -> bool {
        const SIGN: &str = "import base64, hashlib, hmac, sys\n\
            key = base64.b64decode(sys.argv[1].removeprefix('whsec_'))\n\
            print('v1,' + base64.b64encode(hmac.new(key, sys.argv[2].encode(), hashlib.sha256).digest()).decode())";
        let header = |name| self.header(name).expect("a header of Standard Webhooks");
        let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
        let signed = format!("{id}.{at}.{}", self.body);
        let mut python = Command::new("python3");
        let output = python.args(["-c", SIGN, secret, &signed]).output();
        let output = output.expect("python3");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim() == header("webhook-signature")
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With this status and these more header lines.
    Status(u16, String),
    /// Not at all: the connection is held open.
    Nothing,
}

#[derive(Debug, Default)]
struct State {
    posted: Vec<Posted>,
    /// Answers to come; then `otherwise`.
    answers: VecDeque<Answer>,
    otherwise: Option<Answer>,
}

/// The server, until it is dropped.
#[derive(Debug)]
pub(crate) struct Hook {
    port: Port,
    state: Arc<Mutex<State>>,
    serving: Option<JoinHandle<()>>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let mut hook = Self {
            port: Port::reserve(),
            state: Arc::default(),
            serving: None,
        };
        hook.open().await;
        hook
    }

    /// Serves, again if it was closed.
    pub(crate) async fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port.number)).await;
        let (listener, state) = (listener.expect("its port"), self.state.clone());
        self.serving = Some(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, state.clone()));
            }
        }));
    }

    /// Serves no more: connections are refused.
    pub(crate) async fn close(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=k", self.port.number)
    }

    /// Answers the next requests like this, each once.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().answers.extend(answers);
    }

    /// Answers all requests like this from now on.
    pub(crate) fn always(&self, answer: Option<Answer>) {
        self.state().otherwise = answer;
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.state().posted.clone()
    }

    /// What was said in what was posted, in the order in which it came.
    pub(crate) fn contents(&self) -> Vec<String> {
        self.posted().iter().map(Posted::content).collect()
    }

    /// The first that was posted with this content.
    pub(crate) async fn told(&self, content: &str) -> Posted {
        until_some(&format!("{content:?} is posted"), async || {
            let posted = self.posted().into_iter();
            posted.into_iter().find(|one| one.content() == content)
        })
        .await
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics in it")
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

async fn serve(mut socket: TcpStream, state: Arc<Mutex<State>>) {
    while let Some(posted) = read(&mut socket).await {
        let answer = {
            let mut state = state.lock().expect("no test panics in it");
            state.posted.push(posted);
            let next = state.answers.pop_front();
            next.or_else(|| state.otherwise.clone())
        };
        let (status, more) = match answer {
            None => (204, String::new()),
            Some(Answer::Status(status, more)) => (status, more),
            Some(Answer::Nothing) => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                return;
            }
        };
        let head = format!("HTTP/1.1 {status} X\r\n{more}content-length: 0\r\n\r\n");
        if socket.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(socket: &mut TcpStream) -> Option<Posted> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let posted = Posted {
                head,
                body: String::new(),
            };
            let length = posted.header("content-length")?.parse::<usize>().ok()?;
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]);
                let body = body.into_owned();
                return Some(Posted { body, ..posted });
            }
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
