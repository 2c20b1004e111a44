use std::collections::BTreeSet;
use std::io::Read;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use flate2::read::GzDecoder;
use tower::ServiceExt;

use super::encoding::Profile;
use super::*;

/// For a runner that keeps the tests in one process.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn ask(path: &str) -> Response {
    let request = Request::get(format!("/debug/pprof/{path}"));
    let request = request.body(Body::empty()).unwrap();
    router(Shutdown::new()).oneshot(request).await.unwrap()
}

async fn body(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), 1 << 24)
        .await
        .unwrap()
        .to_vec()
}

#[inline(never)]
fn burn_the_processor(until: Instant) -> u64 {
    let mut mixed = 1_u64;
    while Instant::now() < until {
        for round in 0..100_000 {
            mixed = std::hint::black_box(mixed.rotate_left(7) ^ round);
        }
    }
    mixed
}

#[tokio::test]
async fn a_profile_names_what_burns_and_only_one_is_taken() {
    let _turn = TURN.lock().await;
    let asked = tokio::spawn(ask("profile?seconds=2&frequency=200"));
    let until = Instant::now() + Duration::from_secs(3);
    let burning = std::thread::spawn(move || burn_the_processor(until));
    while ONE_AT_A_TIME.available_permits() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = ask("profile?seconds=1").await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    let second = String::from_utf8(body(second).await).unwrap();
    assert!(second.contains("another profile"), "{second}");

    let response = asked.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let header = |name| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(header::CONTENT_TYPE), "application/octet-stream");
    assert_eq!(
        header(header::CONTENT_DISPOSITION),
        "attachment; filename=\"profile\""
    );
    let mut bytes = Vec::new();
    let zipped = body(response).await;
    GzDecoder::new(&*zipped).read_to_end(&mut bytes).unwrap();
    let profile = Profile::decode(&*bytes).unwrap();
    burning.join().unwrap();

    let text = |index: i64| &*profile.string_table[usize::try_from(index).unwrap()];
    assert_eq!(text(0), "");
    let kinds: Vec<_> = profile
        .sample_type
        .iter()
        .map(|t| (text(t.kind), text(t.unit)))
        .collect();
    assert_eq!(kinds, [("samples", "count"), ("cpu", "nanoseconds")]);
    assert_eq!(profile.period, 5_000_000);
    assert!(profile.duration_nanos >= 2_000_000_000);

    let burns = |location: u64| {
        let location = profile.location.iter().find(|l| l.id == location).unwrap();
        location.line.iter().any(|line| {
            let function = profile.function.iter().find(|f| f.id == line.function_id);
            text(function.unwrap().name).contains("burn_the_processor")
        })
    };
    let burnt: i64 = profile
        .sample
        .iter()
        .filter(|sample| sample.location_id.iter().any(|&id| burns(id)))
        .map(|sample| sample.value[1])
        .sum();
    assert!(burnt > 20_000_000, "{burnt} ns of 2 s were seen");
    assert!(
        !profile
            .string_table
            .iter()
            .any(|name| name.contains("pprof::")),
        "the sampling itself is left out"
    );
    let ids: BTreeSet<_> = profile.location.iter().map(|l| l.id).collect();
    assert_eq!(ids.len(), profile.location.len());

    // Where the test runner keeps it, for a look with another reader.
    if let Some(path) = std::env::var_os("LINGXI_TEST_PROFILE") {
        std::fs::write(path, zipped).unwrap();
    }
    assert_eq!(
        ask("profile?seconds=1").await.status(),
        StatusCode::OK,
        "and again"
    );
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused() {
    for bad in [
        "seconds=0",
        "seconds=301",
        "seconds=x",
        "seconds=-1",
        "seconds=1.5",
        "frequency=0",
        "frequency=1001",
    ] {
        let response = ask(&format!("profile?{bad}")).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{bad}");
        let why = String::from_utf8(body(response).await).unwrap();
        let name = bad.split('=').next().unwrap();
        assert!(why.contains(name) && why.contains("from 1 to"), "{why}");
    }
}

#[tokio::test]
async fn who_hangs_up_ends_it_and_the_index_says_what_there_is() {
    let _turn = TURN.lock().await;
    let index = String::from_utf8(body(ask("").await).await).unwrap();
    assert!(index.contains("profile?seconds="), "{index}");

    let asked = tokio::spawn(ask("profile?seconds=300"));
    let free = || ONE_AT_A_TIME.available_permits() > 0;
    let deadline = Instant::now() + Duration::from_secs(10);
    while free() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!free());
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    while !free() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(free());
}

#[tokio::test]
async fn the_end_of_the_process_does_not_wait_for_it() {
    let _turn = TURN.lock().await;
    let shutdown = Shutdown::new();
    let request = Request::get("/debug/pprof/profile?seconds=300");
    let request = request.body(Body::empty()).unwrap();
    let asked = tokio::spawn(router(shutdown.clone()).oneshot(request));
    while ONE_AT_A_TIME.available_permits() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shutdown.trigger();
    assert!(!asked.is_finished(), "it goes on through the drain");
    shutdown.wait_all(Duration::from_secs(1)).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), asked).await;
    assert_eq!(ended.unwrap().unwrap().unwrap().status(), StatusCode::OK);
}
