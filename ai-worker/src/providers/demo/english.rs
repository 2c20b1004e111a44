//! What an English clause asks for.

use super::intent::{GroupRef, Intent};
use super::words::{behind, find_word, first_number, has, names, quoted, trimmed};

const LIST: &[&str] = &[
    "list", "show", "what", "which", "see", "get", "my", "all", "view", "display", "have",
];
const SEARCH: &[&str] = &["search", "find", "look for", "look up", "lookup"];
/// Words around a username that are none.
const AROUND: &[&str] = &[
    "a", "an", "the", "and", "or", "to", "into", "in", "from", "for", "with", "as", "of", "my",
    "me", "your", "our", "it", "this", "that", "them", "please", "then", "also", "user", "users",
    "username", "person", "people", "named", "called", "contact", "contacts", "friend", "friends",
    "list", "group", "groups", "chat", "join", "new", "add", "invite", "remove", "delete",
    "search", "find", "look", "up", "by", "name", "can", "could", "you", "would", "i", "want",
    "like", "is", "there", "any", "someone", "account",
];

/// What one clause asks for; a list of people makes one intent each.
pub(super) fn intents(clause: &str) -> Vec<Intent> {
    let lower = clause.to_ascii_lowercase();
    let group = has(&lower, &["group", "groups", "group chat"]);
    let contact = has(&lower, &["contact", "contacts", "friend", "friends"]);
    if has(
        &lower,
        &["create", "make", "start", "open", "set up", "build", "new"],
    ) && group
    {
        return group_name(clause, &lower)
            .map(Intent::CreateGroup)
            .into_iter()
            .collect();
    }
    if has(&lower, &["add"]) && contact {
        let people = behind(clause, &lower, &["add"]).unwrap_or(clause);
        return people_of(people).map(Intent::AddContact).collect();
    }
    if has(&lower, &["remove", "delete", "unfriend"]) && (contact || has(&lower, &["unfriend"])) {
        let people = behind(clause, &lower, &["remove", "delete", "unfriend"]).unwrap_or(clause);
        return people_of(people).map(Intent::DeleteContact).collect();
    }
    if has(&lower, &["invite"])
        || (has(&lower, &["add"]) && (group || has(&lower, &["to it", "to that"])))
    {
        return invitations(clause, &lower);
    }
    if has(&lower, &["leave", "quit", "exit"]) {
        return first_number(clause)
            .map(Intent::LeaveGroup)
            .into_iter()
            .collect();
    }
    if let Some(rest) = behind(clause, &lower, &["join"]) {
        let id = first_number(rest).map(Intent::JoinGroup);
        let by_name = || keyword(rest).filter(|_| group).map(Intent::SearchGroup);
        return id.or_else(by_name).into_iter().collect();
    }
    if let Some(rest) = behind(clause, &lower, SEARCH) {
        let intent = if group {
            Intent::SearchGroup
        } else {
            Intent::SearchUser
        };
        return keyword(rest).map(intent).into_iter().collect();
    }
    if has(&lower, LIST) && has(&lower, &["groups"]) {
        return vec![Intent::MyGroups];
    }
    if has(&lower, LIST) && has(&lower, &["contacts", "friends", "contact list"]) {
        return vec![Intent::Contacts];
    }
    Vec::new()
}

fn group_name(clause: &str, lower: &str) -> Option<String> {
    if let Some(name) = quoted(clause) {
        return Some(name);
    }
    if let Some(name) = behind(
        clause,
        lower,
        &[
            "called",
            "named",
            "titled",
            "name it",
            "with the name",
            "name",
        ],
    ) {
        return trimmed(name);
    }
    let at = find_word(lower, "group")?;
    let after = clause.get(at + "group".len()..).and_then(trimmed);
    let after = after.map(|name| {
        name.strip_prefix("chat ")
            .map_or(name.clone(), str::to_owned)
    });
    if let Some(name) = after.filter(|name| !AROUND.contains(&name.to_ascii_lowercase().as_str())) {
        return Some(name);
    }
    let before = behind(
        clause.get(..at)?,
        lower.get(..at)?,
        &["a", "an", "new", "the", "create", "make"],
    )?;
    let before = before.strip_prefix("new ").unwrap_or(before);
    trimmed(before).filter(|name| !AROUND.contains(&name.to_ascii_lowercase().as_str()))
}

fn invitations(clause: &str, lower: &str) -> Vec<Intent> {
    let people = behind(clause, lower, &["invite", "add"]).unwrap_or(clause);
    let people_lower = people.to_ascii_lowercase();
    // "bob and carol to group 42"
    let cut = ["to", "into", "in"]
        .iter()
        .filter_map(|word| find_word(&people_lower, word))
        .min();
    let (who, place) = people.split_at(cut.unwrap_or(people.len()));
    let group = first_number(place).map_or(GroupRef::Created, GroupRef::Id);
    people_of(who)
        .map(|username| Intent::Invite { group, username })
        .collect()
}

fn people_of(text: &str) -> impl Iterator<Item = String> {
    names(text, AROUND).into_iter()
}

fn keyword(text: &str) -> Option<String> {
    quoted(text).or_else(|| {
        let left = names(text, AROUND);
        (!left.is_empty()).then(|| left.join(" "))
    })
}
