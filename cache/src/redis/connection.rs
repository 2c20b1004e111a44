//! The connection to Redis: made, judged, timed, and made again.

use std::future::Future;
use std::time::Duration;

use fred::clients::Client;
use fred::error::Error as RedisError;
use fred::interfaces::{ClientLike, EventInterface};
use fred::types::config::{ReconnectPolicy, Server};
use fred::types::{Builder, ConnectHandle, InfoKind};
use parking_lot::Mutex;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::timeout;

use super::Options;
use super::refusal::{classify, judge, unreachable};
use crate::{Error, Result};

/// The longest that one call may take.
const COMMAND: Duration = Duration::from_millis(500);
/// To open a connection, and again for its greeting.
const CONNECT_STEP: Duration = Duration::from_millis(1500);
/// For an attempt to connect as a whole; behind sentinels it has several steps.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection that has owed an answer for so long is cut and made again.
const UNRESPONSIVE: Duration = Duration::from_secs(1);
/// Commands that wait to be written; more are refused.
const QUEUE: usize = 10_000;

pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) options: Options,
    /// Drives the connection; once it stands, it reconnects for as long as this runs.
    driver: Mutex<Option<ConnectHandle>>,
    troubles: Mutex<Receiver<(RedisError, Option<Server>)>>,
}

impl Connection {
    /// Not connected yet.
    pub(super) fn new(options: Options) -> Result<Self> {
        // Jitter, so that the nodes do not come back all at once.
        let mut policy = ReconnectPolicy::new_exponential(0, 100, 2000, 2);
        policy.set_jitter(100);
        let client = Builder::from_config(options.config.clone())
            .with_performance_config(|config| config.default_command_timeout = COMMAND)
            .with_connection_config(|config| {
                config.connection_timeout = CONNECT_STEP;
                config.internal_command_timeout = CONNECT_STEP;
                config.max_command_attempts = 2;
                config.max_command_buffer_len = QUEUE;
                config.unresponsive.max_timeout = Some(UNRESPONSIVE);
                config.unresponsive.interval = Duration::from_millis(250);
                config.tcp.nodelay = Some(true);
            })
            .set_policy(policy)
            .build()
            .map_err(|error| classify(&error, &options))?;
        Ok(Self {
            troubles: Mutex::new(client.error_rx()),
            client,
            options,
            driver: Mutex::new(None),
        })
    }

    /// Connects unless it is connected, and judges the server.
    pub(super) async fn ensure(&self) -> Result<()> {
        let driven = self
            .driver
            .lock()
            .as_ref()
            .is_some_and(|d| !d.is_finished());
        if !driven {
            match timeout(CONNECT, self.client.init()).await {
                Ok(Ok(driver)) => *self.driver.lock() = Some(driver),
                Ok(Err(error)) => return Err(classify(&error, &self.options)),
                Err(_) => return Err(unreachable(&self.options, "no answer within 5 s")),
            }
        }
        let info: String = self.ask(self.client.info(Some(InfoKind::Server))).await?;
        judge(&info, &self.options)
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.ask(self.client.ping(None)).await
    }

    /// Awaits an answer, for as long as a call may take; fails at once without a connection.
    pub(super) async fn ask<T>(
        &self,
        call: impl Future<Output = fred::prelude::FredResult<T>>,
    ) -> Result<T> {
        if !self.client.is_connected() {
            return Err(self.why_not_connected());
        }
        match timeout(COMMAND, call).await {
            Ok(answer) => answer.map_err(|error| classify(&error, &self.options)),
            Err(_) => Err(unreachable(&self.options, "no answer within 500 ms")),
        }
    }

    /// The last trouble that the client had while it tried to connect again.
    fn why_not_connected(&self) -> Error {
        let mut troubles = self.troubles.lock();
        let mut last = None;
        loop {
            match troubles.try_recv() {
                Ok((error, _)) => last = Some(error),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        match last {
            Some(error) => classify(&error, &self.options),
            None => unreachable(&self.options, "not connected"),
        }
    }
}

/// The client's own task holds the client, and would go on for ever.
impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.lock().take() {
            driver.abort();
        }
    }
}
