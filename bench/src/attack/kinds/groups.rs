//! Groups made in a loop by one account, and the list of them asked for without being read.

use serde_json::json;

use crate::attack::{connection::Connection, flood::keep_going, kind::Prepared, stage::Stage};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    let (endpoint, rest) = (stage.endpoint.clone(), stage.rest().clone());
    let list: &'static str = format!(
        "GET /api/v1/group/mygroups?limit=200 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        account.token
    )
    .leak();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(40, until, |number| {
            let (endpoint, rest, tally) = (endpoint.clone(), rest.clone(), tally.clone());
            let token = account.token.clone();
            async move {
                if number % 20 != 0 {
                    let body = json!({"name": format!("group {number}")});
                    match rest.status("group/create", &token, &body).await {
                        Ok(status) => tally.count(format!("create {status}")),
                        Err(_) => tally.count("create failed"),
                    }
                    return;
                }
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                connection.write(list.as_bytes(), until).await;
                if let Some(status) = connection.status(until).await {
                    tally.count(format!("list {status}"));
                }
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        })
        .await;
    }))
}
