//! Connects, sends, and prints.

use std::io::Write as _;

use anyhow::{Context as _, anyhow, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::server::connect;
use super::tally::Tally;

/// What `lingxi chat` is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server, as in `http://127.0.0.1:8080` or `https://chat.example`.
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
///
/// # Errors
/// When it cannot connect, and when a message was refused or has no ACK at the end.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let socket = connect(&arguments.url, &arguments.token).await?;
    let (mut write, mut read) = socket.split();
    let mut tally = Tally::default();
    for text in &arguments.say {
        write
            .send(Message::text(message(&arguments, text, &mut tally)?))
            .await?;
    }
    let mut expected = arguments.expect;
    let from_input =
        arguments.say.is_empty() && (arguments.to.is_some() || arguments.group.is_some());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut input_open = from_input;
    loop {
        if tally.is_complete()
            && expected.is_none_or(|n| n == 0)
            && (!arguments.say.is_empty() || expected.is_some())
        {
            // The close frame goes behind the receipts; what it is answered with ends the loop.
            write.close().await?;
            while let Some(Ok(_)) = read.next().await {}
            return tally.verdict();
        }
        tokio::select! {
            frame = read.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    show(&text)?;
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    match frame["type"].as_i64() {
                        Some(3) => tally.acked(&frame),
                        Some(2 | 4) if tally.shown(&frame) => {}
                        Some(2 | 4) => {
                            expected = expected.map(|n| n.saturating_sub(1));
                            write.send(Message::text(receipt(&frame))).await?;
                        }
                        _ => {}
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return match frame {
                        Some(frame) => Err(closed(&arguments.url, &frame)),
                        None => tally.verdict(),
                    };
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error).context("the connection broke"),
                None => return tally.verdict(),
            },
            line = lines.next_line(), if input_open => match line? {
                Some(line) if line.is_empty() => {}
                Some(line) => write.send(Message::text(message(&arguments, &line, &mut tally)?)).await?,
                None => input_open = false,
            },
        }
    }
}

/// The contract's code for a token that is not good (any more).
const UNAUTHORIZED: u16 = 4001;

fn closed(url: &str, frame: &CloseFrame) -> anyhow::Error {
    let (code, reason) = (u16::from(frame.code), frame.reason.as_str());
    match code {
        UNAUTHORIZED => anyhow!("{url} refused the token: {reason}"),
        _ => anyhow!("{url} closed the connection: {code} {reason}"),
    }
}

/// Tells the server, and the sender, that the message was shown.
fn receipt(message: &Value) -> String {
    json!({"type": 8, "conversation": message["conversation"], "seq": message["seq"], "kind": "read"}).to_string()
}

fn message(arguments: &Arguments, content: &str, tally: &mut Tally) -> anyhow::Result<String> {
    let msg_id = uuid::Uuid::new_v4().to_string();
    tally.sent(msg_id.clone());
    Ok(match (&arguments.to, arguments.group) {
        (Some(to), _) => json!({"type": 2, "msg_id": msg_id, "to": to, "content": content}),
        (None, Some(group)) => {
            json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": content})
        }
        (None, None) => bail!("say whom it is for: --to NAME or --group ID"),
    }
    .to_string())
}

fn show(frame: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", plain(frame))?;
    out.flush()
}

/// The same JSON on one line of any terminal: what ends lines or controls terminals is escaped.
fn plain(frame: &str) -> String {
    let mut line = String::with_capacity(frame.len());
    for c in frame.chars() {
        match c {
            // All of them are in the first plane, and in JSON only within strings.
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                line.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if c.is_control() => line.push(' '),
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_line_and_the_same_json() {
        let frame = json!({"content": "a\u{85}\u{2028}\n\u{9b}31m\u{202e}灵", "id": 1});
        let line = plain(&frame.to_string());
        assert!(!line.chars().any(char::is_control) && line.lines().count() == 1);
        assert!(line.is_char_boundary(0) && !line.contains('\u{202e}'));
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), frame);
        assert_eq!(plain("{\n}"), "{ }");
    }
}
