//! The REST API. An endpoint is a file: what comes in, what goes out, its line of the documentation, the call of `im`. This
//! list names them all; a new endpoint is a new file and a line here.

#[macro_use]
mod list;
mod download;
mod home;
mod shapes;
#[cfg(test)]
mod tests;

use lingxi_domain::limits::{FILE_FORM_BYTES, MAX_FILE_BYTES, SMALL_BODY_BYTES};
use lingxi_http::BodyLimit;

/// A form that brings a file is handed on to the disk as it comes.
const FILE: BodyLimit = BodyLimit::streamed(MAX_FILE_BYTES + FILE_FORM_BYTES);

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
        report,
        mute,
    }
    /// Attachments.
    files {
        upload(FILE),
        get,
        thumbnail,
        link,
    }
}

pub(crate) use home::home;
