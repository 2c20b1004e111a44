//! Keeps the house in order: who may depend on whom, what files import from each other, how long they are, what manifests
//! leave to the workspace's, and the decision records.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod arrows;
mod circles;
mod lengths;
mod manifests;
mod members;
mod records;
mod source;
