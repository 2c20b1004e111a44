//! What a run says and what it commits, and the one way from the one to the other.
//!
//! [`Ledger`] is the only thing that writes into a run's log or commits its steps, so a worker cannot get the order
//! wrong: text is heard at once and committed with its turn; what a tool did, and the end, are committed before anybody
//! hears of them. Everything else sees the log through [`RunLog`], which others can only read.

mod body;
mod entry;
mod run_log;
mod writer;

pub(crate) use body::{ModelBody, ToolBody};
pub(crate) use entry::{Closing, Live};
pub(crate) use run_log::{Overflow, Portion, RunLog};
pub(crate) use writer::Ledger;
