//! `search_group`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::read;
use super::text::{MAX_ROWS, group_line, list};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// Finds groups.
pub(super) struct SearchGroup;

#[derive(Deserialize)]
struct Arguments {
    keyword: String,
}

#[async_trait]
impl Tool for SearchGroup {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "search_group",
            description: "按名称或ID搜索群聊。Search groups by name or id.",
            parameters: json!({
                "type": "object",
                "properties": {"keyword": {"type": "string", "description": "群名称的一部分,或群聊ID"}},
                "required": ["keyword"],
            }),
        }
    }

    fn class(&self) -> Class {
        Class::Reads
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { keyword } = read(args)?;
        let limit = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
        let (groups, asker) = (context.im.groups(), context.asker.user_id);
        let found = groups.search(asker, &keyword, limit).await;
        let found = found.map_err(|error| Refusal::from(error).doing("搜索群聊"))?;
        Ok(list("找到的群聊", "没有找到匹配的群聊", &found, group_line))
    }
}
