//! What is sent: the fields that every compatible server knows.

use serde::Serialize;
use serde_json::{Value, json};

use crate::providers::{ChatMessage, ModelRequest, ToolSpec};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    stream: bool,
    stream_options: Value,
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &'a str, request: &ModelRequest) -> Self {
        Self {
            model,
            messages: request.messages.iter().map(message).collect(),
            tools: request.tools.iter().map(tool).collect(),
            stream: true,
            stream_options: json!({"include_usage": true}),
        }
    }
}

fn message(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::System(text) => json!({"role": "system", "content": text}),
        ChatMessage::User(text) => json!({"role": "user", "content": text}),
        ChatMessage::Assistant { text, tool_calls } if tool_calls.is_empty() => {
            json!({"role": "assistant", "content": text})
        }
        ChatMessage::Assistant { text, tool_calls } => {
            let calls = tool_calls.iter().map(|call| {
                // Servers parse the arguments of earlier turns; broken ones would be refused with the whole request.
                let object = serde_json::from_str::<Value>(&call.args).is_ok_and(|args| args.is_object());
                let arguments = if object { call.args.as_str() } else { "{}" };
                json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
            });
            let calls: Vec<Value> = calls.collect();
            // Some refuse null, some refuse a missing content: an empty text suits all.
            json!({"role": "assistant", "content": text, "tool_calls": calls})
        }
        ChatMessage::Tool { call_id, content } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": content})
        }
    }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    })
}

#[cfg(test)]
mod tests {
    use lingxi_domain::run::ToolCall;

    use super::*;

    #[test]
    fn a_stream_with_usage_is_asked_for_and_no_empty_tools() {
        let request = ModelRequest {
            messages: vec![ChatMessage::User("hi".into())],
            tools: vec![],
        };
        let body = serde_json::to_value(Body::new("m", &request)).unwrap();
        assert_eq!(body["stream"], true);
        assert_eq!(body["stream_options"]["include_usage"], true);
        assert_eq!(
            body["messages"][0],
            json!({"role": "user", "content": "hi"})
        );
        assert!(body.get("tools").is_none());
    }

    #[test]
    fn broken_arguments_are_not_sent_back() {
        let call = |args: &str| ToolCall {
            id: "c".into(),
            name: "t".into(),
            args: args.into(),
        };
        let tool_calls = vec![call("{\"a\":1}"), call("{\"a\":")];
        let sent = message(&ChatMessage::Assistant {
            text: String::new(),
            tool_calls,
        });
        assert_eq!(sent["tool_calls"][0]["function"]["arguments"], "{\"a\":1}");
        assert_eq!(sent["tool_calls"][1]["function"]["arguments"], "{}");
    }
}
