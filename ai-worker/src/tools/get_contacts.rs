//! `get_contacts`

use async_trait::async_trait;
use lingxi_im::Contact;
use serde_json::{Value, json};

use super::text::list;
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// The asker's contacts.
pub(super) struct GetContacts;

fn line(contact: &Contact) -> String {
    let state = if contact.online { "在线" } else { "离线" };
    let remark = if contact.remark.is_empty() {
        String::new()
    } else {
        format!(",备注:{}", contact.remark)
    };
    format!(
        "- {}(昵称:{}{remark},{state})",
        contact.username, contact.nickname
    )
}

#[async_trait]
impl Tool for GetContacts {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "get_contacts",
            description: "列出当前用户的联系人。List the current user's contacts.",
            parameters: json!({"type": "object", "properties": {}, "required": []}),
        }
    }

    fn class(&self) -> Class {
        Class::Reads
    }

    async fn execute(&self, context: &Context<'_>, _args: Value) -> Result<String, Refusal> {
        let contacts = context.im.contacts().list(context.asker.user_id).await;
        let contacts = contacts.map_err(|error| Refusal::from(error).doing("获取联系人"))?;
        Ok(list("联系人", "联系人列表为空", &contacts, line))
    }
}
