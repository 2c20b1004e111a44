//! Methods that nobody knows, each another one and some of them long: a label of metrics and a line of the log that a stranger
//! chooses.

use crate::attack::{connection::Connection, flood::keep_going, kind::Prepared, stage::Stage};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let endpoint = stage.endpoint.clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(16, until, |number| {
            let (endpoint, tally) = (endpoint.clone(), tally.clone());
            async move {
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                for request in 0..50 {
                    let long = "A".repeat([4, 4, 4, 8_000][request % 4]);
                    let text = format!(
                        "{long}{number:06}{request:02} /api/v1/user/me HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    );
                    if !connection.write(text.as_bytes(), until).await {
                        tally.count("cut");
                        return;
                    }
                    match connection.status(until).await {
                        Some(status) => tally.count(status),
                        None => return tally.count("closed"),
                    }
                }
            }
        })
        .await;
    }))
}
