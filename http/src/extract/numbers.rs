//! Numbers of requests.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// An id, or how many of something: a positive integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positive(pub i64);

impl<'de> Deserialize<'de> for Positive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            value if value > 0 => Ok(Self(value)),
            value => Err(D::Error::custom(format!(
                "a positive integer is expected, not {value}"
            ))),
        }
    }
}

/// A place in a log or in time: an integer that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position(pub i64);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            value if value >= 0 => Ok(Self(value)),
            value => Err(D::Error::custom(format!(
                "an integer from 0 on is expected, not {value}"
            ))),
        }
    }
}
