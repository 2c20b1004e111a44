//! Messages: answering, changing and finding them, and how they look.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::command::{Command, Context, Done, Then, message_of, nothing, some, word};
use crate::chat::server::Refused;
use crate::chat::text;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "reply",
        takes: "ID TEXT",
        about: "answers a message; ^ is the last one, here and below",
        run: |context, typed| reply(context, typed).boxed(),
        show: nothing,
    },
    Command {
        name: "edit",
        takes: "ID TEXT",
        about: "changes a message of yours, for 15 minutes",
        run: |context, typed| edit(context, typed).boxed(),
        show: nothing,
    },
    Command {
        name: "recall",
        takes: "ID",
        about: "takes a message of yours back, for 2 minutes",
        run: |context, typed| recall(context, typed).boxed(),
        show: message_of,
    },
    Command {
        name: "react",
        takes: "ID EMOJI",
        about: "reacts to a message, or no longer",
        run: |context, typed| react(context, typed).boxed(),
        show: nothing,
    },
    Command {
        name: "search",
        takes: "WORDS",
        about: "finds messages in all your conversations",
        run: |context, typed| search(context, typed).boxed(),
        show: found,
    },
];

async fn reply(context: Context, typed: String) -> Result<Done, Refused> {
    let (id, content) = word(&typed);
    let id = context.message(id)?;
    let content = some(content, "what to answer, as in /reply ^ indeed")?;
    context.talk()?;
    Done::then(Then::Send(json!({"reply_to": id, "content": content})))
}

async fn edit(context: Context, typed: String) -> Result<Done, Refused> {
    let (id, content) = word(&typed);
    let id = context.message(id)?;
    let content = some(content, "the new text, as in /edit ^ hi all")?;
    let body = json!({"id": id, "content": content});
    Done::found(context.rest.put("message/edit", &body).await?)
}

async fn recall(context: Context, typed: String) -> Result<Done, Refused> {
    let id = context.message(typed.trim())?;
    Done::found(
        context
            .rest
            .post("message/recall", &json!({"id": id}))
            .await?,
    )
}

async fn react(context: Context, typed: String) -> Result<Done, Refused> {
    let (id, emoji) = word(&typed);
    let id = context.message(id)?;
    let emoji = some(
        emoji,
        "an emoji, as in /react ^ 👍; /react ^ -👍 takes it back",
    )?;
    let (emoji, on) = match emoji.strip_prefix('-') {
        Some(emoji) => (emoji, false),
        None => (emoji, true),
    };
    let body = json!({"id": id, "emoji": emoji, "on": on});
    Done::found(context.rest.post("message/react", &body).await?)
}

async fn search(context: Context, typed: String) -> Result<Done, Refused> {
    let words = some(&typed, "what to search for, as in /search lunch")?;
    let query = [("keyword", words)];
    Done::found(context.rest.get("message/search", &query).await?)
}

/// A list of messages.
pub(super) fn lines(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = messages.flat_map(|message| shown("  ", message)).collect();
    if lines.is_empty() {
        lines.push("  nothing".to_owned());
    }
    lines
}

/// What a search found, and where it was said.
fn found(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = messages
        .flat_map(|message| {
            let of = |field: &str| text::line(message[field].as_str().unwrap_or_default());
            let place = match message["group_id"].as_i64() {
                Some(id) => format!("group {id}"),
                None => format!("{} → {}", of("from"), of("to")),
            };
            shown(&format!("  [{place}] "), message)
        })
        .collect();
    if lines.is_empty() {
        lines.push("  nothing".to_owned());
    }
    if body["has_more"] == true {
        lines.push("  and more, further back".to_owned());
    }
    if body["indexing"] == true {
        lines.push("  some messages cannot be found yet".to_owned());
    }
    lines
}

/// A message's text in one line, for lists.
pub(super) fn line(message: &Value) -> String {
    shown("", message).into_iter().next().unwrap_or_default()
}

/// A message: who said what, what it answers, what is attached, and its id.
pub(in super::super) fn shown(begin: &str, message: &Value) -> Vec<String> {
    let of = |field: &str| message[field].as_str().unwrap_or_default();
    let mut lines = Vec::new();
    if let Some(content) = message["reply_to"]["content"].as_str() {
        let from = message["reply_to"]["from"].as_str().unwrap_or_default();
        let quoted = text::line(&content.replace('\n', " "));
        lines.push(format!("{begin}  > {}: {quoted}", text::line(from)));
    }
    let mut content = of("content").to_owned();
    if message["recalled"] == true {
        content = "(recalled)".to_owned();
    }
    let file = &message["file"];
    if file.is_object() {
        let name = file["name"].as_str().unwrap_or("file");
        let id = file["id"]
            .as_str()
            .map_or_else(|| file["id"].to_string(), str::to_owned);
        let attached = format!("[file {id}: {name}, {} bytes]", file["size"]);
        content = format!("{attached} {content}").trim_end().to_owned();
    }
    lines.extend(text::block(
        &format!("{begin}{}: ", text::line(of("from"))),
        &content,
    ));
    let mut marks = vec![format!("#{}", message["id"])];
    if !message["edited_at"].is_null() {
        marks.push("edited".to_owned());
    }
    let reactions = message["reactions"].as_array().into_iter().flatten();
    marks.extend(reactions.map(|reaction| {
        let emoji = text::line(reaction["emoji"].as_str().unwrap_or_default());
        format!("{emoji} {}", reaction["count"])
    }));
    if let Some(last) = lines.last_mut() {
        last.push_str(&format!("  ({})", marks.join(", ")));
    }
    lines
}
