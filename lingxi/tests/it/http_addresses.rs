//! Whom a limit for an address counts, behind a proxy.

use serde_json::json;

use crate::harness::{Mode, Rest};

behaviours!(a_proxy_may_write_ports_and_brackets);

async fn login(rest: &Rest, forwarded: &str) -> u16 {
    let body = json!({"username": "nobody", "password": "wrong horse"});
    let request = rest.request(reqwest::Method::POST, "user/login");
    let request = request.header("x-forwarded-for", forwarded).json(&body);
    rest.send(request).await.status
}

async fn a_proxy_may_write_ports_and_brackets(mode: Mode) {
    let lx = mode
        .with("LINGXI__RATE_LIMITS", "on")
        .with("LINGXI__RATE__LOGINS_PER_MINUTE", 3)
        .with("LINGXI__TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let rest = lx.anonymous();
    // Each is a client of its own, however it is written.
    for number in 1..=6 {
        for forwarded in [
            format!("203.0.113.{number}:50001"),
            format!("[2001:db8:0:{number}::1]:443"),
        ] {
            assert_ne!(login(&rest, &forwarded).await, 429, "{forwarded}");
        }
    }
    // And the same one is the same one.
    for one in ["198.51.100.7:{}", "[2001:db8:1::7]:{}"] {
        let mut answers = Vec::new();
        for port in 1000..1010 {
            answers.push(login(&rest, &one.replace("{}", &format!("{port}"))).await);
        }
        assert!(answers.contains(&429), "{one}: {answers:?}");
    }
}
