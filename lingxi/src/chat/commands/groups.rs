//! Groups.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::command::{Command, Context, Done, Then, message_of, some};
use crate::chat::server::Refused;
use crate::chat::talk::Talk;
use crate::chat::text;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "groups",
        takes: "",
        about: "the groups that you are in",
        run: |context, _| groups(context).boxed(),
        show: show_groups,
    },
    Command {
        name: "create",
        takes: "NAME",
        about: "makes a group and goes there",
        run: |context, typed| create(context, typed).boxed(),
        show: |body| vec![format!("group {} is yours", body["id"])],
    },
    Command {
        name: "join",
        takes: "ID|CODE",
        about: "joins a group, by its id or a link's code",
        run: |context, typed| join(context, typed).boxed(),
        show: message_of,
    },
    Command {
        name: "leave",
        takes: "",
        about: "leaves this group",
        run: |context, _| leave(context).boxed(),
        show: message_of,
    },
    Command {
        name: "invite",
        takes: "NAME",
        about: "takes a user into this group",
        run: |context, typed| invite(context, typed).boxed(),
        show: message_of,
    },
    Command {
        name: "members",
        takes: "",
        about: "who is in this group",
        run: |context, _| members(context).boxed(),
        show: show_members,
    },
];

async fn groups(context: Context) -> Result<Done, Refused> {
    Done::found(context.rest.get("group/mygroups", &[]).await?)
}

async fn create(context: Context, typed: String) -> Result<Done, Refused> {
    let name = some(&typed, "a name, as in /create Rust")?;
    let body = json!({"name": name});
    let made = context.rest.post("group/create", &body).await?;
    let id = made["id"].as_i64().unwrap_or_default();
    Done::and(made, Then::Talk(Talk::Group(id)))
}

async fn join(context: Context, typed: String) -> Result<Done, Refused> {
    let which = some(&typed, "a group's id or a link's code")?;
    let body = match which.parse::<i64>() {
        Ok(id) => json!({"group_id": id}),
        Err(_) => json!({"code": which}),
    };
    let joined = context.rest.post("group/join", &body).await?;
    match (joined["state"].as_str(), joined["group_id"].as_i64()) {
        (Some("joined"), Some(id)) => Done::and(joined, Then::Talk(Talk::Group(id))),
        _ => Done::found(joined),
    }
}

async fn leave(context: Context) -> Result<Done, Refused> {
    let body = json!({"group_id": context.group()?});
    Done::found(context.rest.post("group/leave", &body).await?)
}

async fn invite(context: Context, typed: String) -> Result<Done, Refused> {
    let name = some(&typed, "a username, as in /invite bob")?;
    let body = json!({"group_id": context.group()?, "target_username": name});
    Done::found(context.rest.post("group/invite", &body).await?)
}

async fn members(context: Context) -> Result<Done, Refused> {
    let id = context.group()?.to_string();
    let query = [("group_id", id.as_str())];
    Done::found(context.rest.get("group/members", &query).await?)
}

fn show_groups(body: &Value) -> Vec<String> {
    rows(body, "groups", |group| {
        let name = group["name"].as_str().unwrap_or_default();
        let (id, count) = (&group["id"], &group["member_count"]);
        format!("{id}  {}, {count} members", text::line(name))
    })
}

fn show_members(body: &Value) -> Vec<String> {
    rows(body, "members", |member| {
        let of = |field: &str| text::line(member[field].as_str().unwrap_or_default());
        format!("{}, {}", of("username"), of("role"))
    })
}

/// The rows of a list.
pub(super) fn rows(body: &Value, list: &str, row: impl Fn(&Value) -> String) -> Vec<String> {
    let rows = body[list].as_array().into_iter().flatten();
    let mut rows: Vec<String> = rows.map(|value| format!("  {}", row(value))).collect();
    if rows.is_empty() {
        rows.push("  nobody and nothing".to_owned());
    }
    if body["has_more"] == true {
        rows.push("  and more".to_owned());
    }
    rows
}
