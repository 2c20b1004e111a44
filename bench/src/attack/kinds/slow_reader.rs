//! An account writes itself messages of control characters, which JSON escapes six-fold, asks for pages of 200 of them on many
//! connections, and reads none. Also with HTTP/2's preface, whose streams have windows of their own.

use crate::attack::{
    connection::Connection, flood::keep_going, kind::Prepared, kinds::escapes::fill, stage::Stage,
};

const CONNECTIONS: usize = 200;

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    fill(stage, &account, &account.username, 200).await?;
    let endpoint = stage.endpoint.clone();
    let request = format!(
        "GET /api/v1/message/history?username={}&limit=200 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        account.username, account.token
    );
    let request: &'static str = request.leak();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(CONNECTIONS, until, |number| {
            let (endpoint, tally) = (endpoint.clone(), tally.clone());
            async move {
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                if number % 20 == 0 {
                    connection
                        .write(
                            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
                            until,
                        )
                        .await;
                    tally.count("http2");
                    connection.is_closed_before(until).await;
                    return;
                }
                // Several in a row: a pipeline must not make the server hold several answers.
                for _ in 0..4 {
                    connection.write(request.as_bytes(), until).await;
                }
                match connection.status(until).await {
                    Some(status) => tally.count(status),
                    None => tally.count("closed"),
                }
                tokio::time::sleep_until(until).await;
            }
        })
        .await;
    }))
}
