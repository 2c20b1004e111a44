//! The life of one run at its worker: ask the model, commit its turn, do what it asked for, commit that, ask again.
//!
//! [`machine`] decides what comes next and does nothing itself; [`work`] does it: the model through `providers`, tools
//! through `tools`, commits through the ledger. Everything is committed under the run's attempt, so a worker that lost
//! the run changes nothing any more; and a worker that takes it over goes on behind the last committed step.

mod calls;
mod history;
mod machine;
mod prompt;
mod turn;
mod work;

pub(crate) use work::{Abandoned, Settings, work};
