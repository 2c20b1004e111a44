//! Finding people.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::{Call, MAX_ROWS, Refusal, Tool, list};
use crate::providers::ToolSpec;

/// `search_user`
pub(super) struct SearchUser;

#[derive(Deserialize)]
struct Arguments {
    keyword: String,
}

#[async_trait]
impl Tool for SearchUser {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "search_user",
            description: "按用户名或昵称搜索用户。Search users by username or nickname.",
            parameters: json!({
                "type": "object",
                "properties": {"keyword": {"type": "string", "description": "用户名或昵称的一部分"}},
                "required": ["keyword"],
            }),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let Arguments { keyword } = call.arguments()?;
        let limit = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
        let found = call
            .im
            .accounts()
            .search(call.actor.user_id, &keyword, limit)
            .await;
        let found = found.map_err(|error| Refusal::from(error).doing("搜索用户"))?;
        Ok(list(
            "找到的用户",
            "没有找到匹配的用户",
            &found,
            |user| format!("- {}(昵称:{})", user.username, user.nickname),
        ))
    }
}
