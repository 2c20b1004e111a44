//! What comes back, read with forgiveness: servers leave out, add and rename fields.

use lingxi_domain::run::Usage;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::providers::{Delta, Error, Failure, ToolCallPart};

/// One event of a streamed answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk {
    #[serde(deserialize_with = "lenient")]
    choices: Vec<Choice>,
    usage: Option<Value>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    #[serde(deserialize_with = "lenient")]
    delta: Piece,
    /// Some servers put the last piece, or all of it, here.
    #[serde(deserialize_with = "lenient")]
    message: Piece,
    #[serde(deserialize_with = "lenient")]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Piece {
    #[serde(deserialize_with = "lenient")]
    content: Option<String>,
    #[serde(deserialize_with = "lenient")]
    reasoning_content: Option<String>,
    /// The same by its other name; some servers send both.
    #[serde(deserialize_with = "lenient")]
    reasoning: Option<String>,
    #[serde(deserialize_with = "lenient")]
    tool_calls: Vec<CallPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallPart {
    #[serde(deserialize_with = "lenient")]
    index: Option<u32>,
    #[serde(deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    function: Function,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Function {
    #[serde(deserialize_with = "lenient")]
    name: Option<String>,
    arguments: Value,
}

/// Null, or a shape that was not expected, counts as nothing.
fn lenient<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

impl Chunk {
    /// What the event says, in order: thinking, text, tool calls, the end, usage.
    pub(super) fn deltas(self) -> Result<Vec<Delta>, Error> {
        if let Some(error) = self.error.filter(|e| !e.is_null()) {
            let message = error
                .get("message")
                .and_then(Value::as_str)
                .map(str::to_owned);
            return Err(Error::new(
                Failure::InBand,
                message.unwrap_or_else(|| error.to_string()),
            ));
        }
        let mut deltas = Vec::new();
        // Only one answer is ever asked for.
        if let Some(choice) = self.choices.into_iter().next() {
            choice.delta.read_into(&mut deltas);
            choice.message.read_into(&mut deltas);
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                deltas.push(Delta::Finish(reason));
            }
        }
        if let Some(usage) = self.usage.as_ref().and_then(usage) {
            deltas.push(Delta::Usage(usage));
        }
        Ok(deltas)
    }
}

impl Piece {
    fn read_into(self, deltas: &mut Vec<Delta>) {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        deltas.extend(
            some(self.reasoning_content)
                .or_else(|| some(self.reasoning))
                .map(Delta::Reasoning),
        );
        deltas.extend(some(self.content).map(Delta::Text));
        for part in self.tool_calls {
            let args = match part.function.arguments {
                Value::String(text) => text,
                Value::Null => String::new(),
                // Ollama's own dialect: the object itself.
                other => other.to_string(),
            };
            let (id, name) = (some(part.id), some(part.function.name));
            deltas.push(Delta::ToolCall(ToolCallPart {
                index: part.index,
                id,
                name,
                args,
            }));
        }
    }
}

fn usage(value: &Value) -> Option<Usage> {
    let count = |name: &str| value.get(name).and_then(Value::as_i64).filter(|n| *n >= 0);
    let (prompt, completion) = (count("prompt_tokens"), count("completion_tokens"));
    (prompt.is_some() || completion.is_some()).then(|| Usage {
        prompt_tokens: prompt.unwrap_or(0),
        completion_tokens: completion.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deltas(json: &str) -> Vec<Delta> {
        serde_json::from_str::<Chunk>(json)
            .unwrap()
            .deltas()
            .unwrap()
    }

    #[test]
    fn the_plain_shape_is_read() {
        let json = r#"{"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"你好"},
            "finish_reason":null}]}"#;
        assert_eq!(deltas(json), [Delta::Text("你好".into())]);
        let json = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(deltas(json), [Delta::Finish("stop".into())]);
        let json =
            r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#;
        assert_eq!(
            deltas(json),
            [Delta::Usage(Usage {
                prompt_tokens: 5,
                completion_tokens: 7
            })]
        );
    }

    #[test]
    fn what_servers_leave_out_or_add_does_not_matter() {
        assert_eq!(deltas("{}"), []);
        assert_eq!(
            deltas(r#"{"choices":null,"usage":null,"error":null,"new":[1]}"#),
            []
        );
        assert_eq!(deltas(r#"{"choices":[{"delta":null}]}"#), []);
        assert_eq!(
            deltas(r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#),
            []
        );
        assert_eq!(
            deltas(r#"{"choices":[{"delta":{"content":""},"finish_reason":""}]}"#),
            []
        );
        assert_eq!(
            deltas(r#"{"choices":[{"delta":{"content":[{"type":"text"}]}}]}"#),
            []
        );
        assert_eq!(
            deltas(r#"{"choices":[{"message":{"content":"whole"}}]}"#),
            [Delta::Text("whole".into())]
        );
    }

    #[test]
    fn thinking_has_two_names() {
        for name in ["reasoning_content", "reasoning"] {
            let json = format!(r#"{{"choices":[{{"delta":{{"{name}":"hm"}}}}]}}"#);
            assert_eq!(deltas(&json), [Delta::Reasoning("hm".into())]);
        }
        let both =
            r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm","content":"a"}}]}"#;
        assert_eq!(
            deltas(both),
            [Delta::Reasoning("hm".into()), Delta::Text("a".into())]
        );
    }

    #[test]
    fn tool_calls_come_with_and_without_an_index() {
        let json = r#"{"choices":[{"delta":{"tool_calls":[
            {"index":1,"id":"c1","type":"function","function":{"name":"t","arguments":""}},
            {"function":{"arguments":"{\"a\""}},
            {"id":"c2","function":{"name":"u","arguments":{"b":2}}}]}}]}"#;
        let part = |index, id: Option<&str>, name: Option<&str>, args: &str| {
            let (id, name) = (id.map(Into::into), name.map(Into::into));
            Delta::ToolCall(ToolCallPart {
                index,
                id,
                name,
                args: args.into(),
            })
        };
        let wanted = [
            part(Some(1), Some("c1"), Some("t"), ""),
            part(None, None, None, "{\"a\""),
            part(None, Some("c2"), Some("u"), "{\"b\":2}"),
        ];
        assert_eq!(deltas(json), wanted);
    }

    #[test]
    fn an_error_in_the_stream_is_one() {
        let chunk: Chunk =
            serde_json::from_str(r#"{"error":{"message":"overloaded","code":1}}"#).unwrap();
        let error = chunk.deltas().unwrap_err();
        assert_eq!(
            (error.failure, error.detail.as_str()),
            (Failure::InBand, "overloaded")
        );
        let chunk: Chunk = serde_json::from_str(r#"{"error":"bad"}"#).unwrap();
        assert!(chunk.deltas().is_err());
    }
}
