//! Contacts.

use serde::Serialize;
use utoipa::ToSchema;

/// A contact.
#[derive(Serialize, ToSchema)]
#[schema(as = Contact)]
pub(crate) struct Contact {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
    /// What the caller calls the contact.
    remark: String,
    online: bool,
}

impl From<lingxi_im::Contact> for Contact {
    fn from(c: lingxi_im::Contact) -> Self {
        Self {
            id: c.id,
            username: c.username,
            nickname: c.nickname,
            avatar: c.avatar,
            signature: c.signature,
            remark: c.remark,
            online: c.online,
        }
    }
}
