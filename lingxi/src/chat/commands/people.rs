//! People.

use futures_util::FutureExt as _;
use lingxi_domain::limits;
use serde_json::{Value, json};

use super::command::{Command, Context, Done, Then, message_of, nothing, some};
use super::groups::rows;
use crate::chat::server::Refused;
use crate::chat::text;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "contacts",
        takes: "",
        about: "your contacts",
        run: |context, _| contacts(context).boxed(),
        show: show_contacts,
    },
    Command {
        name: "add",
        takes: "NAME",
        about: "makes a user a contact of yours",
        run: |context, typed| add(context, typed).boxed(),
        show: message_of,
    },
    Command {
        name: "who",
        takes: "[NAME…]",
        about: "who is online, of these or of your contacts, from now on",
        run: |context, typed| who(context, typed).boxed(),
        show: nothing,
    },
];

async fn contacts(context: Context) -> Result<Done, Refused> {
    Done::found(context.rest.get("contact/list", &[]).await?)
}

async fn add(context: Context, typed: String) -> Result<Done, Refused> {
    let name = some(&typed, "a username, as in /add bob")?;
    let body = json!({"username": name});
    Done::found(context.rest.post("contact/add", &body).await?)
}

async fn who(context: Context, typed: String) -> Result<Done, Refused> {
    let mut names: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
    if names.is_empty() {
        let found = context.rest.get("contact/list", &[]).await?;
        let found = found["contacts"].as_array().into_iter().flatten();
        names.extend(
            found
                .filter_map(|c| c["username"].as_str())
                .map(str::to_owned),
        );
    }
    names.truncate(limits::MAX_WATCHED);
    Done::then(Then::Frame(json!({"type": 10, "watch": names})))
}

fn show_contacts(body: &Value) -> Vec<String> {
    rows(body, "contacts", |contact| {
        let of = |field: &str| text::line(contact[field].as_str().unwrap_or_default());
        let online = if contact["online"] == true {
            "online"
        } else {
            "away"
        };
        let (name, remark) = (of("username"), of("remark"));
        match remark.is_empty() {
            true => format!("{name}, {online}"),
            false => format!("{name} ({remark}), {online}"),
        }
    })
}
