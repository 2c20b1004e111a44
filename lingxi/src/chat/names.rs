//! What conversations are called.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chat::talk::Talk;

/// Conversations whose names are kept in mind.
const MOST: usize = 10_000;

/// The other side of private conversations, and the names of groups, by the conversations' keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    of: BTreeMap<String, String>,
}

impl Names {
    /// Learns from whatever says it: a frame, a row of a list, a group.
    pub(super) fn learn(&mut self, me: &str, said: &Value) {
        let Some(conversation) = said["conversation"].as_str() else {
            return;
        };
        let name = match conversation.starts_with("g:") {
            true => said["changes"]["name"].as_str().or(said["name"].as_str()),
            false => match (said["from"].as_str(), said["to"].as_str()) {
                (Some(from), Some(to)) => Some(if from == me { to } else { from }),
                _ => said["username"].as_str(),
            },
        };
        let known = self.of.len() < MOST || self.of.contains_key(conversation);
        if let Some(name) = name.filter(|_| known) {
            self.of.insert(conversation.to_owned(), name.to_owned());
        }
    }

    /// Learns from a list of conversations or groups.
    pub(super) fn learn_all(&mut self, me: &str, answer: &Value) {
        let lists = [&answer["conversations"], &answer["groups"]];
        for said in lists.into_iter().filter_map(Value::as_array).flatten() {
            self.learn(me, said);
        }
        self.learn(me, answer);
    }

    /// What a conversation is called, if that is known.
    pub(super) fn of(&self, conversation: &str) -> Option<&str> {
        self.of.get(conversation).map(String::as_str)
    }

    /// Whom one talks to in a conversation, if that is known.
    pub(super) fn talk(&self, conversation: &str) -> Option<Talk> {
        match conversation.strip_prefix("g:") {
            Some(id) => id.parse().ok().map(Talk::Group),
            None => self
                .of(conversation)
                .map(|name| Talk::User(name.to_owned())),
        }
    }
}
