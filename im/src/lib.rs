//! What a user can do: accounts, contacts, groups, conversations, messages.
//!
//! Every process calls this crate, so a rule about who may do what stands here once. It knows nothing of how it is
//! served, and it does not commit chat messages: the chat worker does. What it writes itself (membership, recalls) goes
//! into the log of the conversation under that conversation's row lock, and is pushed after the commit.
//!
//! Start with [`Im`], then [`Actor`] (on whose behalf something is done, and how often) and [`Error`].

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test's tasks end with its runtime"
    )
)]

mod accounts;
mod actor;
pub mod configuration;
mod contacts;
mod conversations;
mod error;
mod frames;
mod groups;
mod limits;
mod log;
mod messages;
mod names;
mod page;
mod passwords;
mod runs;
mod settings;
mod tokens;
mod typing;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_store::Store;

pub use accounts::{Accounts, Login, Profile, Registration};
pub use actor::Actor;
pub use contacts::{Contact, Contacts, Saved};
pub use conversations::{ConversationSummary, Conversations, Counterpart};
pub use error::Error;
pub use frames::Frames;
pub use groups::{CreatedGroup, Group, GroupMember, Groups, MembershipChange, NewGroup};
pub use limits::{Limits, Payer, Rates, Spending};
pub use messages::{History, HistoryQuery, Messages, Reading, Recalled, Target};
pub use page::{Listed, Page};
pub use runs::{Asked, Question, RunLimits, Runs};
pub use settings::Settings;
pub use tokens::Identity;

/// Results of what users do.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a process works with.
#[derive(Clone)]
pub struct Deps {
    /// The truth.
    pub store: Store,
    /// Pushes go out here.
    pub bus: SharedBus,
    /// Presence and the limits that hold across nodes.
    pub cache: SharedCache,
    /// How to behave.
    pub config: ImConfig,
}

/// How accounts and logins behave.
#[derive(Clone)]
pub struct ImConfig {
    /// Signs and checks tokens (HS256).
    pub jwt_secret: Vec<u8>,
    /// How long a token is good for, in hours.
    pub jwt_ttl_hours: i64,
    /// Work factor of password hashes, 4 to 31.
    pub bcrypt_cost: u32,
    /// Whether anything is limited in how often it is done.
    pub rate_limits: bool,
    /// How often, where it is.
    pub rates: Rates,
    /// Groups that one user may be in.
    pub groups_per_user: u32,
    /// How much of the assistant one user may have.
    pub runs: RunLimits,
    /// Partitions of the incoming messages, fixed when the system is installed.
    pub partitions: u16,
}

/// Everything a user can do. Cheap to clone.
#[derive(Clone)]
pub struct Im {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    bus: SharedBus,
    cache: SharedCache,
    config: ImConfig,
    names: names::Names,
    passwords: passwords::Passwords,
    tokens: tokens::Tokens,
    typing: typing::Typing,
}

impl Im {
    /// Puts the pieces together; reads nothing.
    pub fn new(deps: Deps) -> Self {
        let Deps {
            store,
            bus,
            cache,
            config,
        } = deps;
        Self {
            inner: Arc::new(Inner {
                names: names::Names::new(store.clone(), cache.clone()),
                passwords: passwords::Passwords::new(config.bcrypt_cost, config.rate_limits),
                typing: typing::Typing::new(),
                tokens: tokens::Tokens::new(&config, store.clone()),
                store,
                bus,
                cache,
                config,
            }),
        }
    }

    /// Registering, logging in, and who is who.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { im: &self.inner }
    }

    /// Lists of contacts.
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts { im: &self.inner }
    }

    /// Questions to the assistant.
    pub fn runs(&self) -> Runs<'_> {
        Runs { im: &self.inner }
    }

    /// Groups and who is in them.
    pub fn groups(&self) -> Groups<'_> {
        Groups { im: &self.inner }
    }

    /// A user's list of conversations.
    pub fn conversations(&self) -> Conversations<'_> {
        Conversations { im: &self.inner }
    }

    /// What was said, how far it was read, and taking it back.
    pub fn messages(&self) -> Messages<'_> {
        Messages { im: &self.inner }
    }

    /// How often somebody may do something, over all nodes.
    pub fn limits(&self) -> Limits<'_> {
        Limits { im: &self.inner }
    }

    /// What users have chosen.
    pub fn settings(&self) -> Settings<'_> {
        Settings { im: &self.inner }
    }

    /// Entries of the log as clients see them.
    pub fn frames(&self) -> Frames<'_> {
        Frames { im: &self.inner }
    }
}
