//! Wrong passwords for one name from one address, 180 at once, so that hashing is all that the server does.

use serde_json::json;

use crate::attack::{flood::keep_going, kind::Prepared, stage::Stage};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let victim = stage.account().await?;
    let rest = stage.rest().clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(180, until, |number| {
            let (rest, tally, name) = (rest.clone(), tally.clone(), victim.username.clone());
            async move {
                let name = if number % 2 == 0 {
                    name
                } else {
                    format!("nobody-{number}")
                };
                let body = json!({"username": name, "password": format!("guess {number}")});
                match rest.status("user/login", "", &body).await {
                    Ok(status) => tally.count(status),
                    Err(_) => tally.count("failed"),
                }
            }
        })
        .await;
    }))
}
