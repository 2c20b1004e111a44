//! Fetching what was not pushed.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use super::cursors::Pull;
use crate::chat::frame::Frame;
use crate::chat::names::Names;
use crate::chat::server::{Refused, Rest};
use crate::chat::talk::Talk;

/// Pages that are asked for at once.
const AT_ONCE: usize = 2;
/// The longest wait before a page is asked for again.
const LONGEST: Duration = Duration::from_secs(15);

/// Pages of conversations, fetched one after the other. A server that is away is asked until it is back.
#[derive(Default)]
pub(super) struct Fetch {
    waiting: VecDeque<Pull>,
    running: JoinSet<Page>,
}

/// What a page has, in the order of `seq`.
pub(super) struct Page {
    pub(super) pull: Pull,
    pub(super) entries: Vec<Frame>,
    pub(super) has_more: bool,
}

impl Fetch {
    /// Fetches this too.
    pub(super) fn add(&mut self, pull: Pull) {
        self.waiting.push_back(pull);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Begins what waits, as far as there is room.
    pub(super) fn begin(&mut self, rest: &Rest, me: &str, names: &Names) {
        while self.running.len() < AT_ONCE
            && let Some(pull) = self.waiting.pop_front()
        {
            let (rest, me, talk) = (rest.clone(), me.to_owned(), names.talk(&pull.conversation));
            self.running.spawn(page(rest, me, talk, pull));
        }
    }

    /// The next page that came; none while nothing is asked for. Nothing is lost when this is dropped.
    pub(super) async fn next(&mut self) -> Option<Page> {
        self.running.join_next().await?.ok()
    }
}

async fn page(rest: Rest, me: String, mut talk: Option<Talk>, pull: Pull) -> Page {
    let mut wait = Duration::from_millis(300);
    loop {
        let asked = async {
            if talk.is_none() {
                talk = Some(look_up(&rest, &me, &pull.conversation).await?);
            }
            let (of, whom) = talk.as_ref().map(Talk::query).unwrap_or_default();
            let after = pull.after.to_string();
            let query = [
                (of, whom.as_str()),
                ("entries", "all"),
                ("limit", "200"),
                ("after", &after),
            ];
            rest.get("message/history", &query).await
        };
        match asked.await {
            Ok(mut page) => {
                let entries = match page["messages"].take() {
                    Value::Array(entries) => entries.into_iter().map(Frame::from).collect(),
                    _ => Vec::new(),
                };
                let has_more = page["has_more"] == true;
                return Page {
                    pull,
                    entries,
                    has_more,
                };
            }
            // What is no Lingxi server's answer is that of something in between.
            Err(why) if why.may_pass() || why.code == "not_lingxi" => {
                tokio::time::sleep(wait).await;
                wait = LONGEST.min(wait * 2);
            }
            // There is nothing for this user to see.
            Err(_) => {
                return Page {
                    pull,
                    entries: Vec::new(),
                    has_more: false,
                };
            }
        }
    }
}

/// Whose conversation it is, from the list of all.
async fn look_up(rest: &Rest, me: &str, conversation: &str) -> Result<Talk, Refused> {
    let mut before = None;
    loop {
        let query: Vec<(&str, &str)> = before
            .iter()
            .map(|at: &String| ("before", at.as_str()))
            .collect();
        let page = rest.get("message/conversations", &query).await?;
        let mut names = Names::default();
        names.learn_all(me, &page);
        if let Some(talk) = names.talk(conversation) {
            return Ok(talk);
        }
        let rows = page["conversations"].as_array();
        let last = rows
            .and_then(|rows| rows.last())
            .and_then(|row| row["last_time"].as_u64());
        match last.filter(|_| page["has_more"] == true) {
            Some(last) => before = Some(last.to_string()),
            None => return Err(Refused::new("not_found", "there is no such conversation")),
        }
    }
}
