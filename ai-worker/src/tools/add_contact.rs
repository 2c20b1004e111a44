//! `add_contact`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::read;
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// Adds to the asker's contacts.
pub(super) struct AddContact;

#[derive(Deserialize)]
struct Arguments {
    username: String,
    #[serde(default)]
    remark: Option<String>,
}

#[async_trait]
impl Tool for AddContact {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "add_contact",
            description: "把一个用户加为联系人(好友)。Add a user to the current user's contacts.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "username": {"type": "string", "description": "对方的用户名"},
                    "remark": {"type": "string", "description": "备注,可以不填"},
                },
                "required": ["username"],
            }),
        }
    }

    fn class(&self) -> Class {
        Class::OwnEffect
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { username, remark } = read(args)?;
        let remark = remark.as_deref().filter(|remark| !remark.is_empty());
        let (contacts, asker) = (context.im.contacts(), context.asker);
        let added = contacts.add(asker, &username, remark).await;
        let added = added.map_err(|error| Refusal::from(error).doing("添加联系人"))?;
        Ok(format!("联系人添加成功,用户名={}", added.username))
    }
}
