//! An OpenAI-compatible model server with scripted answers and faults, for tests that must be exact.
//!
//! It is a server on a real socket: what is tested is the whole path, timeouts and broken connections included. And it is
//! strict: each tool result it is sent must belong to a call that it issued, in that conversation, exactly one a call; a
//! breach is recorded as a [`Violation`] and answered 400. Start at [`Simulator::start`] and [`Script`].

mod answer;
mod ledger;
mod request;
mod script;
mod serve;
mod state;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use self::state::State;
pub use self::{
    ledger::{Ledger, Violation},
    request::Request,
    script::{Fault, Reply, Rule, Script, Tool, Usage},
};
use crate::output;

/// A running simulator. Dropping it closes its port and cuts its connections.
#[derive(Debug)]
pub struct Simulator {
    state: Arc<State>,
    address: SocketAddr,
}

impl Simulator {
    /// Starts on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_on(
            TcpListener::bind("127.0.0.1:0").await?,
            script,
            Arc::default(),
        )
    }

    /// Starts a second one, another provider, that takes over this one's conversations: tool calls issued by either are
    /// known to both, as when a run fails over between two steps.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start_beside(&self, script: Script) -> io::Result<Self> {
        Self::start_on(
            TcpListener::bind("127.0.0.1:0").await?,
            script,
            Arc::clone(&self.state.ledger),
        )
    }

    /// Starts on `listener`, with the tool calls in `ledger` as known.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start_on(
        listener: TcpListener,
        script: Script,
        ledger: Arc<Ledger>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(script, ledger));
        tokio::spawn(serve::run(listener, Arc::clone(&state)));
        Ok(Self { state, address })
    }

    /// What to configure as a provider's base URL: `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests for completions so far, oldest first; those that were refused too.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().clone()
    }

    /// The breaches of the tool call protocol so far.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.state.violations.lock().clone()
    }

    /// Appends a reply to the queue, which goes before the rules.
    pub fn push_reply(&self, reply: Reply) {
        self.state.script.lock().queue.push_back(reply);
    }

    /// Appends a rule behind the others.
    pub fn push_rule(&self, rule: Rule) {
        self.state.script.lock().rules.push(rule);
    }

    /// Answers that are being written at this moment, stalls included.
    #[must_use]
    pub fn open_answers(&self) -> usize {
        self.state.open.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Answers whose client went away before their end.
    #[must_use]
    pub fn abandoned_answers(&self) -> usize {
        self.state
            .abandoned
            .load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.state.stop.cancel();
    }
}

/// Where to listen, and what to say.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "The script is JSON; bench/README.md describes it. Without one, every question is answered with text."
)]
pub struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:11500")]
    pub listen: SocketAddr,
    /// Script file
    #[arg(long)]
    pub script: Option<PathBuf>,
}

/// Runs the subcommand until it is interrupted.
///
/// # Errors
/// When the script cannot be read or the address not bound.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let script = match &options.script {
        None => Script::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is no script", path.display()))?
        }
    };
    let simulator = Simulator::start_on(
        TcpListener::bind(options.listen).await?,
        script,
        Arc::default(),
    )?;
    output::line(&format!("LLM simulator at {}", simulator.base_url()));
    let mut told = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let violations = simulator.violations();
        for violation in violations.iter().skip(told) {
            output::note(&format!("VIOLATION {violation}"));
        }
        told = violations.len();
    }
}
