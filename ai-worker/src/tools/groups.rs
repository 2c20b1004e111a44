//! Groups: finding, making, joining and leaving them, and bringing others in.

use async_trait::async_trait;
use lingxi_im::{Group, NewGroup};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{number, optional_number};
use super::{Call, MAX_ROWS, Refusal, Tool, list};
use crate::providers::ToolSpec;

/// `get_my_groups`
pub(super) struct GetMyGroups;
/// `search_group`
pub(super) struct SearchGroup;
/// `create_group`
pub(super) struct CreateGroup;
/// `join_group`
pub(super) struct JoinGroup;
/// `leave_group`
pub(super) struct LeaveGroup;
/// `invite_member`
pub(super) struct InviteMember;

fn line(group: &Group) -> String {
    format!(
        "- {}(ID={},成员{}/{})",
        group.name, group.id, group.member_count, group.max_count
    )
}

fn group_id() -> Value {
    json!({"type": "integer", "description": "群聊ID"})
}

#[derive(Deserialize)]
struct Which {
    #[serde(deserialize_with = "number")]
    group_id: i64,
}

#[async_trait]
impl Tool for GetMyGroups {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "get_my_groups",
            description: "列出当前用户加入的群聊。List the groups that the current user is in.",
            parameters: json!({"type": "object", "properties": {}, "required": []}),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let groups = call.im.groups().mine(call.actor.user_id).await;
        let groups = groups.map_err(|error| Refusal::from(error).doing("获取群聊"))?;
        Ok(list("加入的群聊", "还没有加入任何群聊", &groups, line))
    }
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

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Arguments {
            keyword: String,
        }
        let Arguments { keyword } = call.arguments()?;
        let limit = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
        let found = call
            .im
            .groups()
            .search(call.actor.user_id, &keyword, limit)
            .await;
        let found = found.map_err(|error| Refusal::from(error).doing("搜索群聊"))?;
        Ok(list("找到的群聊", "没有找到匹配的群聊", &found, line))
    }
}

#[async_trait]
impl Tool for CreateGroup {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "create_group",
            description: "创建一个群聊,当前用户成为群主;结果里有群聊ID。Create a group; the result names its id.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "群聊名称"},
                    "max_count": {"type": "integer", "description": "人数上限,默认200"},
                },
                "required": ["name"],
            }),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Arguments {
            name: String,
            #[serde(default, deserialize_with = "optional_number")]
            max_count: Option<i64>,
        }
        let Arguments { name, max_count } = call.arguments()?;
        let new = NewGroup {
            name,
            max_count,
            announcement: None,
        };
        let created = call.im.groups().create(call.actor, &new).await;
        let created = created.map_err(|error| Refusal::from(error).doing("群聊创建"))?;
        Ok(format!("群聊创建成功,ID={}", created.id))
    }
}

#[async_trait]
impl Tool for JoinGroup {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "join_group",
            description: "让当前用户加入一个群聊。Make the current user join a group.",
            parameters: json!({"type": "object", "properties": {"group_id": group_id()}, "required": ["group_id"]}),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let Which { group_id } = call.arguments()?;
        let joined = call.im.groups().join(call.actor, group_id).await;
        let joined = joined.map_err(|error| Refusal::from(error).doing("加入群聊"))?;
        Ok(format!("加入群聊成功,ID={}", joined.group_id))
    }
}

#[async_trait]
impl Tool for LeaveGroup {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "leave_group",
            description: "让当前用户退出一个群聊。Make the current user leave a group.",
            parameters: json!({"type": "object", "properties": {"group_id": group_id()}, "required": ["group_id"]}),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        let Which { group_id } = call.arguments()?;
        let left = call.im.groups().leave(call.actor, group_id).await;
        let left = left.map_err(|error| Refusal::from(error).doing("退出群聊"))?;
        Ok(format!("退出群聊成功,ID={}", left.group_id))
    }
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
                    "group_id": group_id(),
                    "username": {"type": "string", "description": "被邀请者的用户名"},
                },
                "required": ["group_id", "username"],
            }),
        }
    }

    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Arguments {
            #[serde(deserialize_with = "number")]
            group_id: i64,
            // The REST API's name for it, which models that saw that may use.
            #[serde(alias = "target_username")]
            username: String,
        }
        let Arguments { group_id, username } = call.arguments()?;
        let invited = call
            .im
            .groups()
            .invite(call.actor, group_id, &username)
            .await;
        let invited = invited.map_err(|error| Refusal::from(error).doing("邀请成员"))?;
        Ok(format!(
            "邀请成员成功,用户名={},群聊ID={}",
            invited.username, invited.group_id
        ))
    }
}
