//! `bench mirror`: a hub that speaks the contract's frames and stores nothing on a disk.
//!
//! It shows what the generator itself can do on a machine, since nothing else costs there, and with a [`Flaw`] it shows that
//! the generator's checks can fail. It is no peer: an ACK of it means nothing.

mod edge;
mod hub;

use std::{io, net::SocketAddr, sync::Arc};

use clap::{Args, ValueEnum};
use tokio::{net::TcpListener, task::JoinHandle};

use self::hub::Hub;
use crate::output;

/// What a mirror does wrong to every n-th message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Flaw {
    /// Acknowledges it and does not push it.
    Lose,
    /// Pushes it twice.
    Repeat,
    /// Pushes it behind the next one.
    Swap,
    /// Pushes it and does not acknowledge it.
    Unanswered,
    /// Refuses it, which is no fault of the order.
    Refuse,
    /// Closes the sender's socket.
    Close,
    /// Pushes it to those who are there, and keeps it for nobody who is not.
    Forget,
    /// Pushes confirmed messages once more on every connection; `every` has no meaning.
    Again,
    /// Does not answer a pull; `every` has no meaning.
    Gap,
    /// Answers an upgrade with 503: here every n-th upgrade is meant.
    Deny,
    /// Answers the n-th upgrade and all behind it with 503.
    Shut,
}

/// Where to listen, and what to do wrong.
#[derive(Args, Debug, Clone)]
pub struct Options {
    /// Addresses to listen on, with commas between: gateways to one hub
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:8090")]
    pub listen: Vec<SocketAddr>,
    /// What to do wrong
    #[arg(long)]
    pub flaw: Option<Flaw>,
    /// To every which message
    #[arg(long, default_value_t = 100)]
    pub every: u64,
}

/// A running mirror, stopped when dropped.
pub struct Mirror {
    address: SocketAddr,
    hub: Arc<Hub>,
    task: JoinHandle<()>,
}

impl Mirror {
    /// Serves on `listener`, with a flaw for every `every`th message.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start_on(listener: TcpListener, flaw: Option<Flaw>, every: u64) -> io::Result<Self> {
        Self::serve(listener, Arc::new(Hub::new(flaw, every)))
    }

    /// Another gateway to the same hub, on `listener`.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn beside(&self, listener: TcpListener) -> io::Result<Self> {
        Self::serve(listener, Arc::clone(&self.hub))
    }

    fn serve(listener: TcpListener, hub: Arc<Hub>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let router = edge::router(Arc::clone(&hub));
        let task = tokio::spawn(async move {
            drop(
                axum::serve(
                    axum::serve::ListenerExt::tap_io(listener, |tcp| drop(tcp.set_nodelay(true))),
                    router,
                )
                .await,
            );
        });
        Ok(Self { address, hub, task })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs the subcommand until it is interrupted.
///
/// # Errors
/// When the address cannot be bound.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let mut gateways: Vec<Mirror> = Vec::new();
    for address in &options.listen {
        let listener = TcpListener::bind(address).await?;
        let mirror = match gateways.first() {
            Some(first) => first.beside(listener)?,
            None => Mirror::start_on(listener, options.flaw, options.every.max(1))?,
        };
        output::line(&format!("mirror at {}", mirror.url()));
        gateways.push(mirror);
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests;
