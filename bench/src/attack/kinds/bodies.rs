//! `POST user/login` announces a body of 1 MiB, sends 960 KiB of it as far as it is taken, and falls silent: hardening's
//! first line. No account is needed.

use crate::attack::{connection::Connection, flood::keep_going, kind::Prepared, stage::Stage};

/// Connections at once: what a stranger's machine has without effort.
const CONNECTIONS: usize = 900;
const HEAD: &str = "POST /api/v1/user/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
     Content-Length: 1048576\r\n\r\n";

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let endpoint = stage.endpoint.clone();
    Ok(Prepared::new(async move |until, tally| {
        let piece: &'static [u8] = vec![b' '; 64 * 1024].leak();
        keep_going(CONNECTIONS, until, |_| {
            let (endpoint, tally) = (endpoint.clone(), tally.clone());
            async move {
                let Ok(mut connection) = Connection::open(&endpoint).await else {
                    tally.count("refused");
                    return;
                };
                let mut taken = connection.write(HEAD.as_bytes(), until).await;
                for _ in 0..15 {
                    taken = taken && connection.write(piece, until).await;
                }
                tally.count(if taken { "taken" } else { "cut" });
                if let Some(status) = connection.status(until).await {
                    tally.count(status);
                }
                if connection.is_closed_before(until).await {
                    tally.count("closed");
                }
            }
        })
        .await;
    }))
}
