//! `get_my_groups`

use async_trait::async_trait;
use serde_json::{Value, json};

use super::text::{group_line, list};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// The groups that the asker is in.
pub(super) struct GetMyGroups;

#[async_trait]
impl Tool for GetMyGroups {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "get_my_groups",
            description: "列出当前用户加入的群聊。List the groups that the current user is in.",
            parameters: json!({"type": "object", "properties": {}, "required": []}),
        }
    }

    fn class(&self) -> Class {
        Class::Reads
    }

    async fn execute(&self, context: &Context<'_>, _args: Value) -> Result<String, Refusal> {
        let groups = context.im.groups().mine(context.asker.user_id).await;
        let groups = groups.map_err(|error| Refusal::from(error).doing("获取群聊"))?;
        Ok(list(
            "加入的群聊",
            "还没有加入任何群聊",
            &groups,
            group_line,
        ))
    }
}
