//! Files: sending one, and keeping one that came.

use std::path::Path;

use futures_util::FutureExt as _;
use lingxi_domain::limits;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::command::{Command, Context, Done, Then, nothing, some, word};
use crate::chat::server::Refused;

/// What a server takes.
const LARGEST: u64 = limits::MAX_FILE_BYTES as u64;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "send",
        takes: "PATH",
        about: "sends a file, of up to 20 MiB",
        run: |context, typed| send(context, typed).boxed(),
        show: nothing,
    },
    Command {
        name: "save",
        takes: "ID PATH",
        about: "keeps a file that came, under a path that is free",
        run: |context, typed| save(context, typed).boxed(),
        show: |body| vec![format!("{} bytes saved", body["bytes"])],
    },
];

async fn send(context: Context, typed: String) -> Result<Done, Refused> {
    let path = Path::new(some(&typed, "a file's path, as in /send photo.jpg")?);
    context.talk()?;
    let failed =
        |error: std::io::Error| Refused::new("usage", format!("{}: {error}", path.display()));
    let found = tokio::fs::metadata(path).await.map_err(failed)?;
    if !found.is_file() {
        return Err(Refused::usage(format!("{} is no file", path.display())));
    }
    if found.len() > LARGEST {
        let message = format!("{} is larger than {LARGEST} bytes", path.display());
        return Err(Refused::new("too_large", message));
    }
    let part = Part::file(path).await.map_err(failed)?;
    let request = context.rest.request(Method::POST, "file/upload", &[]);
    let request = request.multipart(Form::new().part("file", part));
    let answer = context.rest.open(request).await?;
    let file = context.rest.json(answer).await?;
    let fields = json!({"file": file["id"], "content": ""});
    Done::and(file, Then::Send(fields))
}

async fn save(context: Context, typed: String) -> Result<Done, Refused> {
    let (id, path) = word(&typed);
    let path = some(path, "a file's id and a path, as in /save 17 photo.jpg")?;
    if id.is_empty()
        || !id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    {
        return Err(Refused::usage(
            "expected a file's id, which is in its message",
        ));
    }
    let failed = |error: std::io::Error| Refused::new("usage", format!("{path}: {error}"));
    let request = context
        .rest
        .request(Method::GET, &format!("file/{id}"), &[]);
    let mut answer = context.rest.open(request).await?;
    // What is there already stays.
    let mut options = tokio::fs::OpenOptions::new();
    let made = options.write(true).create_new(true).open(path).await;
    let mut file = made.map_err(failed)?;
    let mut bytes = 0;
    let written = async {
        while let Some(part) = answer.chunk().await.map_err(std::io::Error::other)? {
            bytes += part.len();
            file.write_all(&part).await?;
        }
        file.flush().await
    };
    if let Err(error) = written.await {
        let _ = tokio::fs::remove_file(path).await;
        return Err(failed(error));
    }
    Done::found(json!({"bytes": bytes, "path": path}))
}
