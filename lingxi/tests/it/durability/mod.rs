//! Killed in the middle of things, again and again: nothing acknowledged is lost.
//!
//! [`load`] talks and records; [`checker`] judges the recording and nothing else; [`disk`] counts that commits really
//! reach the disk, which no kill of a process can show.

mod checker;
mod disk;
mod load;
mod recording;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use self::load::{Load, Moment};
use crate::harness::Mode;

const KILLS: usize = 20;

/// A small generator, so that a seed means the same kills for ever.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// Mostly the instant at which some client reads an ACK, when a server that lies has the most to hide; and the
    /// instant after a message was sent.
    fn moment(&mut self) -> Moment {
        match self.below(4) {
            0 => Moment::Sent(100 + self.below(300)),
            1 => Moment::Acked(1 + self.below(5)),
            _ => Moment::Acked(1 + self.below(400)),
        }
    }
}

/// The seed of this run; set `LINGXI_TEST_SEED` to repeat one.
fn seed() -> u64 {
    if let Ok(seed) = std::env::var("LINGXI_TEST_SEED") {
        return seed.parse().expect("LINGXI_TEST_SEED is a number");
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    u64::from(now.subsec_nanos()) + now.as_secs()
}

#[tokio::test]
async fn twenty_kills_lose_nothing() {
    let (start, seed) = (Instant::now(), seed());
    println!("LINGXI_TEST_SEED={seed}");
    let mut dice = Dice(seed);
    let mut lx = Mode::Embedded.start().await;
    let load = Load::begin(&lx).await;
    for kill in 1..=KILLS {
        let moment = dice.moment();
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
    let broken = checker::check(&recording);
    let shown = &broken[..broken.len().min(20)];
    assert!(
        broken.is_empty(),
        "{} promises broken, seed {seed}: {shown:#?}",
        broken.len()
    );
}
