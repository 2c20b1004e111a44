//! Server-sent events of an AI run.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use lingxi_testing::DEADLINE;
use serde_json::Value;
use tokio::time::timeout;

use super::protocol;

type Bytes = Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>;

/// One event with its id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SseEvent {
    pub(crate) id: u64,
    pub(crate) data: Value,
}

impl SseEvent {
    /// Its `type`.
    pub(crate) fn kind(&self) -> &str {
        self.data["type"].as_str().unwrap_or_default()
    }

    /// One block of lines: an event, or `None` for a comment.
    pub(crate) fn parse(block: &str) -> Option<Self> {
        let mut id = None;
        let mut data = Vec::new();
        for line in block.lines() {
            if let Some(value) = line.strip_prefix("id:") {
                id = Some(value.trim().parse().expect("an integer id"));
            } else if let Some(value) = line.strip_prefix("data:") {
                data.push(value.strip_prefix(' ').unwrap_or(value));
            }
        }
        if data.is_empty() {
            return None;
        }
        let data = data.join("\n");
        let data = serde_json::from_str(&data).unwrap_or_else(|_| panic!("no JSON: {data:?}"));
        protocol::EVENT.hold(&data);
        Some(Self {
            id: id.unwrap_or_else(|| panic!("an event without an id: {block:?}")),
            data,
        })
    }
}

/// An open event stream.
pub(crate) struct Events {
    body: Bytes,
    unparsed: Vec<u8>,
}

impl Events {
    /// Sends the request and checks that a stream comes back, with the headers that the contract names.
    pub(crate) async fn open(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        if status != 200 {
            panic!(
                "no event stream: {status} {}",
                answer.text().await.unwrap_or_default()
            );
        }
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        assert!(header("content-type").starts_with("text/event-stream"));
        assert_eq!(header("x-accel-buffering"), "no");
        let body = answer
            .bytes_stream()
            .map(|bytes| bytes.expect("the stream is not cut").to_vec());
        Self {
            body: Box::pin(body),
            unparsed: Vec::new(),
        }
    }

    /// The next event, `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<SseEvent> {
        loop {
            while let Some(end) = self.unparsed.windows(2).position(|two| two == b"\n\n") {
                let rest = self.unparsed.split_off(end + 2);
                let block = std::mem::replace(&mut self.unparsed, rest);
                if let Some(event) = SseEvent::parse(&String::from_utf8(block).expect("UTF-8")) {
                    return Some(event);
                }
            }
            let more = timeout(DEADLINE, self.body.next()).await;
            self.unparsed
                .extend(more.expect("an event, a comment or the end in time")?);
        }
    }

    /// Everything up to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<SseEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// The chunks of a run, put together as a client does it: a `reset` drops what came after the event that it names.
pub(crate) fn text_of(events: &[SseEvent]) -> String {
    let mut chunks: Vec<(u64, &str)> = Vec::new();
    for event in events {
        match event.kind() {
            "chunk" => chunks.push((event.id, event.data["content"].as_str().expect("content"))),
            "reset" => {
                let after = event.data["after"].as_u64().expect("after");
                chunks.retain(|(id, _)| *id <= after);
            }
            _ => {}
        }
    }
    chunks.into_iter().map(|(_, text)| text).collect()
}
