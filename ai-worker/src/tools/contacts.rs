//! The asker's contacts.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Refusal, Tool, list};
use crate::providers::ToolSpec;

/// `get_contacts`
pub(super) struct GetContacts;
/// `add_contact`
pub(super) struct AddContact;
/// `delete_contact`
pub(super) struct DeleteContact;

#[derive(Deserialize)]
struct Who {
    username: String,
    #[serde(default)]
    remark: Option<String>,
}

fn who(with_remark: bool) -> Value {
    let mut properties = json!({"username": {"type": "string", "description": "对方的用户名"}});
    if with_remark {
        properties["remark"] = json!({"type": "string", "description": "备注,可以不填"});
    }
    json!({"type": "object", "properties": properties, "required": ["username"]})
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

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let contacts = call.im.contacts().list(call.actor.user_id).await;
        let contacts = contacts.map_err(|error| Refusal::from(error).doing("获取联系人"))?;
        Ok(list(
            "联系人",
            "联系人列表为空",
            &contacts,
            |contact| {
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
            },
        ))
    }
}

#[async_trait]
impl Tool for AddContact {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "add_contact",
            description: "把一个用户加为联系人(好友)。Add a user to the current user's contacts.",
            parameters: who(true),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let Who { username, remark } = call.arguments()?;
        let remark = remark.as_deref().filter(|remark| !remark.is_empty());
        let added = call.im.contacts().add(call.actor, &username, remark).await;
        let added = added.map_err(|error| Refusal::from(error).doing("添加联系人"))?;
        Ok(format!("联系人添加成功,用户名={}", added.username))
    }
}

#[async_trait]
impl Tool for DeleteContact {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "delete_contact",
            description: "从联系人中删除一个用户。Remove a user from the current user's contacts.",
            parameters: who(false),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let Who { username, .. } = call.arguments()?;
        let deleted = call.im.contacts().delete(call.actor, &username).await;
        let deleted = deleted.map_err(|error| Refusal::from(error).doing("删除联系人"))?;
        Ok(format!("联系人删除成功,用户名={}", deleted.username))
    }
}
