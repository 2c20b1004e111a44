//! Following runs: a real gateway and store, the bus, and a worker that the test plays.

mod following;
mod questions;
mod world;

use std::time::Duration;

use axum::body::to_bytes;
use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunEvent, Usage};
use lingxi_proto::bus::Watcher;
use serde_json::Value;
use tokio::sync::mpsc;

use super::subscriber::{Subscriber, Told};

fn id(generation: u32, position: u32) -> EventId {
    EventId {
        generation,
        position,
    }
}

fn chunk(generation: u32, position: u32, text: &str) -> StampedEvent {
    StampedEvent {
        id: id(generation, position),
        event: RunEvent::Chunk {
            content: text.into(),
        },
    }
}

fn done(generation: u32, position: u32) -> StampedEvent {
    let event = RunEvent::Done {
        content: String::new(),
        usage: Usage::default(),
        finish_reason: "stop".into(),
    };
    StampedEvent {
        id: id(generation, position),
        event,
    }
}

async fn next(subscriber: &mut Subscriber) -> Option<Told> {
    tokio::time::timeout(Duration::from_secs(10), subscriber.next())
        .await
        .unwrap()
}

async fn request(requests: &mut mpsc::Receiver<Watcher>) -> Watcher {
    let request = tokio::time::timeout(Duration::from_secs(10), requests.recv()).await;
    request.expect("nobody asks to follow the run").unwrap()
}

fn content(told: &Told) -> String {
    let value: Value = serde_json::from_slice(&told.json).unwrap();
    value["content"].as_str().unwrap_or_default().to_owned()
}

async fn body(response: axum::response::Response) -> Vec<(i64, Value)> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let bytes = tokio::time::timeout(
        Duration::from_secs(10),
        to_bytes(response.into_body(), usize::MAX),
    )
    .await;
    let text = String::from_utf8(bytes.unwrap().unwrap().to_vec()).unwrap();
    let events = text.split("\n\n").filter(|block| block.contains("data:"));
    let line = |block: &str, name: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.trim().to_owned()
    };
    events
        .map(|block| {
            (
                line(block, "id:").parse().unwrap(),
                serde_json::from_str(&line(block, "data:")).unwrap(),
            )
        })
        .collect()
}
