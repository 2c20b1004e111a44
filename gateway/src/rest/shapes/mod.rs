//! Shapes that several endpoints answer or ask for.

mod contact;
mod done;
mod file;
mod group;
mod member;
mod message;
mod page;
mod person;
mod search;
mod session;
mod target;
mod user;

pub(super) use contact::Contact;
pub(super) use done::Done;
pub(super) use file::File;
pub(super) use group::{Group, Groups};
pub(super) use member::Member;
pub(super) use message::{FoundMessage, Message, raw};
pub(super) use page::{ById, ByUsername};
pub(super) use person::Person;
pub(super) use search::Search;
pub(super) use session::Session;
pub(super) use target::{GroupTarget, Named, WhichGroup, conversation, optional_conversation};
pub(super) use user::{Me, User};
