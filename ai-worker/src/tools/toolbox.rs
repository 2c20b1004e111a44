//! Calling tools: by name, within the deadline, and again where that is harmless.

use std::time::Duration;

use lingxi_domain::run::ToolOutcome;

use super::text::cut;
use super::{ALL, Class, Context, Refusal, Tool, arguments};
use crate::providers::ToolSpec;

/// How often a call whose outcome is not known is made again.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// The tools that a run may use.
pub(crate) struct Toolbox {
    tools: &'static [&'static dyn Tool],
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    /// This, for the model.
    Outcome(ToolOutcome),
    /// The deadline passed first.
    Late,
    /// The run belongs to another worker.
    Lost,
    /// What it needs is not available: another attempt of the run makes the same call, with the same key.
    Away,
    /// Nobody knows: another attempt of the run makes the same call, with the same key, and finds out.
    Unknown,
}

impl Toolbox {
    /// All of them.
    pub(crate) fn new() -> Self {
        Self { tools: ALL }
    }

    /// What the model is told.
    pub(crate) fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|tool| tool.spec()).collect()
    }

    /// Does what the model asked for. What cannot be done, or not be understood, is an outcome that the model is told.
    pub(crate) async fn call(&self, name: &str, args: &str, context: &Context<'_>) -> Given {
        let tool = self.tools.iter().find(|tool| tool.spec().name == name);
        // Models make up names: only those of ours become labels.
        let label = tool.map_or("unknown", |tool| tool.spec().name);
        let done = match tool {
            None => Err(Refusal::Told(format!("没有名为{name}的工具"))),
            Some(tool) => {
                match tokio::time::timeout(context.left(), attempt(*tool, args, context)).await {
                    Ok(done) => done,
                    Err(_) => return Given::Late,
                }
            }
        };
        let (result, success) = match done {
            Ok(result) => (result, true),
            Err(Refusal::Told(reason)) => (reason, false),
            Err(Refusal::Lost) => return Given::Lost,
            Err(Refusal::Away) => return Given::Away,
            Err(Refusal::Unknown) => return Given::Unknown,
        };
        let word = if success { "true" } else { "false" };
        metrics::counter!("lingxi_ai_tool_calls_total", "tool" => label, "success" => word)
            .increment(1);
        let result = cut(result);
        Given::Outcome(ToolOutcome { result, success })
    }
}

async fn attempt(tool: &dyn Tool, args: &str, context: &Context<'_>) -> Result<String, Refusal> {
    let args = arguments::object(args)?;
    let mut attempt = 1;
    loop {
        match tool.execute(context, args.clone()).await {
            Err(Refusal::Unknown | Refusal::Away) if tool.class() == Class::ForeignEffect => {
                return Err(Refusal::Told(
                    "结果未知:操作可能已经完成,不会再试".to_owned(),
                ));
            }
            Err(Refusal::Unknown | Refusal::Away) if attempt < ATTEMPTS => {
                tokio::time::sleep(PAUSE * attempt).await;
                attempt += 1;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests;
