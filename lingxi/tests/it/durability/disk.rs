//! A kill leaves the page cache alone; a power cut does not. So: watch the system calls.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{Mode, until};

behaviours!(every_acknowledged_message_is_synced);

const COUNT: usize = 30;

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs_f64()
}

/// When each fsync or fdatasync in a trace of `strace -f -ttt` began.
fn syncs(trace: &str) -> Vec<f64> {
    let begins = |line: &&str| line.contains(" fsync(") || line.contains(" fdatasync(");
    let time = |line: &str| line.split_whitespace().nth(1)?.parse().ok();
    trace.lines().filter(begins).filter_map(time).collect()
}

async fn every_acknowledged_message_is_synced(mode: Mode) {
    let strace = [
        "strace",
        "-D",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-ttt",
        "-e",
        "trace=fsync,fdatasync",
        "-o",
        "syncs.trace",
    ];
    let lx = mode.options().wrapped(&strace).start().await;
    let (alice, _bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    // One at a time: no message can share another's commit.
    let mut windows = Vec::new();
    for number in 0..COUNT {
        let msg_id = format!("m{number}");
        let sent = now();
        a.say("bob", &msg_id, "to the disk, please").await;
        a.stored(&msg_id).await;
        windows.push((sent, now()));
    }
    drop(a);
    lx.sigterm();
    lx.exit().await;
    let path = lx.folder().join("syncs.trace");
    // The tracer writes its last lines after the server is gone.
    let last = windows.last().expect("messages").0;
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    until("the trace is written", async || {
        syncs(&read()).last() > Some(&last)
    })
    .await;
    let syncs = syncs(&read());
    for (number, (sent, acked)) in windows.iter().enumerate() {
        let between = syncs
            .iter()
            .filter(|at| (sent..=acked).contains(at))
            .count();
        assert!(
            between > 0,
            "message {number} was acknowledged before any sync: {sent}..{acked}: {syncs:?}"
        );
    }
    println!(
        "{} syncs for {COUNT} messages, one at a time, and a start and an end",
        syncs.len()
    );
}

#[test]
fn a_trace_is_read() {
    let trace = "10 1795232865.693971 fdatasync(3) = 0\n\
                 11 1795232865.700000 fsync(4 <unfinished ...>\n\
                 11 1795232865.800000 <... fsync resumed>) = 0\n\
                 10 1795232866.000000 +++ exited with 0 +++\n";
    assert_eq!(syncs(trace), [1_795_232_865.693_971, 1_795_232_865.7]);
}
