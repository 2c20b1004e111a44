//! Web pages of others: which names a server on loopback answers to, and which pages may read its answers.

use reqwest::Method;

use crate::harness::{Mode, Raw};

behaviours!(
    a_page_that_rebinds_its_name_gets_nothing,
    names_that_are_configured_are_answered_to,
    no_page_of_another_origin_may_read_answers,
);

async fn asked_for(base: &str, host: &str) -> String {
    let mut raw = Raw::connect(base).await;
    raw.send(&format!(
        "GET /api/v1/user/me HTTP/1.1\r\nhost: {host}\r\n\r\n"
    ))
    .await;
    raw.answer().await
}

async fn a_page_that_rebinds_its_name_gets_nothing(mode: Mode) {
    let lx = mode.start().await;
    let base = lx.base_url(0);
    let port = base.rsplit_once(':').expect("a port").1;
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        "192.0.2.1".to_owned(),
        "[2001:db8::1]".to_owned(),
    ] {
        let answer = asked_for(&base, &host).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
        assert!(answer.contains("host_not_allowed"), "{host}: {answer}");
        // No other way in.
        for target in ["/api/v1/ws?token=x", "/docs/", "/", "/api/admin/login"] {
            let mut raw = Raw::connect(&base).await;
            raw.send(&format!(
                "GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ))
            .await;
            let answer = raw.answer().await;
            assert!(answer.starts_with("HTTP/1.1 421 "), "{target}: {answer}");
        }
    }
    for host in [
        format!("localhost:{port}"),
        "LocalHost".to_owned(),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
    ] {
        let answer = asked_for(&base, &host).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{host}: {answer}");
    }
}

async fn names_that_are_configured_are_answered_to(mode: Mode) {
    // Behind a balancer on this machine, which passes on whatever name its clients use.
    let lx = mode
        .with("LINGXI__TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let answer = asked_for(&lx.base_url(0), "chat.example").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

async fn no_page_of_another_origin_may_read_answers(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let own = lx.base_url(0);
    for (origin, allowed) in [
        ("https://evil.example", false),
        ("null", false),
        ("http://localhost:1", false),
        (own.as_str(), true),
    ] {
        for method in [Method::GET, Method::OPTIONS] {
            let request = rest
                .request(method.clone(), "user/me")
                .header("origin", origin)
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "authorization");
            let answer = request.send().await.expect("an answer");
            let header = answer.headers().get("access-control-allow-origin");
            let header = header.map(|value| value.to_str().expect("text"));
            assert_eq!(header, allowed.then_some(origin), "{method} {origin}");
        }
    }
}
