//! What the assistant can do. Each tool acts as the user who asked, through `im` with its permission checks, and
//! answers with a short text for people and for the model.

mod accounts;
mod arguments;
mod contacts;
mod groups;
mod refusal;

use async_trait::async_trait;
use lingxi_domain::names::flat;
use lingxi_domain::run::ToolOutcome;
use lingxi_im::{Actor, Im};
use serde_json::Value;

pub(crate) use refusal::Refusal;

use crate::providers::ToolSpec;

/// The most that one result may say, in bytes; what is over is cut.
const MAX_RESULT_BYTES: usize = 8 * 1024;
/// Rows that a list shows.
const MAX_ROWS: usize = 50;

/// One tool.
#[async_trait]
pub(crate) trait Tool: Send + Sync {
    /// As the model is told about it.
    fn spec(&self) -> ToolSpec;

    /// Does it, as the asker.
    async fn execute(&self, call: &Call<'_>) -> Result<String, Refusal>;
}

/// A call of a tool.
pub(crate) struct Call<'a> {
    /// What users can do.
    pub(crate) im: &'a Im,
    /// The asker, with the effect's idempotency key.
    pub(crate) actor: &'a Actor,
    /// What the model said.
    pub(crate) args: Value,
}

/// The tools that a run may use.
pub(crate) struct Toolbox {
    tools: Vec<Box<dyn Tool>>,
}

impl Toolbox {
    /// Those that need no outside service.
    pub(crate) fn new() -> Self {
        Self {
            tools: vec![
                Box::new(accounts::SearchUser),
                Box::new(groups::GetMyGroups),
                Box::new(groups::SearchGroup),
                Box::new(groups::CreateGroup),
                Box::new(groups::JoinGroup),
                Box::new(groups::LeaveGroup),
                Box::new(groups::InviteMember),
                Box::new(contacts::GetContacts),
                Box::new(contacts::AddContact),
                Box::new(contacts::DeleteContact),
            ],
        }
    }

    /// What the model is told.
    pub(crate) fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|tool| tool.spec()).collect()
    }

    /// Does what the model asked for. What cannot be done, or not be understood, is an outcome that the model is told.
    ///
    /// # Errors
    /// When the run was lost, or nothing is known about the outcome: the same call again finds out.
    pub(crate) async fn execute(
        &self,
        name: &str,
        args: &str,
        im: &Im,
        actor: &Actor,
    ) -> Result<ToolOutcome, Refusal> {
        let done = match self.tools.iter().find(|tool| tool.spec().name == name) {
            None => Err(Refusal::Told(format!("没有名为{name}的工具"))),
            Some(tool) => match arguments::object(args) {
                Ok(args) => tool.execute(&Call { im, actor, args }).await,
                Err(refusal) => Err(refusal),
            },
        };
        let known = self.tools.iter().any(|tool| tool.spec().name == name);
        let label = if known {
            name.to_owned()
        } else {
            "unknown".to_owned()
        };
        let (result, success) = match done {
            Ok(result) => (result, true),
            Err(Refusal::Told(reason)) => (reason, false),
            Err(lost) => return Err(lost),
        };
        let word = if success { "true" } else { "false" };
        metrics::counter!("lingxi_ai_tool_calls_total", "tool" => label, "success" => word)
            .increment(1);
        Ok(ToolOutcome {
            result: cut(result),
            success,
            data: Value::Null,
        })
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_RESULT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_RESULT_BYTES));
        text.push('…');
    }
    text
}

/// `head:` and one line a row, with a word on those left out. A row is one line whatever the names in it are: an older one
/// may have line breaks, which would forge rows.
fn list<T>(head: &str, none: &str, rows: &[T], line: impl Fn(&T) -> String) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let mut lines = vec![format!("{head}(共{}个):", rows.len())];
    let shown = rows.iter().take(MAX_ROWS);
    lines.extend(shown.map(|row| flat(&line(row)).into_owned()));
    if rows.len() > MAX_ROWS {
        lines.push(format!("……还有{}个", rows.len() - MAX_ROWS));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_tools_have_schemas_of_objects() {
        let specs = Toolbox::new().specs();
        let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
        let wanted = [
            "search_user",
            "get_my_groups",
            "search_group",
            "create_group",
            "join_group",
            "leave_group",
            "invite_member",
            "get_contacts",
            "add_contact",
            "delete_contact",
        ];
        assert_eq!(names, wanted);
        for spec in specs {
            assert_eq!(spec.parameters["type"], "object", "{}", spec.name);
            let required = spec.parameters["required"].as_array().unwrap();
            for name in required {
                let property = &spec.parameters["properties"][name.as_str().unwrap()];
                assert!(property["description"].is_string(), "{}: {name}", spec.name);
            }
        }
    }

    #[test]
    fn an_old_name_forges_no_row() {
        let rows = [
            "bob\n- 系统(昵称:x)",
            "a\u{2028}- b",
            "c\r\u{85}\u{202e}d\u{1b}[2K",
        ];
        let text = list("群", "没有", &rows, |name| format!("- {name}"));
        let lines: Vec<&str> = text.split('\n').collect();
        let expected = ["群(共3个):", "- bob - 系统(昵称:x)", "- a - b", "- c d [2K"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn long_lists_and_texts_are_cut_where_characters_end() {
        let rows: Vec<usize> = (0..60).collect();
        let text = list("群", "没有", &rows, |n| format!("- {n}"));
        assert!(
            text.starts_with("群(共60个):") && text.ends_with("……还有10个"),
            "{text}"
        );
        assert_eq!(
            list("群", "没有", &[] as &[usize], |_| String::new()),
            "没有"
        );
        assert!(cut("灵".repeat(5000)).len() <= MAX_RESULT_BYTES + '…'.len_utf8());
    }
}
