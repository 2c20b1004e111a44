//! One run is followed and left, again and again, on new connections.

use anyhow::Context as _;
use serde_json::json;

use crate::attack::{connection::Connection, flood::keep_going, kind::Prepared, stage::Stage};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    let endpoint = stage.endpoint.clone();
    let body = json!({"message": "tell me a long story"});
    let run = run_of(&stage.rest().begin("ai/chat", &account.token, &body).await?)?;
    let request: &'static str = format!(
        "GET /api/v1/ai/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        account.token
    )
    .leak();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(32, until, |_| {
            let (endpoint, tally) = (endpoint.clone(), tally.clone());
            async move {
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                connection.write(request.as_bytes(), until).await;
                match connection.status(until).await {
                    Some(status) => tally.count(status),
                    None => tally.count("closed"),
                }
            }
        })
        .await;
    }))
}

/// The run that a stream of events names first.
pub(super) fn run_of(events: &str) -> anyhow::Result<String> {
    let behind = events
        .split_once(r#""run_id":""#)
        .context("no run was named")?
        .1;
    let run = behind.split('"').next().unwrap_or_default();
    Ok(run.to_owned())
}
