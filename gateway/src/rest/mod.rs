//! The REST API. An endpoint is a file: what comes in, what goes out, its line of the documentation, the call of `im`. This
//! list names them all; a new endpoint is a new file and a line here.

#[macro_use]
mod list;
mod home;
mod shapes;
#[cfg(test)]
mod tests;

use lingxi_domain::limits::SMALL_BODY_BYTES;

endpoints! {
    /// Accounts.
    users {
        register(SMALL_BODY_BYTES),
        login(SMALL_BODY_BYTES),
        me,
        info,
        search,
        profile,
        password(SMALL_BODY_BYTES),
        logout,
        settings,
    }
    /// The caller's contacts.
    contacts {
        list,
        add,
        remark,
        delete,
        block,
        unblock,
        blocked,
    }
    /// Groups.
    groups {
        create,
        mygroups,
        search,
        info,
        members,
        join,
        leave,
        invite,
        kick,
        update,
        mute,
        role,
        transfer,
        dismiss,
        requests,
        approve,
        invite_link,
        delete_invite_link,
        pin,
        pins,
    }
    /// Conversations and what was said in them.
    messages {
        conversations,
        history,
        search,
        read,
        readers,
        recall,
        edit,
        forward,
        react,
        mute,
    }
}

pub(crate) use home::home;
