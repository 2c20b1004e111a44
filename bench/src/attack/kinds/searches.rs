//! Searches for what is in the middle of names, sixteen at once, by one account.

use crate::attack::{flood::keep_going, kind::Prepared, stage::Stage};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    let rest = stage.rest().clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(16, until, |number| {
            let (rest, tally, token) = (rest.clone(), tally.clone(), account.token.clone());
            async move {
                let path = [
                    "user/search?keyword=e&limit=200",
                    "group/search?keyword=ench&limit=200",
                ][number % 2];
                match rest.get_status(path, &token).await {
                    Ok(status) => tally.count(status),
                    Err(_) => tally.count("failed"),
                }
            }
        })
        .await;
    }))
}
