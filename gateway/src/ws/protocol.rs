//! The protocol's schema, made from the types that are sent and read. It is committed, and this test holds it to them:
//! `LINGXI_WRITE_PROTOCOL=1 cargo test -p lingxi-gateway protocol` writes it anew.

use lingxi_domain::frame::server;
use lingxi_domain::run::RunEvent;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::commands;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.schema.json");

/// `one of` the schemas, each a definition of its own under `prefix.<name>`.
fn one_of(
    definitions: &mut Map<String, Value>,
    prefix: &str,
    schemas: Vec<(&str, Schema)>,
) -> Value {
    let references = schemas.into_iter().map(|(name, schema)| {
        let name = format!("{prefix}.{name}");
        let reference = json!({"$ref": format!("#/$defs/{name}")});
        definitions.insert(name, schema.to_value());
        reference
    });
    let references: Vec<Value> = references.collect();
    json!({"oneOf": references})
}

fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
    });
    let mut generator = SchemaGenerator::new(settings);
    let mut definitions = Map::new();
    let client = one_of(
        &mut definitions,
        "client",
        commands::schemas(&mut generator),
    );
    let server = one_of(&mut definitions, "server", server::schemas(&mut generator));
    definitions.insert("ClientFrame".into(), client);
    definitions.insert("ServerFrame".into(), server);
    let events = RunEvent::json_schema(&mut generator);
    definitions.insert("RunEvent".into(), events.to_value());
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What clients of Lingxi say and hear; see PROTOCOL.md",
        "$defs": definitions,
    });
    serde_json::to_string_pretty(&whole).unwrap() + "\n"
}

#[test]
fn the_committed_schema_is_what_is_sent_and_read() {
    let now = schema();
    if std::env::var_os("LINGXI_WRITE_PROTOCOL").is_some() {
        std::fs::write(FILE, &now).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == now,
        "docs/protocol.schema.json is out of date: LINGXI_WRITE_PROTOCOL=1 cargo test -p lingxi-gateway protocol"
    );
}
