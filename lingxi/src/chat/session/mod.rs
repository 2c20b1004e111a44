//! One sitting at a server: what was said gets there once and in order, and what is said there is shown once and in order,
//! however often the connection breaks.

mod backoff;
mod cursors;
mod fetch;
mod link;
mod outbox;
mod receipts;
mod run;
mod sitting;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod typed;

pub(super) use run::{Plan, run};
