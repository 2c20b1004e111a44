//! Whole runs: a real store, the bus, a model server that is scripted, and a gateway's side of the event stream.

mod fairness;
mod faults;
mod gateway;
mod runs;
mod subscribers;
mod takeover;
pub(crate) mod world;
