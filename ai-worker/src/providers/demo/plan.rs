//! What a question asks for, and how much of it was done.

use serde_json::{Value, json};

use super::intent::{GroupRef, Intent};
use super::{chinese, english, words};
use crate::providers::{ChatMessage, ToolSpec};

/// What a question asks for, in order; nothing when it is only talk.
pub(super) fn plan(question: &str) -> Vec<Intent> {
    let mut intents = Vec::new();
    for clause in words::clauses(question) {
        let found = if words::is_chinese(&clause) {
            chinese::intents(&clause)
        } else {
            english::intents(&clause)
        };
        intents.extend(found);
    }
    intents
}

/// A call that was made.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) intent: Intent,
    pub(super) success: bool,
    pub(super) result: String,
}

/// How far a plan has come.
pub(super) struct Progress {
    /// The calls that were made, in order.
    pub(super) done: Vec<Done>,
    /// The call to make now.
    pub(super) next: Option<(&'static str, Value)>,
    /// What cannot be done: no tool for it, or what it builds on failed.
    pub(super) skipped: Vec<Intent>,
}

impl Progress {
    pub(super) fn of(plan: &[Intent], messages: &[ChatMessage], tools: &[ToolSpec]) -> Self {
        let mut results = results(messages).into_iter();
        let mut progress = Self {
            done: Vec::new(),
            next: None,
            skipped: Vec::new(),
        };
        let mut created = None;
        for intent in plan {
            let Some((name, args)) = call(intent, created) else {
                progress.skipped.push(intent.clone());
                continue;
            };
            if let Some((success, result)) = results.next() {
                if let Intent::CreateGroup(_) = intent {
                    created = words::number_after(&result, "ID=").filter(|_| success);
                }
                progress.done.push(Done {
                    intent: intent.clone(),
                    success,
                    result,
                });
            } else if tools.iter().any(|tool| tool.name == name) {
                progress.next = Some((name, args));
                break;
            } else {
                progress.skipped.push(intent.clone());
            }
        }
        progress
    }
}

fn call(intent: &Intent, created: Option<i64>) -> Option<(&'static str, Value)> {
    Some(match intent {
        Intent::CreateGroup(name) => ("create_group", json!({"name": name})),
        Intent::Invite { group, username } => {
            let id = match group {
                GroupRef::Id(id) => *id,
                GroupRef::Created => created?,
            };
            (
                "invite_member",
                json!({"group_id": id, "username": username}),
            )
        }
        Intent::JoinGroup(id) => ("join_group", json!({"group_id": id})),
        Intent::LeaveGroup(id) => ("leave_group", json!({"group_id": id})),
        Intent::MyGroups => ("get_my_groups", json!({})),
        Intent::SearchGroup(keyword) => ("search_group", json!({"keyword": keyword})),
        Intent::SearchUser(keyword) => ("search_user", json!({"keyword": keyword})),
        Intent::Contacts => ("get_contacts", json!({})),
        Intent::AddContact(username) => ("add_contact", json!({"username": username})),
        Intent::DeleteContact(username) => ("delete_contact", json!({"username": username})),
    })
}

/// What the tools answered since the question.
fn results(messages: &[ChatMessage]) -> Vec<(bool, String)> {
    let asked = messages
        .iter()
        .rposition(|message| matches!(message, ChatMessage::User(_)));
    let since = messages
        .get(asked.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    let results = since.iter().filter_map(|message| match message {
        ChatMessage::Tool { content, .. } => Some(content),
        _ => None,
    });
    results
        .map(|content| {
            let value: Value = serde_json::from_str(content).unwrap_or_default();
            let result = value["result"].as_str().unwrap_or(content);
            (value["success"] == true, result.to_owned())
        })
        .collect()
}
