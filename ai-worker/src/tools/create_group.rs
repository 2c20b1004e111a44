//! `create_group`

use async_trait::async_trait;
use lingxi_im::NewGroup;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{optional_number, read};
use super::{Class, Context, Refusal, Tool};
use crate::providers::ToolSpec;

/// Makes a group.
pub(super) struct CreateGroup;

#[derive(Deserialize)]
struct Arguments {
    name: String,
    #[serde(default, deserialize_with = "optional_number")]
    max_count: Option<i64>,
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

    fn class(&self) -> Class {
        Class::OwnEffect
    }

    async fn execute(&self, context: &Context<'_>, args: Value) -> Result<String, Refusal> {
        let Arguments { name, max_count } = read(args)?;
        let new = NewGroup {
            name,
            max_count,
            announcement: None,
        };
        let created = context.im.groups().create(context.asker, &new).await;
        let created = created.map_err(|error| Refusal::from(error).doing("群聊创建"))?;
        Ok(format!("群聊创建成功,ID={}", created.id))
    }
}
