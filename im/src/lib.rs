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
mod bots;
pub mod configuration;
mod contacts;
mod conversations;
mod deps;
mod error;
mod files;
mod frames;
mod groups;
mod inner;
mod limits;
mod log;
mod messages;
mod names;
mod page;
mod passwords;
mod people;
mod presence;
mod reports;
mod runs;
#[cfg(feature = "sabotage")]
mod sabotage;
mod search;
mod settings;
mod tokens;
mod typing;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use accounts::{Accounts, Login, Profile, Registration};
pub use actor::Actor;
pub use bots::{Bots, NewBot, Webhook};
pub use contacts::{Contact, Contacts, Saved};
pub use conversations::{ConversationSummary, Conversations, Counterpart};
pub use deps::{Deps, FileLimits, ImConfig};
pub use error::{Error, Result};
pub use files::{FileLink, Files, Opened, Reader, Upload};
pub use frames::Frames;
pub use groups::{
    CreatedGroup, Group, GroupMember, GroupUpdate, Groups, Joining, MembershipChange, NewGroup,
    NewLink,
};
pub use limits::{Limits, Payer, Rates, RunLimits, Spending};
pub use lingxi_files::{Blobs, Part, Pieces};
pub use lingxi_store::{Bot, BotWebhook, InviteLink, ProfileChange, Report};
pub use messages::{
    Forwarded, History, HistoryQuery, Messages, Outgoing, Reading, Recalled, Taken, Target,
};
pub use page::{Listed, Page};
pub use people::ListedUser;
pub use presence::{Presence, Watched};
pub use reports::Reports;
pub use runs::{Asked, Question, Runs};
pub use search::{SearchPage, SearchQuery, SearchedKind};
pub use settings::Settings;
pub use tokens::Identity;

pub(crate) use inner::Inner;

/// Everything a user can do. Cheap to clone.
#[derive(Clone)]
pub struct Im {
    inner: Arc<Inner>,
}

impl Im {
    /// Puts the pieces together; reads nothing.
    pub fn new(deps: Deps) -> Self {
        Self {
            inner: Arc::new(Inner::new(deps)),
        }
    }

    /// Registering, logging in, and who is who.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { im: &self.inner }
    }

    /// Bots and their webhooks.
    pub fn bots(&self) -> Bots<'_> {
        Bots { im: &self.inner }
    }

    /// Lists of contacts.
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts { im: &self.inner }
    }

    /// What users have reported.
    pub fn reports(&self) -> Reports<'_> {
        Reports { im: &self.inner }
    }

    /// Who is there.
    pub fn presence(&self) -> Presence<'_> {
        Presence { im: &self.inner }
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

    /// Attachments.
    pub fn files(&self) -> Files<'_> {
        Files { im: &self.inner }
    }

    /// Entries of the log as clients see them.
    pub fn frames(&self) -> Frames<'_> {
        Frames { im: &self.inner }
    }
}
