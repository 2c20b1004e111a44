//! Starts the system as its operators do, and speaks to it as its clients do.

mod backends;
pub(crate) mod database;
mod deployment;
mod dice;
mod documented;
mod failing_disk;
mod files;
mod hook;
mod links;
mod mode;
mod node;
mod operator;
mod options;
mod process;
pub(crate) mod protocol;
mod proxy;
mod raw;
mod rest;
mod socket;
mod sse;
mod start;
mod user;
mod ws;

pub(crate) use lingxi_testing::{DEADLINE, Kind, Port, Process, Server, until, until_some};

pub(crate) use backends::Backends;
pub(crate) use deployment::Deployment;
pub(crate) use dice::{Dice, seed};
pub(crate) use documented::{body_schema, filled, operations};
pub(crate) use failing_disk::DiskFault;
pub(crate) use files::{BOUNDARY, Fetched, form, png};
pub(crate) use hook::{Answer, Hook, Posted};
pub(crate) use mode::Mode;
pub(crate) use process::{answers, binary, lingxi};
pub(crate) use proxy::Direction;
pub(crate) use raw::Raw;
pub(crate) use rest::{Reply, Rest};
pub(crate) use socket::{Link, Socket};
pub(crate) use sse::{Events, SseEvent, text_of};
pub(crate) use user::User;
pub(crate) use ws::Ws;

/// Starts a deployment of the default mode, for a test that is about one mode only.
pub(crate) async fn start() -> Deployment {
    Mode::Embedded.start().await
}

/// Names the behaviours of a file. Each is an `async fn(Mode)`, and becomes one test a mode: `topic::name::embedded` and
/// `topic::name::cluster`.
macro_rules! behaviours {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                #[tokio::test]
                async fn embedded() {
                    super::$name($crate::harness::Mode::Embedded).await;
                }

                #[tokio::test]
                async fn cluster() {
                    super::$name($crate::harness::Mode::Cluster).await;
                }
            }
        )+
    };
}
