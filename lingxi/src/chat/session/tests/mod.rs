//! The parts that decide, without a network.

mod cursors;
mod outbox;
mod receipts;
mod state;
