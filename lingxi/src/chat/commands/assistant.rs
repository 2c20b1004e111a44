//! The assistant.

use eventsource_stream::Eventsource as _;
use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::command::{Command, Context, Done, nothing, some};
use crate::chat::event::Event;
use crate::chat::server::Refused;
use crate::chat::text;

/// How often a stream that broke is taken up again without anything new.
const TRIES: u32 = 5;

pub(super) const COMMANDS: &[Command] = &[Command {
    name: "ai",
    takes: "QUESTION",
    about: "asks the assistant, who acts for you",
    run: |context, typed| ask(context, typed).boxed(),
    show,
}];

/// The events of a run so far.
#[derive(Default)]
struct Run {
    id: String,
    /// The last event, to go on behind.
    last: String,
    ended: bool,
}

async fn ask(context: Context, typed: String) -> Result<Done, Refused> {
    let question = some(&typed, "a question, as in /ai what did bob say?")?;
    let key = uuid::Uuid::new_v4().to_string();
    let body = json!({"message": question, "idempotency_key": key});
    let mut run = Run::default();
    let mut tries = 0;
    loop {
        let before = run.last.clone();
        let request = if run.id.is_empty() {
            let request = context.rest.request(Method::POST, "ai/agent", &[]);
            request.json(&body)
        } else {
            let path = format!("ai/runs/{}/events", run.id);
            let request = context.rest.request(Method::GET, &path, &[]);
            request.header("Last-Event-ID", &run.last)
        };
        let followed = match context.rest.open(request).await {
            Ok(answer) => follow(&context, &mut run, answer).await,
            Err(why) => Err(why),
        };
        if run.last != before {
            tries = 0;
        }
        match followed {
            Err(why) if run.ended || !why.may_pass() => return Err(why),
            Ok(()) if run.ended => return Ok(Done::default()),
            Err(why) if tries == TRIES => return Err(why),
            Ok(()) if tries == TRIES => {
                return Err(Refused::new(
                    "unreachable",
                    "the answer broke off; ask again",
                ));
            }
            _ => {}
        }
        tries += 1;
        tokio::time::sleep(std::time::Duration::from_millis(300) * tries).await;
    }
}

/// Shows what comes, until the stream ends.
async fn follow(context: &Context, run: &mut Run, answer: Response) -> Result<(), Refused> {
    let mut events = answer.bytes_stream().eventsource();
    while let Some(Ok(event)) = events.next().await {
        let Ok(body) = serde_json::from_str::<Value>(&event.data) else {
            continue;
        };
        if !event.id.is_empty() {
            run.last = event.id;
        }
        if let Some(id) = body["run_id"].as_str().filter(|id| is_id(id)) {
            run.id = id.to_owned();
        }
        let kind = body["type"].as_str();
        run.ended = matches!(kind, Some("done" | "error"));
        let refused = (kind == Some("error")).then(|| {
            let of = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
            Refused::new(&of("error"), of("message"))
        });
        let command = "ai";
        // Whoever shows it is there as long as this is asked for.
        let _ = context.shown.send(Event::Answer { command, body }).await;
        match refused {
            Some(why) => return Err(why),
            None if run.ended => return Ok(()),
            None => {}
        }
    }
    Ok(())
}

/// It becomes part of a path.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whole lines. Text comes in pieces, which the view puts together.
fn show(body: &Value) -> Vec<String> {
    let of = |field: &str| text::line(body[field].as_str().unwrap_or_default());
    match body["type"].as_str() {
        Some("tool_call") => vec![format!("  … {} {}", of("name"), of("args"))],
        Some("tool_result") => vec![format!("  → {}", of("result"))],
        Some("reset") => vec!["  … once more, from the start".to_owned()],
        _ => nothing(body),
    }
}
