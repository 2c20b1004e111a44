//! docs/PROTOCOL.md: its examples are what the schema says, and it has one of each kind.

use serde_json::{Value, json};

use crate::harness::protocol::{CLIENT, EVENT, Part, SERVER};

const PROTOCOL: &str = include_str!("../../../docs/PROTOCOL.md");
const SCHEMA: &str = include_str!("../../../docs/protocol.schema.json");

/// The lines of the JSON blocks under a heading.
fn examples(heading: &str) -> Vec<Value> {
    let (_, section) = PROTOCOL
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("no section {heading:?}"));
    let section = section.split("\n## ").next().expect("a section");
    let blocks = section.split("```json\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    lines.map(parse).collect()
}

#[test]
fn every_frame_and_event_has_an_example_and_no_example_is_wrong() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let parts: [(&str, &str, &Part); 3] = [
        ("Client to server", "ClientFrame", &CLIENT),
        ("Server to client", "ServerFrame", &SERVER),
        ("Events of runs", "RunEvent", &EVENT),
    ];
    for (heading, part, schema_of) in parts {
        let examples = examples(heading);
        for example in &examples {
            schema_of.hold(example);
        }
        let kinds = schema["$defs"][part]["oneOf"].as_array().expect("kinds");
        for kind in kinds {
            let mut alone = schema.clone();
            for (key, value) in kind.as_object().expect("a schema") {
                alone[key] = value.clone();
            }
            let alone = jsonschema::validator_for(&alone).expect("a schema");
            assert!(
                examples.iter().any(|example| alone.is_valid(example)),
                "{heading}: no example of {kind:#}"
            );
        }
    }
}

#[test]
fn what_the_protocol_does_not_have_is_noticed() {
    let ack = json!({"type": 3, "msg_id": "a", "status": "stored", "id": 1, "seq": 1});
    assert!(SERVER.has(&ack));
    for (field, value) in [
        ("mood", json!("good")),
        ("status", json!("perhaps")),
        ("seq", json!("1")),
        ("reason", json!("no_such_code")),
        ("type", json!(4)),
    ] {
        let mut other = ack.clone();
        other[field] = value;
        assert!(!SERVER.has(&other), "{other}");
    }
    let mut less = ack;
    less.as_object_mut().expect("an object").remove("msg_id");
    assert!(!SERVER.has(&less), "{less}");
}
