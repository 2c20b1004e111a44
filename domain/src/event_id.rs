//! Ids of a run's events: `generation << 32 | position`.

/// Where a client is in a run's stream. Positions count UTF-8 bytes of chunks and 1 for any other event, and name the
/// place *behind* an event; the generation rises with every attempt and failover, so ids of a text that was dropped can
/// be told from those of the text that replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId {
    /// Attempt and failover counter.
    pub generation: u32,
    /// Units of the stream up to and including the event.
    pub position: u32,
}

impl EventId {
    /// Before the first event.
    pub const START: Self = Self {
        generation: 0,
        position: 0,
    };

    /// As clients see it: below 2^53 while generations stay below 2^21.
    pub fn to_i64(self) -> i64 {
        i64::from(self.generation) << 32 | i64::from(self.position)
    }

    /// From a client's `Last-Event-ID`; negative or over-long numbers are none.
    pub fn from_i64(value: i64) -> Option<Self> {
        let generation = u32::try_from(value >> 32).ok()?;
        let position = u32::try_from(value & 0xffff_ffff).ok()?;
        Some(Self {
            generation,
            position,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_order_by_generation_first() {
        let a = EventId {
            generation: 1,
            position: u32::MAX,
        };
        let b = EventId {
            generation: 2,
            position: 1,
        };
        assert!(a.to_i64() < b.to_i64());
        assert_eq!(EventId::from_i64(a.to_i64()), Some(a));
        assert_eq!(EventId::from_i64(-1), None);
    }
}
