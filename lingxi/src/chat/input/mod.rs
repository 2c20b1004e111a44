//! What is typed, or piped in.

mod editor;
mod lines;
mod source;
mod typed;

pub(super) use source::Input;
pub(super) use typed::{Printer, Typed};
