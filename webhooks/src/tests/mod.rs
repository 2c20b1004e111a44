//! Where requests go, and where they do not, whatever a name means.

mod compare;
mod pace;
mod world;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use lingxi_domain::reach::Reach;
use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::{Client, Failure, Lookup, Outcome};

const TIMEOUT: Duration = Duration::from_secs(2);

/// Answers of a resolver, one a look-up; the last one from then on.
struct Answers {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Answers {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let parsed = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parsed).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Lookup for Answers {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock();
        match answers.len() {
            0 => Err(io::ErrorKind::NotFound.into()),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.remove(0)),
        }
    }
}

/// A server on all addresses of this machine, which says how it is to answer, and notes at which address it was reached.
struct Server {
    port: u16,
    reached: Arc<Mutex<Vec<IpAddr>>>,
}

impl Server {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let reached = Arc::new(Mutex::new(Vec::new()));
        let noted = reached.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let at = socket.local_addr().unwrap().ip().to_canonical();
                noted.lock().push(at);
                tokio::spawn(async move {
                    let mut read = [0; 4096];
                    let _ = socket.read(&mut read).await;
                    let _ = socket.write_all(answer.as_bytes()).await;
                    // An answer that does not end, or none.
                    while answer.is_empty() || answer.contains("chunked") {
                        let piece = format!("1000\r\n{}\r\n", "x".repeat(4096));
                        if !answer.is_empty() && socket.write_all(piece.as_bytes()).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
            }
        });
        Self { port, reached }
    }

    fn reached(&self) -> Vec<String> {
        self.reached.lock().iter().map(IpAddr::to_string).collect()
    }
}

const OK: &str = "HTTP/1.1 204 X\r\nconnection: close\r\n\r\n";

/// A client for which 127.0.0.1 is all there is of the public internet.
fn client(lookup: Arc<dyn Lookup>) -> Client {
    let one = "127.0.0.1/32".parse().unwrap();
    Client::new(Reach::new(vec![one], Vec::new()), lookup, TIMEOUT).unwrap()
}

async fn post(client: &Client, url: &str) -> Outcome {
    let url = Url::parse(url).unwrap();
    let body = Bytes::from_static(b"{}");
    client.post(&url, HeaderMap::new(), body).await
}

fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_name_that_comes_to_mean_a_private_address_is_not_connected_to() {
    let server = Server::start(OK).await;
    let answers = Answers::of(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]]);
    let client = client(answers.clone());
    let url = format!("http://rebind.example:{}/", server.port);
    assert_eq!(post(&client, &url).await, Outcome::Delivered(204));
    let refused = failure(post(&client, &url).await);
    assert!(refused.error.contains("private address"), "{refused:?}");
    assert_eq!(post(&client, &url).await, Outcome::Delivered(204));
    assert_eq!(server.reached(), ["127.0.0.1", "127.0.0.1"]);
    // What was judged is what was connected to: there is one look-up a connection.
    assert_eq!(answers.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn of_several_addresses_only_those_within_reach_are_tried() {
    let server = Server::start(OK).await;
    let mixed = [
        "127.0.0.2",
        "::1",
        "::ffff:127.0.0.3",
        "10.0.0.1",
        "127.0.0.1",
    ];
    let client = client(Answers::of(&[&mixed]));
    let url = format!("http://many.example:{}/", server.port);
    assert_eq!(post(&client, &url).await, Outcome::Delivered(204));
    assert_eq!(server.reached(), ["127.0.0.1"]);
}

#[tokio::test]
async fn private_names_and_addresses_are_never_connected_to() {
    let server = Server::start(OK).await;
    let port = server.port;
    for answer in [
        "127.0.0.2",
        "::1",
        "::ffff:127.0.0.2",
        "::127.0.0.2",
        "64:ff9b::7f00:2",
        "2002:7f00:2::1",
        "fd00::1",
        "169.254.169.254",
        "0.0.0.0",
        "::",
    ] {
        let client = client(Answers::of(&[&[answer]]));
        let refused = failure(post(&client, &format!("http://a.example:{port}/")).await);
        assert!(
            refused.error.contains("private address"),
            "{answer}: {refused:?}"
        );
    }
    // As the host itself: nothing is looked up.
    let answers = Answers::of(&[&["127.0.0.1"]]);
    let literal = client(answers.clone());
    for host in [
        "127.0.0.2",
        "127.0.0.2.",
        "2130706434",
        "0x7f.2",
        "0177.0.0.2",
        "[::1]",
        "[::ffff:127.0.0.2]",
        "[::]",
        "0.0.0.0",
    ] {
        let refused = failure(post(&literal, &format!("http://{host}:{port}/")).await);
        assert!(
            refused.error.contains("private address"),
            "{host}: {refused:?}"
        );
    }
    assert_eq!(answers.asked.load(Ordering::Relaxed), 0);
    assert!(server.reached().is_empty());
    // `localhost` is this machine, whatever a resolver says of it.
    let strict = Client::new(Reach::default(), Arc::new(crate::SystemLookup), TIMEOUT).unwrap();
    for host in ["localhost", "localhost.", "a.localhost"] {
        let refused = failure(post(&strict, &format!("http://{host}:{port}/")).await);
        assert!(
            refused.error.contains("private address"),
            "{host}: {refused:?}"
        );
    }
    assert!(server.reached().is_empty());
}

#[tokio::test]
async fn a_redirect_to_anywhere_is_a_failure() {
    let server =
        Server::start("HTTP/1.1 302 X\r\nlocation: http://127.0.0.2/\r\nconnection: close\r\n\r\n")
            .await;
    let client = client(Answers::of(&[&["127.0.0.1"]]));
    let refused = failure(post(&client, &format!("http://a.example:{}/", server.port)).await);
    assert_eq!(refused.status, Some(302));
    assert_eq!(server.reached(), ["127.0.0.1"]);
}

#[tokio::test]
async fn an_answer_without_an_end_is_left_and_silence_is_given_up() {
    let endless = Server::start("HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let client = client(Answers::of(&[&["127.0.0.1"]]));
    let start = Instant::now();
    let url = format!("http://a.example:{}/", endless.port);
    assert_eq!(post(&client, &url).await, Outcome::Delivered(200));
    assert!(start.elapsed() < TIMEOUT, "{:?}", start.elapsed());
    let silent = Server::start("").await;
    let start = Instant::now();
    let url = format!("http://a.example:{}/", silent.port);
    let refused = failure(post(&client, &url).await);
    assert!(refused.error.contains("in time"), "{refused:?}");
    assert!(start.elapsed() < TIMEOUT * 2, "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_a_url_holds_is_not_in_what_went_wrong() {
    let client = client(Answers::of(&[]));
    let refused = failure(post(&client, "http://a.example:9/?key=hush").await);
    assert!(!refused.error.contains("hush"), "{refused:?}");
    assert_eq!(refused.status, None);
}
