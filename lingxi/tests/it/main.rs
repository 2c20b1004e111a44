//! Behaviour tests of the whole system: a real server process, real sockets, and nothing but the client contract.
//!
//! Start with [`harness`]: a test asks for a [`harness::Deployment`] and for users on it. Each file holds one topic and
//! lists its tests in [`behaviours!`], which runs every one of them once a mode.
#![allow(
    clippy::disallowed_methods,
    reason = "a test's tasks end with its runtime"
)]
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and its output is for the one who reads the failure"
)]

#[macro_use]
mod harness;

mod accounts;
mod ai_agent;
mod ai_chat;
mod ai_limits;
mod ai_provider;
mod ai_said;
mod ai_streams;
mod bad_frames;
mod bad_requests;
mod blocks;
mod bots;
mod client;
mod contacts;
mod contention;
mod conversations;
mod disk_full;
mod disk_readiness;
mod drain;
mod durability;
mod edits;
mod evidence;
mod faults;
mod files;
mod group_chat;
mod group_joining;
mod group_limits;
mod group_management;
mod groups;
mod heartbeat;
mod history;
mod hostile;
mod http_addresses;
mod http_admin;
mod http_connections;
mod http_hosts;
mod http_memory;
mod kept;
mod lists;
mod lock_outs;
mod membership_events;
mod message_search;
mod names;
mod offline;
mod openapi;
mod ownership;
mod presence;
mod private_chat;
mod protocol;
mod rate_limits;
mod reactions;
mod recall;
mod receipts;
mod refusals;
mod reports;
mod said;
mod search;
mod sessions;
mod slow_consumer;
mod slow_statements;
mod sockets;
mod startup;
mod sync;
mod terminal;
mod tokens;
mod tour;
mod upgrades;
mod webhook_faults;
mod webhooks;
