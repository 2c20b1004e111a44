//! Starts the system as its operators do, and speaks to it as its clients do.

mod deployment;
mod port;
mod process;
mod rest;
mod socket;
mod sse;
mod until;
mod user;
mod ws;

pub(crate) use deployment::{Deployment, Mode};
pub(crate) use process::{Process, binary};
pub(crate) use rest::{Reply, Rest};
pub(crate) use socket::{Link, Socket};
pub(crate) use sse::{Events, SseEvent, text_of};
pub(crate) use until::{DEADLINE, until, until_some};
pub(crate) use user::User;
pub(crate) use ws::Ws;

/// Starts a deployment of the default mode, for a test that is about one mode only.
pub(crate) async fn start() -> Deployment {
    Mode::Embedded.start().await
}

/// Names the behaviours of a file. Each is an `async fn(Mode)`, and becomes one test a mode: `topic::name::embedded`.
/// Another mode is another line here; no behaviour changes.
macro_rules! behaviours {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                #[tokio::test]
                async fn embedded() {
                    super::$name($crate::harness::Mode::Embedded).await;
                }
            }
        )+
    };
}
