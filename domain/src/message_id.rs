//! Time-ordered message ids: `ms since 2024 << 12 | partition << 6 | slot`, 53 bits, safe in JavaScript until 2093.
//!
//! Slots 0–31 belong to the owner of the partition's lease, which hands them out in rising order; slots 32–63 belong to
//! entries that other processes write under the conversation's row lock (recalls, membership), which pick one at random
//! and pick again when it is taken. So neither can make the other's transaction fail.

use crate::now_ms;

/// 2024-01-01T00:00:00Z in milliseconds since the Unix epoch.
pub const EPOCH_MS: i64 = 1_704_067_200_000;
/// How many partitions an id can name.
pub const MAX_PARTITIONS: u16 = 64;
const OWNER_SLOTS: i64 = 32;

fn compose(ms: i64, partition: u16, slot: i64) -> i64 {
    (ms - EPOCH_MS).max(0) << 12 | i64::from(partition) << 6 | slot
}

/// The next id of a partition's owner: rises strictly above `last`, and with the clock where the clock is ahead.
pub fn next_owned(last: i64, partition: u16) -> i64 {
    let fresh = compose(now_ms(), partition, 0);
    if fresh > last {
        return fresh;
    }
    let slot = (last & 63) + 1;
    if slot < OWNER_SLOTS {
        last + 1
    } else {
        compose((last >> 12) + 1 + EPOCH_MS, partition, 0)
    }
}

/// An id for an entry that is not written by the partition's owner. `random` picks the slot; on a clash ask again.
pub fn unowned(partition: u16, random: u32) -> i64 {
    compose(now_ms(), partition, OWNER_SLOTS + i64::from(random % 32))
}

/// The partition that an id was made in.
pub fn partition_of(id: i64) -> u16 {
    u16::try_from((id >> 6) & 63).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_ids_rise_and_stay_in_their_partition_and_slots() {
        let mut last = 0;
        for _ in 0..1000 {
            let id = next_owned(last, 37);
            assert!(id > last);
            assert_eq!(partition_of(id), 37);
            assert!(id & 63 < 32);
            assert!(id < 1 << 53);
            last = id;
        }
        let ahead = last + (1 << 30);
        assert!(
            next_owned(ahead, 37) > ahead,
            "a clock that went back does not repeat ids"
        );
    }

    #[test]
    fn unowned_ids_use_the_other_half_of_the_slots() {
        for random in [0, 31, 32, u32::MAX] {
            assert!(unowned(5, random) & 63 >= 32);
            assert_eq!(partition_of(unowned(5, random)), 5);
        }
    }
}
