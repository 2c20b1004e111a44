//! Connections that say nothing, or never enough: they end, and nobody else waits for them.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Mode, Raw, Ws, until};

behaviours!(
    what_is_left_undone_ends,
    silence_takes_no_place_from_others,
    no_network_takes_every_place,
    no_http_2_with_prior_knowledge,
    one_user_has_only_so_many_requests_in_flight,
    what_nobody_reads_keeps_its_place,
    one_user_asks_only_so_often,
    who_is_refused_waits_for_it,
    a_large_answer_costs_more,
);

/// Headers have ten seconds, bodies thirty; a loaded machine has some more.
const PATIENCE: Duration = Duration::from_secs(45);

async fn what_is_left_undone_ends(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user_at(0, "alice").await;
    let base = lx.base_url(0);
    let token = &alice.token;
    let begun = [
        String::new(),
        "G".to_owned(),
        "GET / HTTP/1.1\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: localhost\r\nx-a: ".to_owned(),
        "POST /api/v1/user/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
            .to_owned(),
        format!(
            "POST /api/v1/group/create HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             transfer-encoding: chunked\r\n\r\n5\r\n{{\"nam"
        ),
    ];
    let mut connections = Vec::new();
    for text in &begun {
        let mut raw = Raw::connect(&base).await;
        raw.send(text).await;
        connections.push((text, raw));
    }
    // A whole request, and then half of one on the same connection.
    let half = "GET / HT".to_owned();
    let mut second = Raw::connect(&base).await;
    second
        .send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    assert!(second.answer().await.starts_with("HTTP/1.1 200 "));
    second.send(&half).await;
    connections.push((&half, second));
    // One that never stops sending its head.
    let mut trickle = Raw::connect(&base).await;
    let trickled = tokio::spawn(async move {
        trickle
            .send("GET / HTTP/1.1\r\nhost: localhost\r\nx-a: ")
            .await;
        let sends = tokio::time::timeout(PATIENCE, async {
            while !trickle.ends_within(Duration::from_millis(200)).await {
                trickle.send("a").await;
            }
        });
        sends.await.is_ok()
    });
    let ends = connections.iter_mut().map(async |(text, raw)| {
        assert!(raw.ends_within(PATIENCE).await, "still open: {text:?}");
    });
    futures_util::future::join_all(ends).await;
    assert!(
        trickled.await.expect("no panic"),
        "the trickle is still open"
    );
}

async fn silence_takes_no_place_from_others(mode: Mode) {
    let lx = mode.options().descriptors(1024).start().await;
    let alice = lx.user_at(0, "alice").await;
    let mut socket = alice.connect().await;
    let base = lx.base_url(0);
    // More than there are descriptors, of more networks than one.
    let mut silent = Vec::new();
    for number in 0..1100_u16 {
        let from = Ipv4Addr::new(127, 0, 1, (number / 100) as u8 + 1);
        if let Ok(mut raw) = Raw::connect_from(&base, from).await {
            if number % 2 == 0 {
                raw.send("GET / HTTP/1.1\r\nhost: localhost\r\nx-a: ").await;
            }
            silent.push(raw);
        }
    }
    // Over connections of their own: those that were there before would still be served.
    let status = async |base: &str, request: &str| {
        let mut raw = Raw::connect_from(base, Ipv4Addr::LOCALHOST).await.ok()?;
        raw.send(request).await;
        let answer = raw.answer().await;
        answer.split(' ').nth(1).map(str::to_owned)
    };
    for node in 0..lx.roles().len() {
        let base = lx.internal_url(node, "");
        let ready = status(&base, "GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert_eq!(ready.as_deref(), Some("200"), "node {node}");
    }
    let body = json!({"username": "alice", "password": alice.password}).to_string();
    let request = format!(
        "POST /api/v1/user/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let login = async || status(&base, &request).await.as_deref() == Some("200");
    until("a stranger can log in", login).await;
    socket.alive().await;
    drop(silent);
}

async fn no_network_takes_every_place(mode: Mode) {
    let lx = mode.options().descriptors(512).start().await;
    let base = lx.base_url(0);
    let mut open = Vec::new();
    let mut refused = String::new();
    for _ in 0..400 {
        let from = Ipv4Addr::new(127, 0, 2, 1);
        let Ok(mut raw) = Raw::connect_from(&base, from).await else {
            continue;
        };
        if open.len() > 32 && raw.ends_within(Duration::from_millis(50)).await {
            refused = "closed".to_owned();
            break;
        }
        open.push(raw);
    }
    assert_eq!(refused, "closed", "one address has {} places", open.len());
    // Another address is served.
    lx.user_at(0, "alice").await;
}

async fn no_http_2_with_prior_knowledge(mode: Mode) {
    let lx = mode.start().await;
    let mut raw = Raw::connect(&lx.base_url(0)).await;
    // The preface and an empty SETTINGS frame.
    raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
        .await;
    let answer = raw.answer().await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer:?}"
    );
    assert!(raw.ends_within(PATIENCE).await);
}

