//! Whom clients watch: who of them is there is asked for all clients together, and told to each as far as it changed.
//!
//! Nobody announces that they are there: a client names those on its screen, and is told of them and of nobody else. The
//! lists are in the process's budget.

mod list;
mod lists;
mod round;

pub(crate) use lists::Watching;
pub(crate) use round::run;
