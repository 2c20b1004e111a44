//! `invite_member`

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{number, read};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// Brings somebody into a group.
pub(super) struct InviteMember;

#[derive(Deserialize)]
struct Arguments {
    #[serde(deserialize_with = "number")]
    group_id: i64,
    // The REST API's name for it, which models that saw that may use.
    #[serde(alias = "target_username")]
    username: String,
}

#[async_trait]
impl Tool for InviteMember {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "invite_member",
            description: "邀请一个用户加入群聊。Bring a user into a group that the current user is in.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "group_id": {"type": "integer", "description": "群聊ID"},
                    "username": {"type": "string", "description": "被邀请者的用户名"},
                },
                "required": ["group_id", "username"],
            }),
        }
    }

    fn class(&self) -> Class {
        Class::OwnEffect
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { group_id, username } = read(args)?;
        let (groups, asker) = (context.im.groups(), context.asker);
        let invited = groups.invite(asker, group_id, &username).await;
        let invited = invited.map_err(|error| Refusal::from(error).doing("邀请成员"))?;
        Ok(format!(
            "邀请成员成功,用户名={},群聊ID={}",
            invited.username, invited.group_id
        ))
    }
}
