//! `join_group`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{number, read};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// The asker joins a group.
pub(super) struct JoinGroup;

#[derive(Deserialize)]
struct Arguments {
    #[serde(deserialize_with = "number")]
    group_id: i64,
}

#[async_trait]
impl Tool for JoinGroup {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "join_group",
            description: "让当前用户加入一个群聊。Make the current user join a group.",
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
        let joined = context.im.groups().join(context.asker, group_id).await;
        let joined = joined.map_err(|error| Refusal::from(error).doing("加入群聊"))?;
        Ok(match joined.seq {
            Some(_) => format!("加入群聊成功,ID={}", joined.group_id),
            None => format!("已申请加入群聊,等待管理员批准,ID={}", joined.group_id),
        })
    }
}
