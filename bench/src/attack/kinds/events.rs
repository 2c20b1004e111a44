//! A run is followed from ids that it never gave out: of another generation, beyond its end, inside of a character.

use serde_json::json;

use crate::attack::{
    connection::Connection, flood::keep_going, kind::Prepared, kinds::followers::run_of,
    stage::Stage,
};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    let endpoint = stage.endpoint.clone();
    let body = json!({"message": "天气怎么样? 请多说一些。"});
    let run = run_of(&stage.rest().begin("ai/chat", &account.token, &body).await?)?;
    Ok(Prepared::new(async move |until, tally| {
        keep_going(8, until, |number| {
            let (endpoint, tally) = (endpoint.clone(), tally.clone());
            let wrong = [7_i64 << 32, (1 << 32) | 2, (1 << 32) | 0xffff_fff0, (1 << 52) | 5];
            let request = format!(
                "GET /api/v1/ai/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
                 Last-Event-ID: {}\r\n\r\n",
                account.token,
                wrong[number % wrong.len()]
            );
            async move {
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                connection.write(request.as_bytes(), until).await;
                match connection.status(until).await {
                    Some(200) => {
                        tally.count(200);
                        connection.is_closed_before(until).await;
                    }
                    Some(status) => tally.count(status),
                    None => tally.count("closed"),
                }
            }
        })
        .await;
    }))
}
