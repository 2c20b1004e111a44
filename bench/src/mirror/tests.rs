//! That the checks of `bench chat` can fail.

use super::{Flaw, Mirror};
use crate::chat::{self, Counts};
use clap::Parser as _;
use tokio::net::TcpListener;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    load: chat::Options,
}

/// The load that a short test run puts on a mirror; whether the run was clean, and what it counted.
async fn load(flaw: Option<Flaw>, more: &[&str]) -> (bool, Counts) {
    let mirror =
        Mirror::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), flaw, 50).unwrap();
    let beside = mirror.beside(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let beside = beside.unwrap();
    let url = format!("{},{}", mirror.url(), beside.url());
    let brief = [
        "bench",
        "--quiet",
        "--url",
        &url,
        "--pairs",
        "2",
        "--duration",
        "0.3",
    ];
    let rest = ["--warmup", "0.1", "--drain", "1"];
    let arguments = brief.iter().chain(&rest).chain(more);
    let report = chat::run(&Cli::parse_from(arguments).load).await.unwrap();
    (report.clean(), report.counts)
}

#[tokio::test]
async fn a_faithful_server_is_clean() {
    for pace in [&["--window", "4"][..], &["--rate", "500"]] {
        let (clean, counts) = load(None, pace).await;
        assert!(clean, "{counts:?}");
        assert!(
            counts.sent > 100 && counts.received == counts.sent && counts.echoed == counts.sent,
            "{counts:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_message_is_seen() {
    let (clean, counts) = load(Some(Flaw::Lose), &[]).await;
    assert!(!clean && counts.lost > 0 && counts.holes > 0, "{counts:?}");
    assert_eq!((counts.repeated, counts.unanswered), (0, 0));
}

#[tokio::test]
async fn a_repeated_message_is_seen() {
    let (clean, counts) = load(Some(Flaw::Repeat), &[]).await;
    assert!(!clean && counts.repeated > 0, "{counts:?}");
    assert_eq!((counts.lost, counts.out_of_order, counts.holes), (0, 0, 0));
}

#[tokio::test]
async fn a_swap_is_seen() {
    let (clean, counts) = load(Some(Flaw::Swap), &[]).await;
    assert!(!clean && counts.out_of_order > 0, "{counts:?}");
    assert_eq!(counts.repeated, 0);
}

#[tokio::test]
async fn a_missing_ack_is_seen() {
    let (clean, counts) = load(Some(Flaw::Unanswered), &[]).await;
    assert!(
        !clean && counts.unanswered > 0 && counts.lost == 0,
        "{counts:?}"
    );
}

#[tokio::test]
async fn a_refusal_is_counted_and_breaks_nothing() {
    let (clean, counts) = load(Some(Flaw::Refuse), &[]).await;
    assert!(clean && counts.failed["rate_limited"] > 0, "{counts:?}");
}

#[tokio::test]
async fn a_closed_socket_is_seen() {
    let (clean, counts) = load(Some(Flaw::Close), &[]).await;
    assert!(
        !clean && counts.closed["closed with 4008"] > 0,
        "{counts:?}"
    );
}
