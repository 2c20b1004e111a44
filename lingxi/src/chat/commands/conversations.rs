//! Conversations: going to one, and what was said in them.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::command::{Command, Context, Done, Then, nothing, number, some};
use super::groups::rows;
use super::messages::{line, lines};
use crate::chat::server::Refused;
use crate::chat::talk::Talk;
use crate::chat::text;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "to",
        takes: "NAME",
        about: "talks to a user from now on",
        run: |context, typed| to(context, typed).boxed(),
        show: nothing,
    },
    Command {
        name: "group",
        takes: "ID",
        about: "talks in a group from now on",
        run: |context, typed| group(context, typed).boxed(),
        show: nothing,
    },
    Command {
        name: "list",
        takes: "",
        about: "your conversations, with what you have not read",
        run: |context, _| list(context).boxed(),
        show: show_list,
    },
    Command {
        name: "history",
        takes: "[COUNT]",
        about: "what was said last here",
        run: |context, typed| history(context, typed).boxed(),
        show: lines,
    },
    Command {
        name: "read",
        takes: "",
        about: "marks everything here as read",
        run: |context, _| read(context).boxed(),
        show: |body| vec![format!("read up to {}", body["read_seq"])],
    },
];

async fn to(context: Context, typed: String) -> Result<Done, Refused> {
    let name = some(&typed, "a username, as in /to bob")?;
    let user = context.rest.get("user/info", &[("username", name)]).await?;
    let name = user["username"].as_str().unwrap_or(name).to_owned();
    Done::and(user, Then::Talk(Talk::User(name)))
}

async fn group(context: Context, typed: String) -> Result<Done, Refused> {
    let id = number(&typed, "a group's id, as in /group 42; /groups lists yours")?;
    let id_text = id.to_string();
    let query = [("group_id", id_text.as_str())];
    let group = context.rest.get("group/info", &query).await?;
    if group["role"].is_null() {
        return Err(Refused::new(
            "not_member",
            format!("you are not in this group; /join {id} joins it"),
        ));
    }
    Done::and(group, Then::Talk(Talk::Group(id)))
}

async fn list(context: Context) -> Result<Done, Refused> {
    Done::found(context.rest.get("message/conversations", &[]).await?)
}

async fn history(context: Context, typed: String) -> Result<Done, Refused> {
    let count = match typed.trim() {
        "" => 20,
        typed => number(typed, "how many messages, 1 to 200")?.min(200),
    };
    let (of, whom) = context.talk()?.query();
    let count = count.to_string();
    let query = [(of, whom.as_str()), ("limit", &count)];
    let page = context.rest.get("message/history", &query).await?;
    // Whoever looks at them has read them.
    let last = page["messages"].as_array().and_then(|all| all.last());
    let read = last.and_then(|last| {
        Some(Then::Read {
            conversation: last["conversation"].as_str()?.to_owned(),
            seq: last["seq"].as_u64()?,
        })
    });
    Ok(Done {
        body: Some(page),
        then: read,
    })
}

async fn read(context: Context) -> Result<Done, Refused> {
    let body = match context.talk()? {
        Talk::User(name) => json!({"username": name}),
        Talk::Group(id) => json!({"group_id": id}),
    };
    Done::found(context.rest.post("message/read", &body).await?)
}

fn show_list(body: &Value) -> Vec<String> {
    rows(body, "conversations", |row| {
        let whom = match row["group_id"].as_i64() {
            Some(id) => format!("{} (/group {id})", row["name"].as_str().unwrap_or_default()),
            None => row["username"].as_str().unwrap_or_default().to_owned(),
        };
        let unread = match row["unread"].as_u64() {
            None | Some(0) => String::new(),
            Some(999..) => " [999+]".to_owned(),
            Some(unread) => format!(" [{unread}]"),
        };
        let last = &row["last_message"];
        let last = if last.is_null() {
            String::new()
        } else {
            line(last)
        };
        format!("{}{unread}  {}", text::line(&whom), text::line(&last))
    })
}
