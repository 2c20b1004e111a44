//! `leave_group`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{number, read};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// The asker leaves a group.
pub(super) struct LeaveGroup;

#[derive(Deserialize)]
struct Arguments {
    #[serde(deserialize_with = "number")]
    group_id: i64,
}

#[async_trait]
impl Tool for LeaveGroup {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "leave_group",
            description: "让当前用户退出一个群聊。Make the current user leave a group.",
            parameters: json!({
                "type": "object",
                "properties": {"group_id": {"type": "integer", "description": "群聊ID"}},
                "required": ["group_id"],
            }),
        }
    }

    fn class(&self) -> Class {
        Class::OwnEffect
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { group_id } = read(args)?;
        let left = context.im.groups().leave(context.asker, group_id).await;
        let left = left.map_err(|error| Refusal::from(error).doing("退出群聊"))?;
        Ok(format!("退出群聊成功,ID={}", left.group_id))
    }
}
