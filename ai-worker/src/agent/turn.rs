//! One turn of the model: its text is said as it comes, its tool calls are put together.

use futures_util::StreamExt as _;
use lingxi_domain::ErrorCode;
use lingxi_domain::run::{ModelTurn, Usage};
use tokio::time::{Instant, timeout_at};

use super::calls::{Calls, TooMuch};
use super::machine::{Ending, Turn};
use crate::ledger::{Ledger, Live};
use crate::providers::{Delta, Error, Failure, ModelRequest, Models, Provider};

/// The longest reason for the end of a turn that is passed on, in characters.
const MAX_REASON: usize = 64;

/// Streams a turn into `ledger`. An error ends the run; what was said until then stays.
pub(super) async fn stream(
    models: &dyn Models,
    request: &ModelRequest,
    ledger: &Ledger,
    deadline: Instant,
) -> Result<Turn, Ending> {
    let begun = Instant::now();
    let late = |_| Ending::from(ErrorCode::Timeout);
    let call = timeout_at(deadline, models.ask(request))
        .await
        .map_err(late)?;
    let provider = &*call.provider;
    let mut deltas = call.deltas.map_err(|error| failed(provider, &error))?;
    let mut spoken = Spoken::default();
    let mut first = true;
    while let Some(delta) = timeout_at(deadline, deltas.next()).await.map_err(late)? {
        let delta = delta.map_err(|error| failed(provider, &error))?;
        if first {
            first = false;
            metrics::histogram!("lingxi_ai_first_token_seconds", "provider" => provider.name().to_owned())
                .record(begun.elapsed().as_secs_f64());
        }
        spoken.take(delta, ledger)?;
    }
    if spoken.finish_reason.is_empty() {
        let truncated = Error::new(Failure::Truncated, "the turn ended without a reason");
        return Err(failed(provider, &truncated));
    }
    Ok(spoken.done())
}

fn failed(provider: &dyn Provider, error: &Error) -> Ending {
    let (name, model) = (provider.name().to_owned(), provider.model().to_owned());
    tracing::warn!(provider = name, model, %error, "the model's turn failed");
    metrics::counter!("lingxi_ai_provider_failures_total", "provider" => name).increment(1);
    error.code().into()
}

/// What a turn has said so far.
#[derive(Default)]
struct Spoken {
    text: String,
    calls: Calls,
    usage: Usage,
    finish_reason: String,
}

impl Spoken {
    fn take(&mut self, delta: Delta, ledger: &Ledger) -> Result<(), Ending> {
        match delta {
            Delta::Text(text) | Delta::Reasoning(text) if text.is_empty() => {}
            Delta::Text(text) => {
                self.text.push_str(&text);
                ledger.say(Live::Text(text))?;
            }
            Delta::Reasoning(text) => ledger.say(Live::Reasoning(text))?,
            Delta::ToolCall(part) => {
                let added = self.calls.add(part);
                added.map_err(|TooMuch| Ending::from(ErrorCode::ProviderError))?;
            }
            Delta::Usage(usage) => self.usage = usage,
            Delta::Finish(reason) => self.finish_reason = reason.chars().take(MAX_REASON).collect(),
        }
        Ok(())
    }

    fn done(self) -> Turn {
        Turn {
            turn: ModelTurn {
                text: self.text,
                tool_calls: self.calls.done(),
            },
            usage: self.usage,
            finish_reason: self.finish_reason,
        }
    }
}
