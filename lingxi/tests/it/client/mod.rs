//! `lingxi chat` as a client that people and scripts stay in: sessions, whom one is, broken connections, a terminal.

mod accounts;
mod assistant;
mod elsewhere;
mod examples;
mod files;
mod person;
mod process;
mod resuming;
mod scripts;
mod talking;

use process::Client;
