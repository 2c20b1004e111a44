//! Questions to the assistant in a loop by one account; nobody reads the answers.

use serde_json::json;

use crate::attack::{flood::keep_going, kind::Prepared, stage::Stage};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    let rest = stage.rest().clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(32, until, |number| {
            let (rest, tally, token) = (rest.clone(), tally.clone(), account.token.clone());
            async move {
                let body = json!({"message": format!("tell me about the number {number}")});
                match rest.status("ai/chat", &token, &body).await {
                    Ok(status) => tally.count(status),
                    Err(_) => tally.count("failed"),
                }
            }
        })
        .await;
    }))
}
