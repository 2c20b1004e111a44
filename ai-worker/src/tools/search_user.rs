//! `search_user`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::read;
use super::text::{MAX_ROWS, list};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// Finds people.
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

    fn class(&self) -> Class {
        Class::Reads
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { keyword } = read(args)?;
        let limit = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
        let (accounts, asker) = (context.im.accounts(), context.asker.user_id);
        let found = accounts.search(asker, &keyword, limit).await;
        let found = found.map_err(|error| Refusal::from(error).doing("搜索用户"))?;
        Ok(list(
            "找到的用户",
            "没有找到匹配的用户",
            &found,
            |user| format!("- {}(昵称:{})", user.username, user.nickname),
        ))
    }
}
