//! Pushing what was committed, and knowing how far that was done.
//!
//! The sequencer hands each committed batch to the [`Pusher`] and goes on. The batch is published to its members'
//! subjects (`fanout`), its senders are answered as soon as the answer is known (`acks`), and the partition's watermark
//! follows (`watermark`): everything up to it was pushed for sure. What is behind a watermark that cannot move, because the
//! bus may not have taken it or a former owner did not get there, is read from the store and pushed again (`again`).

mod acks;
mod again;
mod committed;
mod fanout;
mod publish;
mod pusher;
mod watermark;
mod webhooks;

pub(crate) use committed::Committed;
pub(crate) use pusher::Pusher;
