//! What a provider says, and says without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Deployment, Events, Mode, SseEvent, User};

behaviours!(
    an_error_without_end_is_read_in_part,
    a_line_without_end_is_an_error,
    an_error_forges_no_log,
);

/// A server that answers each request with this head and then with these bytes, again and again, for ever.
async fn server(head: &'static str, bytes: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket, head, bytes.clone(), count.clone()));
        }
    });
    (url, written)
}

async fn answer(
    mut socket: TcpStream,
    head: &'static str,
    bytes: Vec<u8>,
    written: Arc<AtomicUsize>,
) {
    let mut request = vec![0; 64 * 1024];
    if socket.read(&mut request).await.is_err() || socket.write_all(head.as_bytes()).await.is_err()
    {
        return;
    }
    while socket.write_all(&bytes).await.is_ok() {
        written.fetch_add(bytes.len(), Ordering::Relaxed);
    }
}

async fn ask(mode: Mode, url: &str) -> (Vec<SseEvent>, Deployment) {
    let lx = mode
        .with("LINGXI__AI__PROVIDERS__0__NAME", "endless")
        .with("LINGXI__AI__PROVIDERS__0__BASE_URL", url)
        .with("LINGXI__AI__PROVIDERS__0__MODEL", "a model")
        .start()
        .await;
    let alice: User = lx.user("alice").await;
    let body = json!({"message": "hello"});
    let request = alice.rest.request(Method::POST, "ai/chat").json(&body);
    (Events::open(request).await.rest().await, lx)
}

#[track_caller]
fn failed(events: &[SseEvent]) {
    let last = &events.last().expect("an end").data;
    assert_eq!(
        (&last["type"], &last["error"]),
        (&json!("error"), &json!("provider_error"))
    );
}

/// What the kernel holds on the way is not read by anybody.
const ON_ITS_WAY: usize = 16 * 1024 * 1024;

async fn an_error_without_end_is_read_in_part(mode: Mode) {
    let head = "HTTP/1.1 500 No\r\nconnection: close\r\n\r\n";
    let (url, written) = server(head, vec![b'x'; 64 * 1024]).await;
    let (events, _lx) = ask(mode, &url).await;
    failed(&events);
    let written = written.load(Ordering::Relaxed);
    assert!(written < ON_ITS_WAY, "{written} bytes were taken");
}

async fn a_line_without_end_is_an_error(mode: Mode) {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: ";
    let (url, written) = server(head, vec![b'x'; 4 * 1024]).await;
    let (events, _lx) = ask(mode, &url).await;
    failed(&events);
    let written = written.load(Ordering::Relaxed);
    assert!(written < ON_ITS_WAY, "{written} bytes were taken");
}

async fn an_error_forges_no_log(mode: Mode) {
    let head = "HTTP/1.1 500 No\r\nconnection: close\r\n\r\n";
    let forged = "no\r\n2026-11-25T00:00:00Z ERROR forged: all is lost\u{1b}[31m\u{2028}x";
    let (url, _) = server(head, forged.as_bytes().to_vec()).await;
    let (events, lx) = ask(mode, &url).await;
    failed(&events);
    let logs: String = (0..lx.roles().len()).map(|node| lx.log(node)).collect();
    let said = logs.lines().find(|line| line.contains("all is lost"));
    let said = said.expect("the body is in the log");
    assert!(
        said.contains("the model's turn failed"),
        "a line of its own: {said}"
    );
    assert!(
        !logs.contains('\u{1b}') && !logs.contains('\u{2028}'),
        "{said}"
    );
}
