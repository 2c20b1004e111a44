//! Herds on a mirror: whole ones, and ones that its flaws break.

use clap::Parser as _;
use tokio::net::TcpListener;

use super::{Options, Report, run};
use crate::mirror::{Flaw, Mirror};

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    herd: Options,
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A small herd that is cut off one gateway of a mirror and comes back to the other.
async fn herd(flaw: Option<Flaw>, every: u64, more: &[&str]) -> Report {
    let doomed = Mirror::start_on(listener().await, flaw, every).unwrap();
    let refuge = doomed.beside(listener().await).unwrap();
    let url = format!("{},{}", doomed.url(), refuge.url());
    let brief = "bench --cut --clients 20 --senders 3 --jitter-ms 50 --settle 0.05 --give-up 1 --drain 1 --url";
    let arguments = brief.split(' ').chain([url.as_str()]);
    let options = Cli::parse_from(arguments.chain(more.iter().copied())).herd;
    run(&options).await.unwrap()
}

#[tokio::test]
async fn a_faithful_server_is_clean() {
    for more in [
        &[][..],
        &["--backlog", "0"],
        &["--backlog", "5", "--groups", "3", "--fresh", "back"],
    ] {
        let report = herd(None, 1, more).await;
        let counts = &report.counts;
        assert!(report.clean(), "{counts:?}");
        assert_eq!(
            (counts.back, counts.caught_up, counts.attempts),
            (20, 20, 20)
        );
        assert_eq!(report.back_ms.samples, 20);
        assert_eq!(report.caught_up_ms.samples, 20);
        let threads = if report.groups > 0 { 40 } else { 20 };
        let each = u64::from(report.backlog.max(1)) + 2;
        assert_eq!(counts.arrived, threads * each, "{counts:?}");
        assert_eq!(report.fresh_ms.samples, threads);
    }
}

#[tokio::test]
async fn what_a_gap_announces_is_pulled_or_missing() {
    let long = ["--backlog", "150"];
    let report = herd(None, 1, &long).await;
    let counts = &report.counts;
    assert!(report.clean() && counts.gaps == 20, "{counts:?}");
    let report = herd(Some(Flaw::Gap), 1, &long).await;
    let counts = &report.counts;
    assert!(!report.clean() && counts.caught_up == 0, "{counts:?}");
    assert_eq!(
        (counts.missing, counts.holes),
        (20 * 50, 20 * 50),
        "{counts:?}"
    );
    assert_eq!(counts.out_of_order, 0, "it was announced: {counts:?}");
}

#[tokio::test]
async fn queries_are_counted_from_the_return_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("count");
    // Each call finds ten more.
    let command = format!(
        "n=$(cat {0} 2>/dev/null || echo 0); echo $((n + 10)) > {0}; echo Questions $n",
        file.display()
    );
    let report = herd(None, 1, &["--count-queries", &command]).await;
    let queries = report.queries.unwrap();
    assert_eq!(queries.herd, 10);
    assert!((queries.herd_per_client - 0.5).abs() < 1e-9);
    assert!(queries.quiet_per_second > 0.0);
}

#[tokio::test]
async fn users_of_an_earlier_herd_are_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.json");
    let mirror = Mirror::start_on(listener().await, None, 1).unwrap();
    let brief = "bench --cut --clients 5 --senders 2 --jitter-ms 0 --settle 0.05 --groups 1 --url";
    let rest = [
        mirror.url(),
        "--accounts".to_owned(),
        file.display().to_string(),
    ];
    let arguments = brief.split(' ').map(str::to_owned).chain(rest);
    let options = Cli::parse_from(arguments).herd;
    assert!(run(&options).await.unwrap().clean());
    let users = std::fs::read_to_string(&file).unwrap();
    let again = run(&options).await.unwrap();
    assert!(again.clean(), "{:?}", again.counts);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), users);
}

