//! What the assistant can do. Each tool acts as the user who asked, through `im` with its permission checks, and
//! answers with a short text for people and for the model.
//!
//! A tool is a file: its name, what the model is told, its class, what it does. To add one, write the file, and its line
//! in [`list`].

mod add_contact;
mod arguments;
mod create_group;
mod delete_contact;
mod get_contacts;
mod get_my_groups;
mod invite_member;
mod join_group;
mod leave_group;
mod list;
mod refusal;
mod search_group;
mod search_user;
mod text;
mod tool;
mod toolbox;

pub(crate) use refusal::Refusal;
pub(crate) use tool::{Class, Context, Tool};
pub(crate) use toolbox::{Given, Toolbox};
