//! One authenticated connection: what waits for its socket, and where it stands in each conversation.
//!
//! Frames come from the bus ([`Session::push`]) and from the store ([`Session::apply_round`]); the socket's task takes
//! them out ([`Session::take`]). While a session is *syncing*, live entries wait in a bounded buffer; they are merged by
//! (conversation, seq) when a round from the store found nothing more. Everything that waits is in the process's budget.

mod handle;
mod inner;
mod plan;
mod queue;
mod rounds;
#[cfg(test)]
mod tests;
mod waiting;
mod watermarks;

pub(crate) use handle::Session;
pub(crate) use plan::Plan;
