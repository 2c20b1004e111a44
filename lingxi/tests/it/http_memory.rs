//! What a client can make a server hold.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::harness::{BOUNDARY, DEADLINE, Deployment, Mode, Raw, form, until};

behaviours!(
    no_huge_pages,
    unfinished_bodies_cost_little,
    endless_heads_cost_little,
    answers_that_nobody_reads_cost_little,
    files_cost_little_however_large_they_are,
);

/// What an attack may cost a server, in MiB.
const MOST: u64 = 150;

/// Memory that has not grown for so long has settled.
const SETTLED: Duration = Duration::from_secs(1);

/// A number that the system tells of the first gateway's process.
fn told(lx: &Deployment, name: &str) -> u64 {
    let path = format!("/proc/{}/status", lx.process(0).pid);
    let status = std::fs::read_to_string(path).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).expect("a number")
}

/// Resident memory of the first gateway in MiB.
fn resident(lx: &Deployment) -> u64 {
    told(lx, "VmRSS:") / 1024
}

async fn no_huge_pages(mode: Mode) {
    let lx = mode.start().await;
    assert_eq!(told(&lx, "THP_enabled:"), 0);
}

/// Many connections that each send `text`, and the most memory that the server had meanwhile.
async fn cost(lx: &Deployment, connections: u16, text: &str) -> (Vec<Raw>, u64) {
    let before = resident(lx);
    let mut most = 0;
    let mut open = Vec::new();
    let base = lx.base_url(0);
    for start in (0..connections).step_by(50) {
        let some = (start..connections.min(start + 50)).map(async |number| {
            let from = Ipv4Addr::new(127, 0, 3, (number / 50) as u8 + 1);
            let mut raw = Raw::connect_from(&base, from).await.ok()?;
            raw.send(text).await;
            Some(raw)
        });
        open.extend(join_all(some).await.into_iter().flatten());
        most = most.max(resident(lx).saturating_sub(before));
    }
    // What was sent may still be on its way: until it grows no more for a second.
    let mut grew = Instant::now();
    let begun = grew;
    while grew.elapsed() < SETTLED && begun.elapsed() < DEADLINE {
        let now = resident(lx).saturating_sub(before);
        if now > most {
            (most, grew) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "{connections} connections, {} bytes each: {most} MiB more",
        text.len()
    );
    (open, most)
}

async fn unfinished_bodies_cost_little(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user_at(0, "alice").await;
    let body = "p".repeat(960 * 1024);
    for head in [
        "POST /api/v1/user/login HTTP/1.1\r\ncontent-length: 1048576".to_owned(),
        "POST /api/v1/user/register HTTP/1.1\r\ntransfer-encoding: chunked".to_owned(),
        "POST /api/admin/login HTTP/1.1\r\ncontent-length: 1048576".to_owned(),
        format!(
            "POST /api/v1/group/create HTTP/1.1\r\nauthorization: Bearer {}\r\ncontent-length: 1048576",
            alice.token
        ),
    ] {
        let text = if head.contains("chunked") {
            format!("{head}\r\nhost: localhost\r\n\r\n100000\r\n{body}")
        } else {
            format!("{head}\r\nhost: localhost\r\n\r\n{body}")
        };
        let (open, more) = cost(&lx, 300, &text).await;
        assert!(more <= MOST, "{head}: {more} MiB more");
        lx.user_at(0, &format!("stranger{}", head.len())).await;
        drop(open);
    }
}

async fn endless_heads_cost_little(mode: Mode) {
    let lx = mode.start().await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx-a: {}",
        "a".repeat(380_000)
    );
    let (open, more) = cost(&lx, 600, &head).await;
    assert!(more <= MOST, "{more} MiB more");
    lx.user_at(0, "stranger").await;
    drop(open);
}

async fn answers_that_nobody_reads_cost_little(mode: Mode) {
    let lx = mode
        .with("LINGXI__RATE_LIMITS", "on")
        .with("LINGXI__RATE__MESSAGES_PER_SECOND", 10_000)
        .with("LINGXI__RATE__MESSAGE_BURST", 10_000)
        .start()
        .await;
    let alice = lx.user_at(0, "alice").await;
    let mut socket = alice.connect().await;
    // As long as a message may be, and each character doubled by JSON.
    let content = "\\".repeat(8 * 1024 - 8);
    for number in 0..200 {
        socket.say("alice", &format!("m{number}"), &content).await;
        socket.ack(&format!("m{number}")).await;
    }
    let text = format!(
        "GET /api/v1/message/history?username=alice&limit=200 HTTP/1.1\r\nhost: localhost\r\n\
         authorization: Bearer {}\r\n\r\n",
        alice.token
    );
    let (open, more) = cost(&lx, 200, &text).await;
    assert!(more <= MOST, "{more} MiB more");
    drop(open);
    lx.user_at(0, "stranger").await;
    // Until then she may have no more at once, or not so soon.
    let served = async || {
        let page = alice.get("message/history?username=alice&limit=10").await;
        page.status == 200 && page.body["messages"][0].is_object()
    };
    until("the answers are over", served).await;
}

/// What a hundred files on their way may cost, in MiB.
const FILES: u64 = 64;

async fn files_cost_little_however_large_they_are(mode: Mode) {
    let options = mode.with("LINGXI__FILES__UPLOADS_PER_USER", 100);
    let lx = options.start().await;
    let alice = lx.user_at(0, "alice").await;
    let head = |what: &str| {
        format!(
            "{what} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n",
            alice.token
        )
    };
    // Half of each of a hundred.
    let body = form("x.bin", "", &vec![b'x'; 8 << 20]);
    let upload = format!(
        "{}content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n{}",
        head("POST /api/v1/file/upload"),
        body.len(),
        std::str::from_utf8(&body[..body.len() / 2]).expect("a text")
    );
    let (open, more) = cost(&lx, 100, &upload).await;
    assert_eq!(open.len(), 100);
    assert!(more <= FILES, "uploads: {more} MiB more");
    drop(open);
    let file = alice.upload("x.bin", "", &vec![7; 20 << 20]).await.ok();
    let download = format!("{}\r\n", head(&format!("GET /api/v1/file/{}", file["id"])));
    let (open, more) = cost(&lx, 100, &download).await;
    assert!(
        more <= FILES,
        "downloads that nobody reads: {more} MiB more"
    );
    drop(open);
}
