//! `lingxi chat`: a client for the terminal, for trying the system out and for scripts.

use std::collections::HashSet;
use std::io::Write as _;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// What `lingxi chat` is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The token that login answered.
    #[arg(long, env = "LINGXI_TOKEN")]
    token: String,
    /// Whom to write to.
    #[arg(long, conflicts_with = "group")]
    to: Option<String>,
    /// Which group to write to.
    #[arg(long)]
    group: Option<i64>,
    /// A message to send; may be repeated. Ends when each has its ACK and was shown, or was refused. Without one, every
    /// line of the standard input is sent, and frames are printed until the connection ends.
    #[arg(long)]
    say: Vec<String>,
    /// Ends after this many messages from others were printed.
    #[arg(long, value_name = "COUNT")]
    expect: Option<usize>,
}

/// Connects, sends, and prints each frame as one line of JSON.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Some(rest) = arguments.url.strip_prefix("http") else {
        bail!("--url: expected http://host:port, as in http://127.0.0.1:8080");
    };
    let url = format!("ws{rest}/api/v1/ws?token={}", arguments.token);
    let (socket, _) = connect_async(url)
        .await
        .context("cannot connect; is the server running?")?;
    let (mut write, mut read) = socket.split();
    let mut own = HashSet::new();
    for text in &arguments.say {
        write
            .send(Message::text(message(&arguments, text, &mut own)?))
            .await?;
    }
    // Either may come first: while a connection catches up, messages wait for what is missing before them.
    let (mut without_ack, mut not_shown) = (own.clone(), own.clone());
    let mut expected = arguments.expect;
    let from_input =
        arguments.say.is_empty() && (arguments.to.is_some() || arguments.group.is_some());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut input_open = from_input;
    loop {
        if without_ack.is_empty()
            && not_shown.is_empty()
            && expected.is_none_or(|n| n == 0)
            && (!arguments.say.is_empty() || expected.is_some())
        {
            // The close frame goes behind the receipts; what it is answered with ends the loop.
            write.close().await?;
            while let Some(Ok(_)) = read.next().await {}
            return Ok(());
        }
        tokio::select! {
            frame = read.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    show(&text)?;
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    let msg_id = frame["msg_id"].as_str().unwrap_or_default();
                    match frame["type"].as_i64() {
                        Some(3) if frame["status"] != "received" => {
                            without_ack.remove(msg_id);
                            if frame["status"] == "failed" {
                                not_shown.remove(msg_id);
                            }
                        }
                        Some(2 | 4) if own.contains(msg_id) => {
                            not_shown.remove(msg_id);
                        }
                        Some(2 | 4) => {
                            expected = expected.map(|n| n.saturating_sub(1));
                            write.send(Message::text(receipt(&frame))).await?;
                        }
                        _ => {}
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    if let Some(frame) = frame {
                        bail!("closed by the server: {} {}", u16::from(frame.code), frame.reason);
                    }
                    return Ok(());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error).context("the connection broke"),
                None => return Ok(()),
            },
            line = lines.next_line(), if input_open => match line? {
                Some(line) if line.is_empty() => {}
                Some(line) => write.send(Message::text(message(&arguments, &line, &mut own)?)).await?,
                None => input_open = false,
            },
        }
    }
}

/// Tells the server, and the sender, that the message was shown.
fn receipt(message: &Value) -> String {
    json!({"type": 8, "conversation": message["conversation"], "seq": message["seq"], "kind": "read"}).to_string()
}

fn message(
    arguments: &Arguments,
    content: &str,
    own: &mut HashSet<String>,
) -> anyhow::Result<String> {
    let msg_id = uuid::Uuid::new_v4().to_string();
    own.insert(msg_id.clone());
    Ok(match (&arguments.to, arguments.group) {
        (Some(to), _) => json!({"type": 2, "msg_id": msg_id, "to": to, "content": content}),
        (None, Some(group)) => {
            json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": content})
        }
        (None, None) => bail!("say whom it is for: --to NAME or --group ID"),
    }
    .to_string())
}

fn show(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
