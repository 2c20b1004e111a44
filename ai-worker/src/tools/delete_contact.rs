//! `delete_contact`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::read;
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// Takes somebody out of the asker's contacts.
pub(super) struct DeleteContact;

#[derive(Deserialize)]
struct Arguments {
    username: String,
}

#[async_trait]
impl Tool for DeleteContact {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "delete_contact",
            description: "从联系人中删除一个用户。Remove a user from the current user's contacts.",
            parameters: json!({
                "type": "object",
                "properties": {"username": {"type": "string", "description": "对方的用户名"}},
                "required": ["username"],
            }),
        }
    }

    fn class(&self) -> Class {
        Class::OwnEffect
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { username } = read(args)?;
        let deleted = context.im.contacts().delete(context.asker, &username).await;
        let deleted = deleted.map_err(|error| Refusal::from(error).doing("删除联系人"))?;
        Ok(format!("联系人删除成功,用户名={}", deleted.username))
    }
}
