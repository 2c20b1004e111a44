//! What the assistant can do. Each tool acts as the user who asked, through `im` with its permission checks, and
//! answers with a short text for people and for the model.
//!
//! A tool is a file: its name, what the model is told, its class, what it does. This list names them all; a new tool is a
//! new file and a line here.

#[macro_use]
mod list;
mod arguments;
mod refusal;
mod text;
mod tool;
mod toolbox;

tools! {
    search_user::SearchUser,
    get_my_groups::GetMyGroups,
    search_group::SearchGroup,
    create_group::CreateGroup,
    join_group::JoinGroup,
    leave_group::LeaveGroup,
    invite_member::InviteMember,
    get_contacts::GetContacts,
    add_contact::AddContact,
    delete_contact::DeleteContact,
}

pub(crate) use refusal::Refusal;
pub(crate) use tool::{Class, Context, Tool};
pub(crate) use toolbox::{Given, Toolbox};
