//! Killed in the middle of things, again and again: nothing acknowledged is lost.
//!
//! [`load`] talks and records; the checker in [`crate::evidence`] judges the recording and nothing else; [`disk`] counts that commits really
//! reach the disk, which no kill of a process can show.

mod disk;
mod load;

use std::time::Instant;

use self::load::{Load, Moment};
use crate::evidence::{check, kinds};
use crate::harness::{Dice, Mode, seed};

const KILLS: usize = 20;

/// Mostly the instant at which some client reads an ACK, when a server that lies has the most to hide; and the instant
/// after a message was sent.
fn moment(dice: &mut Dice) -> Moment {
    match dice.below(4) {
        0 => Moment::Sent(100 + dice.below(300)),
        1 => Moment::Acked(1 + dice.below(5)),
        _ => Moment::Acked(1 + dice.below(400)),
    }
}

#[tokio::test]
async fn twenty_kills_lose_nothing() {
    let (start, seed) = (Instant::now(), seed());
    println!("LINGXI_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let mut lx = Mode::Embedded.start().await;
    let load = Load::begin(&lx).await;
    for kill in 1..=KILLS {
        let moment = moment(&mut dice);
        let found = load.kill_at(moment, lx.process(0).killer()).await;
        println!(
            "kill {kill:2}: {moment:?}: {found:?}, {:.1?} after the start",
            start.elapsed()
        );
        assert!(
            found.in_flight > 0 && found.acked > 0,
            "kill {kill} found the load idle: {found:?}"
        );
        lx.restart().await;
    }
    let recording = load.end().await;
    println!(
        "{} messages, {} ACKs, {} frames received, {:.1?}",
        recording.sent.len(),
        recording.acks.len(),
        recording.received.len(),
        start.elapsed()
    );
    let broken = check(&recording);
    let shown = &broken[..broken.len().min(20)];
    assert!(
        broken.is_empty(),
        "{} promises broken, seed {seed}: {:?}: {shown:#?}",
        broken.len(),
        kinds(&broken)
    );
}
