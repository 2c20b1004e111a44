//! How files are answered with.

mod answer;
mod disposition;
mod ranges;

pub(super) use answer::{Link, answer};
