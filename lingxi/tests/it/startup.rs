//! From the start of the process to its first answer.

use std::time::Duration;

use crate::harness::{Mode, Process, start};

behaviours!(the_operations_endpoints_answer);

/// 0.3 s is the promise; a debug build on a loaded machine gets more.
const PROMISED: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3000 } else { 300 });

#[tokio::test]
async fn it_serves_soon_after_the_start() {
    let mut lx = start().await;
    let first = lx.ready_after();
    // With a database that exists, the best of a few: other tests run at the same time.
    let mut best = first;
    for _ in 0..4 {
        lx.kill9().await;
        lx.restart().await;
        best = best.min(lx.ready_after());
    }
    println!("ready {first:?} after the first start, {best:?} at best");
    println!("resident {} KiB after the start", resident(lx.process(0)));
    assert!(best < PROMISED, "{best:?}");
}

/// `VmRSS` of a process, in KiB.
fn resident(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid));
    let status = status.expect("a running process");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number")
}

async fn the_operations_endpoints_answer(mode: Mode) {
    let lx = mode.start().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = lx
            .http
            .get(lx.internal_url(0, path))
            .send()
            .await
            .expect(path);
        assert_eq!(answer.status(), 200, "{path}");
        // Not for the public.
        let public = format!("{}{path}", lx.base_url(0));
        let answer = lx.http.get(public).send().await.expect(path);
        assert_ne!(answer.status(), 200, "{path} is public");
    }
    let home = lx.http.get(lx.base_url(0)).send().await.expect("/");
    assert_eq!(home.status(), 200);
    let home = home.text().await.expect("a page");
    assert!(
        home.contains("正在运行") && home.contains("is running"),
        "both languages: {home}"
    );
    let open = lx.anonymous().get("/api/openapi.json").await.ok();
    assert!(
        open["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1")),
        "{}",
        open["openapi"]
    );
    assert!(open["paths"].get("/api/v1/user/login").is_some());
}
