//! Which segments an index has, and where in them a key is.

use std::fmt;
use std::str::FromStr;

use lingxi_domain::search::KEY_BITS;

use crate::error::Error;

/// Bits of the keys that choose a bucket, from one kind of segment to the next larger one.
const STEP: u32 = 3;
/// Kinds of segments; of the largest there may be many.
pub(super) const KINDS: usize = 4;
/// Postings of a segment of each kind: about a thousand a bucket.
const MOST: [i64; KINDS] = [1 << 10, 1 << 13, 1 << 16, 1 << 19];

/// How many postings the segments of one conversation have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Of each kind; of the largest, the newest one's.
    pub(super) of: [i64; KINDS],
    /// Segments of the largest kind that are full.
    pub(super) sealed: i64,
}

/// What becomes of an index when postings are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// They are merged into a segment of this kind, together with all smaller ones.
    pub(super) kind: usize,
    /// Whether they begin a new one, since the newest of the largest kind is full.
    pub(super) anew: bool,
}

impl Sizes {
    /// Where so many postings more go.
    pub(super) fn plan(&self, more: i64) -> Plan {
        let mut total = more;
        for (kind, &most) in MOST.iter().enumerate() {
            total += self.of[kind];
            if total <= most {
                return Plan { kind, anew: false };
            }
        }
        Plan {
            kind: KINDS - 1,
            anew: self.of[KINDS - 1] > 0,
        }
    }

    /// After `count` postings in all were merged by this plan.
    pub(super) fn after(mut self, plan: Plan, count: i64) -> Self {
        self.of[..=plan.kind].fill(0);
        self.of[plan.kind] = count;
        self.sealed += i64::from(plan.anew);
        self
    }

    /// The number of the segment of this kind.
    pub(super) fn segment(&self, kind: usize) -> i64 {
        let number = kind as i64;
        if kind == KINDS - 1 {
            number + self.sealed
        } else {
            number
        }
    }

    /// Where a key may be: the segments that have any, each with the bucket.
    pub(super) fn places(&self, key: u32) -> impl Iterator<Item = (i64, i64)> {
        let kinds = (0..KINDS).filter(|&kind| self.of[kind] > 0);
        let newest = kinds.map(move |kind| (self.segment(kind), bucket(key, kind)));
        let full = (0..self.sealed).map(move |number| {
            let kind = KINDS - 1;
            (kind as i64 + number, bucket(key, kind))
        });
        newest.chain(full)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [small, medium, large, largest] = self.of;
        write!(f, "{small},{medium},{large},{largest},{}", self.sealed)
    }
}

impl FromStr for Sizes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let corrupt = || Error::Corrupt(format!("search_states.sizes = {text:?}"));
        let numbers = text.split(',').map(str::parse);
        let numbers: Vec<i64> = numbers.collect::<Result<_, _>>().map_err(|_| corrupt())?;
        match numbers[..] {
            [small, medium, large, largest, sealed] => Ok(Self {
                of: [small, medium, large, largest],
                sealed,
            }),
            _ => Err(corrupt()),
        }
    }
}

/// The bucket of a key in a segment of this kind.
pub(super) fn bucket(key: u32, kind: usize) -> i64 {
    let bits = STEP * kind as u32;
    i64::from(key >> (KEY_BITS - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_move_to_larger_segments() {
        let mut sizes = Sizes::default();
        let (mut all, mut kinds) = (0, Vec::new());
        while sizes.sealed < 2 {
            let plan = sizes.plan(1000);
            let merged: i64 = match plan.anew {
                true => sizes.of[..KINDS - 1].iter().sum(),
                false => sizes.of[..=plan.kind].iter().sum(),
            };
            sizes = sizes.after(plan, merged + 1000);
            all += 1000;
            kinds.push(plan.kind);
            assert!(sizes.of.iter().zip(MOST).all(|(size, most)| *size <= most));
            assert!(sizes.of.iter().sum::<i64>() <= all);
        }
        assert_eq!(sizes.to_string().parse::<Sizes>().unwrap(), sizes);
        assert!("1,2".parse::<Sizes>().is_err());
        assert_eq!(kinds[..9], [0, 1, 0, 1, 0, 1, 0, 1, 0]);
        let places: Vec<(i64, i64)> = sizes.places(0).collect();
        let segments: Vec<i64> = places.iter().map(|(segment, _)| *segment).collect();
        assert!(
            segments.contains(&3) && segments.contains(&5),
            "{segments:?}"
        );
    }

    #[test]
    fn a_range_of_keys_is_in_one_bucket() {
        // A single sign leaves twelve bits open.
        for kind in 0..KINDS {
            let first = 0xabcd_u32 << 12;
            assert_eq!(bucket(first, kind), bucket(first | 0xfff, kind));
        }
        assert_eq!(bucket((1 << KEY_BITS) - 1, 0), 0);
        assert_eq!(bucket((1 << KEY_BITS) - 1, 3), 511);
    }
}
