//! `lingxi chat`: a client for the terminal, for trying the system out and for scripts.

mod client;
mod server;
mod tally;

pub(crate) use client::{Arguments, run};
