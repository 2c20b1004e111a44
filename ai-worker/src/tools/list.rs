//! The tools, one line each, in the order in which the model is told about them.

use super::{
    Tool, add_contact, create_group, delete_contact, get_contacts, get_my_groups, invite_member,
    join_group, leave_group, search_group, search_user,
};

pub(super) const ALL: &[&dyn Tool] = &[
    &search_user::SearchUser,
    &get_my_groups::GetMyGroups,
    &search_group::SearchGroup,
    &create_group::CreateGroup,
    &join_group::JoinGroup,
    &leave_group::LeaveGroup,
    &invite_member::InviteMember,
    &get_contacts::GetContacts,
    &add_contact::AddContact,
    &delete_contact::DeleteContact,
];
