//! The committed schema of the protocol, to which every frame and event of a test is held.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../../docs/protocol.schema.json");

/// A part of the protocol.
pub(crate) struct Part {
    name: &'static str,
    validator: LazyLock<Validator>,
}

/// What clients send.
pub(crate) static CLIENT: Part = Part {
    name: "ClientFrame",
    validator: LazyLock::new(|| validator("ClientFrame")),
};
/// What servers send.
pub(crate) static SERVER: Part = Part {
    name: "ServerFrame",
    validator: LazyLock::new(|| validator("ServerFrame")),
};
/// What streams of runs send.
pub(crate) static EVENT: Part = Part {
    name: "RunEvent",
    validator: LazyLock::new(|| validator("RunEvent")),
};

fn validator(part: &str) -> Validator {
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    schema["$ref"] = format!("#/$defs/{part}").into();
    jsonschema::validator_for(&schema).expect("a schema")
}

impl Part {
    /// Returns true if the protocol has this.
    pub(crate) fn has(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Panics at what the protocol does not have: a field that it does not name, one that is missing, another type.
    #[track_caller]
    pub(crate) fn hold(&self, value: &Value) {
        assert!(
            self.has(value),
            "this is no {} of docs/protocol.schema.json: {value:#}",
            self.name
        );
    }
}