async fn one_user_has_only_so_many_requests_in_flight(mode: Mode) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let (alice, bob) = (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await);
    // The server asks for a body when the request has its place, and then it never comes.
    let open = join_all((0..8).map(async |_| {
        let mut raw = Raw::connect(&lx.base_url(0)).await;
        raw.send(&format!(
            "POST /api/v1/group/create HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             expect: 100-continue\r\ncontent-length: 100\r\n\r\n",
            alice.token
        ))
        .await;
        let answer = raw.beginning().await;
        assert!(answer.starts_with("HTTP/1.1 100 "), "{answer:?}");
        raw
    }))
    .await;
    let answer = alice.rest.request(reqwest::Method::GET, "user/me").send();
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    // Not for how often she asks.
    let told = answer.text().await.expect("a body");
    assert!(told.contains("at once"), "{told}");
    bob.get("user/me").await.ok();
    drop(open);
    let served = async || alice.get("user/me").await.status == 200;
    until("their places are free", served).await;
}

async fn what_nobody_reads_keeps_its_place(mode: Mode) {
    let lx = mode
        .with("LINGXI__RATE_LIMITS", "on")
        .with("LINGXI__RATE__MESSAGE_BURST", 1000)
        .with("LINGXI__RATE__REQUEST_BURST", 1000)
        .start()
        .await;
    let (alice, bob) = (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await);
    let mut ws = alice.connect().await;
    fill(&mut ws).await;
    let mut unread = Vec::new();
    for _ in 0..8 {
        let mut raw = Raw::connect(&lx.base_url(0)).await;
        raw.send(&format!(
            "GET /api/v1/message/history?username=alice&limit=200 HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {}\r\n\r\n",
            bob.token
        ))
        .await;
        let beginning = raw.beginning().await;
        assert!(beginning.starts_with("HTTP/1.1 200 "), "{beginning}");
        unread.push(raw);
    }
    let refused = bob.get("user/me").await;
    assert_eq!(refused.status, 429);
    assert!(refused.body.to_string().contains("at once"));
    alice.get("user/me").await.ok();
    for raw in &mut unread {
        assert!(raw.answer().await.len() > 900_000);
    }
    let served = async || bob.get("user/me").await.status == 200;
    until("their places are free", served).await;
}

async fn one_user_asks_only_so_often(mode: Mode) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    // One bucket a user, whatever gateway they ask.
    let last = lx.roles().iter().filter(|role| **role == "gateway").count();
    let (mut served, mut refused) = (0, None);
    for number in 0..600 {
        let url = format!("{}/api/v1/user/me", lx.base_url(number % last.max(1)));
        let request = lx.http.get(url).bearer_auth(&alice.token);
        let answer = request.send().await.expect("an answer");
        match answer.status().as_u16() {
            200 => served += 1,
            429 => {
                refused = Some(answer);
                break;
            }
            other => panic!("{other}"),
        }
    }
    let refused = refused.expect("there is no limit");
    assert!(served >= 50, "only {served} were served at once");
    let wait = refused
        .headers()
        .get("retry-after")
        .expect("when to come back");
    let wait: u64 = wait.to_str().expect("text").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait} s");
    let body: serde_json::Value = refused.json().await.expect("JSON");
    assert_eq!(body["error"], "rate_limited");
    bob.get("user/me").await.ok();
    let again = async || alice.get("user/me").await.status == 200;
    until("alice may ask again", again).await;
}

async fn who_is_refused_waits_for_it(mode: Mode) {
    const CONNECTIONS: usize = 8;
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let (alice, bob) = (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await);
    let begun = Instant::now();
    let ask = async |_| {
        let mut refused = 0;
        while begun.elapsed() < Duration::from_secs(4) {
            refused += usize::from(alice.get("user/me").await.status == 429);
        }
        refused
    };
    let refused = join_all((0..CONNECTIONS).map(ask)).await;
    println!("refused: {refused:?}");
    let refused: usize = refused.iter().sum();
    assert!(refused > 0, "there is no limit");
    // Each connection once a second, and not as fast as it can.
    assert!(refused <= CONNECTIONS * 5, "{refused} in four seconds");
    bob.get("user/me").await.ok();
}

async fn a_large_answer_costs_more(mode: Mode) {
    let lx = mode
        .with("LINGXI__RATE_LIMITS", "on")
        .with("LINGXI__RATE__MESSAGE_BURST", 1000)
        .with("LINGXI__RATE__REQUESTS_PER_SECOND", 1)
        .start()
        .await;
    let (alice, bob) = (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await);
    let mut ws = alice.connect().await;
    fill(&mut ws).await;
    let mut served = 0;
    while served < 60
        && bob
            .get("message/history?username=alice&limit=200")
            .await
            .status
            == 200
    {
        served += 1;
    }
    println!("{served} pages of a MiB were served");
    assert!((1..30).contains(&served), "{served} were served");
    // Small ones cost one each.
    for _ in 0..50 {
        alice.get("user/me").await.ok();
    }
}

/// Writes bob more than a page of a MiB.
async fn fill(ws: &mut Ws) {
    for number in 0..80 {
        let id = format!("m{number}");
        ws.say("bob", &id, &"x".repeat(16_000)).await;
        ws.stored(&id).await;
    }
}
