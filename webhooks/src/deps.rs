//! What deliveries are put together from.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_domain::UserId;
use lingxi_domain::webhook_secret::WebhookSecret;
use lingxi_im::Im;
use lingxi_store::{HeldWebhook, Store};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::client::Client;
use crate::cursors::Cursors;
use crate::resolver::SystemLookup;
use crate::schedule::Schedule;
use crate::settings::Webhooks;

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// `[webhooks]`.
    pub webhooks: Webhooks,
    /// Whether no other process can be using this database: then webhooks that a former one held are taken at once.
    pub sole: bool,
}

/// What deliveries work with.
#[derive(Clone)]
pub struct Deps {
    /// Where the log and the cursors are.
    pub store: Store,
    /// Hints come from here.
    pub bus: SharedBus,
    /// The frames of messages.
    pub im: Im,
}

/// Deliveries cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] lingxi_runtime::config::Error),
    /// There is no HTTP client: the machine's certificates cannot be read, say.
    #[error("no HTTP client for webhooks: {0}")]
    Client(#[from] reqwest::Error),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] lingxi_bus::Error),
}

/// What all deliveries of a process share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) bus: SharedBus,
    pub(crate) im: Im,
    pub(crate) client: Client,
    pub(crate) cursors: Cursors,
    pub(crate) schedule: Schedule,
    /// Attempts at once.
    pub(crate) attempts: Semaphore,
    pub(crate) per_bot: usize,
    pub(crate) keep_days: i64,
    pub(crate) sole: bool,
    /// This process, as the leases name it.
    pub(crate) owner: String,
}

impl Shared {
    pub(crate) fn new(options: Options, deps: Deps) -> Result<Self, Error> {
        let Options { webhooks, sole } = options;
        let timeout = Duration::from_millis(webhooks.timeout_ms);
        let client = Client::new(webhooks.reach()?, Arc::new(SystemLookup), timeout)?;
        Ok(Self {
            cursors: Cursors::new(deps.store.clone()),
            store: deps.store,
            bus: deps.bus,
            im: deps.im,
            client,
            schedule: Schedule::new(webhooks.waits()?, webhooks.hold_attempts),
            attempts: Semaphore::new(webhooks.concurrency),
            per_bot: webhooks.per_bot,
            keep_days: webhooks.keep_days,
            sole,
            owner: Uuid::new_v4().simple().to_string(),
        })
    }
}

/// One webhook as this process delivers to it.
pub(crate) struct Hook {
    pub(crate) held: HeldWebhook,
    pub(crate) url: Url,
    pub(crate) secret: WebhookSecret,
    /// The last attempt failed: there is one at a time, so that a server that is away keeps nobody else waiting.
    pub(crate) failing: AtomicBool,
    /// Nothing more is to begin.
    pub(crate) stop: CancellationToken,
}

impl Hook {
    /// `None` for a row that no operator's request can have made.
    pub(crate) fn new(held: HeldWebhook) -> Option<Self> {
        let url = Url::parse(&held.url).ok()?;
        let secret = WebhookSecret::parse(&held.secret).ok()?;
        Some(Self {
            held,
            url,
            secret,
            failing: AtomicBool::new(false),
            stop: CancellationToken::new(),
        })
    }

    pub(crate) fn bot(&self) -> UserId {
        self.held.bot
    }
}
