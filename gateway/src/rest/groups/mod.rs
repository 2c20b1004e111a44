//! Groups.

pub(super) mod create;
pub(super) mod info;
pub(super) mod invite;
pub(super) mod join;
pub(super) mod kick;
pub(super) mod leave;
pub(super) mod members;
pub(super) mod mygroups;
pub(super) mod search;
