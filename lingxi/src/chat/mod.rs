//! `lingxi chat`: a client for the terminal, for people and for scripts. [`run`](run::run) puts a session together: whom one
//! is (`account`), where lines come from (`input`), where events go (`view`). `session` is what keeps its promises.

mod account;
mod arguments;
mod commands;
mod event;
mod frame;
mod input;
mod names;
mod run;
mod server;
mod session;
mod talk;
mod text;
mod view;

pub(crate) use arguments::Arguments;
pub(crate) use run::run;