#[tokio::test]
async fn a_message_that_nobody_kept_is_missing() {
    let report = herd(Some(Flaw::Forget), 1, &[]).await;
    let counts = &report.counts;
    assert!(!report.clean());
    assert_eq!((counts.missing, counts.caught_up, counts.back), (20, 0, 20));
}

#[tokio::test]
async fn a_lost_message_is_missing_and_leaves_a_hole() {
    let report = herd(Some(Flaw::Lose), 7, &["--backlog", "3"]).await;
    let counts = &report.counts;
    assert!(
        !report.clean() && counts.missing > 0 && counts.holes > 0,
        "{counts:?}"
    );
    assert_eq!((counts.repeated, counts.failed), (0, 0), "{counts:?}");
}

#[tokio::test]
async fn what_was_confirmed_may_not_come_again() {
    let report = herd(Some(Flaw::Again), 1, &[]).await;
    let counts = &report.counts;
    assert!(!report.clean(), "{counts:?}");
    assert_eq!((counts.repeated, counts.missing), (20, 0), "{counts:?}");
}

#[tokio::test]
async fn a_repeat_on_one_connection_is_seen() {
    let report = herd(Some(Flaw::Repeat), 10, &[]).await;
    let counts = &report.counts;
    assert!(!report.clean() && counts.repeated > 0, "{counts:?}");
    assert_eq!((counts.missing, counts.out_of_order), (0, 0), "{counts:?}");
}

#[tokio::test]
async fn a_swap_is_seen() {
    let report = herd(Some(Flaw::Swap), 7, &["--backlog", "4"]).await;
    let counts = &report.counts;
    assert!(!report.clean() && counts.out_of_order > 0, "{counts:?}");
}

#[tokio::test]
async fn a_missing_ack_is_seen() {
    let report = herd(Some(Flaw::Unanswered), 10, &[]).await;
    let counts = &report.counts;
    assert!(!report.clean() && counts.unanswered > 0, "{counts:?}");
    assert_eq!(counts.missing, 0);
}

#[tokio::test]
async fn a_refusal_is_counted_and_nobody_waits_for_it() {
    // The 21st to 40th message are those while away; every 21st is refused.
    let report = herd(Some(Flaw::Refuse), 21, &[]).await;
    let counts = &report.counts;
    assert!(report.clean(), "{counts:?}");
    assert_eq!(counts.refused["rate_limited"], 2);
}

#[tokio::test]
async fn a_closed_sender_is_seen() {
    let report = herd(Some(Flaw::Close), 30, &[]).await;
    let counts = &report.counts;
    assert!(!report.clean(), "{counts:?}");
    assert_eq!(counts.closed["sender: closed with 4008"], 1, "{counts:?}");
}

#[tokio::test]
async fn a_denied_upgrade_is_tried_again() {
    // The first 23 upgrades are those before the loss.
    let report = herd(Some(Flaw::Deny), 24, &[]).await;
    let counts = &report.counts;
    assert!(report.clean(), "{counts:?}");
    assert_eq!((counts.attempts, counts.failed), (21, 0));
    let cause = "the upgrade was answered: HTTP/1.1 503 Service Unavailable";
    assert_eq!(counts.retries[cause], 1);
}

#[tokio::test]
async fn clients_that_never_come_back_have_failed() {
    // Nobody gets in behind the first 23, who are there before the loss.
    let report = herd(Some(Flaw::Shut), 24, &[]).await;
    let counts = &report.counts;
    assert!(!report.clean());
    assert_eq!(
        (counts.failed, counts.back, counts.missing),
        (20, 0, 0),
        "{counts:?}"
    );
    assert!(
        counts.attempts > 20 && counts.retries.values().sum::<u64>() == counts.attempts,
        "{counts:?}"
    );
}

#[test]
fn a_loss_is_chosen() {
    assert!(Cli::try_parse_from(["bench"]).is_err());
    assert!(Cli::try_parse_from(["bench", "--cut", "--kill-pid", "1"]).is_err());
    assert!(Cli::try_parse_from(["bench", "--kill-pid", "1"]).is_ok());
}
