//! Groups on a mirror: whole ones, and ones that its flaws break.

use clap::Parser as _;
use tokio::net::TcpListener;

use super::{Options, Report, run};
use crate::mirror::{Flaw, Mirror};

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    load: Options,
}

/// A small group at two gateways of a mirror. The 40 messages are the mirror's 2nd to 41st: one shows that all are there.
async fn group(flaw: Option<Flaw>, every: u64) -> Report {
    let listener = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let left = Mirror::start_on(listener().await, flaw, every).unwrap();
    let right = left.beside(listener().await).unwrap();
    let url = format!("{},{}", left.url(), right.url());
    let brief =
        "bench --members 30 --online 20 --senders 3 --messages 40 --rate 400 --drain 1 --url";
    let arguments = brief.split(' ').chain([url.as_str()]);
    run(&Cli::parse_from(arguments).load).await.unwrap()
}

#[tokio::test]
async fn a_faithful_server_is_clean() {
    let report = group(None, 1).await;
    let counts = &report.counts;
    assert!(report.clean(), "{counts:?}");
    assert_eq!((counts.sent, counts.acked, counts.complete), (40, 40, 40));
    assert_eq!(counts.arrived, 40 * 20);
    assert_eq!((report.each_ms.samples, report.all_ms.samples), (800, 40));
    assert!(report.all_ms.p50 >= report.each_ms.p50);
    assert!(
        counts.events.is_empty(),
        "those of joining come before: {counts:?}"
    );
}

#[tokio::test]
async fn joining_in_masses_disturbs_nothing() {
    // More members joined behind the first one online than a new connection is told of.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mirror = Mirror::start_on(listener, None, 1).unwrap();
    let url = mirror.url();
    let brief = "bench --members 150 --online 140 --messages 20 --rate 400 --drain 5 --url";
    let arguments = brief.split(' ').chain([url.as_str()]);
    let report = run(&Cli::parse_from(arguments).load).await.unwrap();
    assert!(report.clean(), "{:?}", report.counts);
}

#[tokio::test]
async fn a_lost_message_is_seen() {
    let report = group(Some(Flaw::Lose), 10).await;
    let counts = &report.counts;
    assert!(!report.clean());
    assert_eq!((counts.lost, counts.complete), (4 * 20, 36), "{counts:?}");
    assert_eq!((counts.repeated, counts.unanswered), (0, 0), "{counts:?}");
}

#[tokio::test]
async fn a_repeated_message_is_seen() {
    let report = group(Some(Flaw::Repeat), 10).await;
    let counts = &report.counts;
    assert!(!report.clean());
    assert_eq!((counts.repeated, counts.lost), (4 * 20, 0), "{counts:?}");
}

#[tokio::test]
async fn a_swap_is_seen() {
    let report = group(Some(Flaw::Swap), 10).await;
    let counts = &report.counts;
    assert!(!report.clean() && counts.out_of_order > 0, "{counts:?}");
    assert_eq!((counts.repeated, counts.lost), (0, 0), "{counts:?}");
}

#[tokio::test]
async fn a_missing_ack_is_seen() {
    let report = group(Some(Flaw::Unanswered), 10).await;
    let counts = &report.counts;
    assert!(!report.clean());
    assert_eq!((counts.unanswered, counts.complete), (4, 40), "{counts:?}");
}

#[tokio::test]
async fn a_refusal_is_counted_and_breaks_nothing() {
    let report = group(Some(Flaw::Refuse), 10).await;
    let counts = &report.counts;
    assert!(report.clean(), "{counts:?}");
    assert_eq!((counts.failed["rate_limited"], counts.complete), (4, 36));
}

#[tokio::test]
async fn a_closed_socket_is_seen() {
    let report = group(Some(Flaw::Close), 10).await;
    let counts = &report.counts;
    assert!(
        !report.clean() && counts.closed["closed with 4008"] > 0,
        "{counts:?}"
    );
}
