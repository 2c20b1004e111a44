//! Messages as fast as they go, with a new socket after every 60: a limit of each socket would be none.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{
    attack::{
        flood::{Tally, keep_going},
        kind::Prepared,
        stage::Stage,
    },
    client::{Account, Endpoint, Frame, Received, Socket},
};

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let account = stage.account().await?;
    let endpoint = stage.endpoint.clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(8, until, |number| {
            let (endpoint, account, tally) = (endpoint.clone(), account.clone(), tally.clone());
            async move { burst(&endpoint, &account, number, &tally).await }
        })
        .await;
    }))
}

async fn burst(endpoint: &Endpoint, account: &Account, number: usize, tally: &Tally) {
    let Ok(mut socket) = Socket::connect(endpoint, &account.token, 0).await else {
        tally.count("refused");
        tokio::time::sleep(Duration::from_millis(20)).await;
        return;
    };
    tally.count("sockets");
    for message in 0..60 {
        let text = format!(
            r#"{{"type":2,"msg_id":"f{number}-{message}","to":"{}","content":"spam"}}"#,
            account.username
        );
        socket.outbox.text(text.as_bytes());
    }
    let deadline = Instant::now() + Duration::from_millis(500);
    let mut answered = 0;
    while answered < 60 && Instant::now() < deadline {
        let mut timer = pin!(sleep_until(deadline));
        if socket.flush().is_err() || socket.wait(timer.as_mut()).await.is_err() {
            return;
        }
        let read = socket.receive(|received, _| {
            if let Received::Text(text) = received
                && let Some(frame) = Frame::scan(text)
                && frame.kind == 3
            {
                answered += 1;
                tally.count(String::from_utf8_lossy(frame.status));
            }
        });
        if read.is_err() {
            return;
        }
    }
}
