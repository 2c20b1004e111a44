//! The documentation of the API: complete, committed, and that every route is used by a behaviour.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Mode, body_schema, operations};

const HOW: &str = "run LINGXI_WRITE_OPENAPI=1 cargo test -p lingxi --test it openapi::";

async fn document() -> Value {
    let lx = Mode::Embedded.start().await;
    lx.anonymous().get("/api/openapi.json").await.ok()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Holds a file, or the part of it between two marks, to what it should be; or writes it.
fn hold(file: &str, marks: Option<(&str, &str)>, made: &str) {
    let path = root().join(file);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let whole = match marks {
        None => made.to_owned(),
        Some((begin, end)) => {
            let (head, rest) = kept.split_once(begin).expect("the first mark");
            let (_, tail) = rest.split_once(end).expect("the second mark");
            format!("{head}{begin}\n{made}{end}{tail}")
        }
    };
    if std::env::var_os("LINGXI_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &whole).expect("a file that can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == whole, "{file} is out of date: {HOW}");
}

fn table(document: &Value) -> String {
    let mut table = String::from("| route | what it does | answers |\n|---|---|---|\n");
    for (method, path, operation) in operations(document) {
        let what = operation["summary"].as_str().unwrap_or_default();
        let responses = operation["responses"].as_object().expect("responses");
        let answers: Vec<String> = responses
            .iter()
            .map(|(status, response)| {
                let said = response["description"].as_str().unwrap_or_default();
                let codes = said
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || "_, ".contains(c));
                match said {
                    "" => status.clone(),
                    codes_said if codes => format!("{status} {codes_said}"),
                    _ => status.clone(),
                }
            })
            .collect();
        let what = what.replace('|', "\\|").replace('\n', " ");
        writeln!(
            table,
            "| {method} `{path}` | {what} | {} |",
            answers.join("; ")
        )
        .expect("a line");
    }
    table
}

#[tokio::test]
async fn the_committed_documentation_is_what_is_served() {
    let document = document().await;
    let text = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
    hold("docs/openapi.json", None, &text);
    let marks = (
        "<!-- routes: made from openapi.json -->",
        "<!-- end of routes -->",
    );
    hold("docs/API.md", Some(marks), &table(&document));
}

/// Every operation has a name of its own, says what it does, what it answers and how it fails, and shows an example of what
/// it takes.
#[tokio::test]
async fn every_operation_is_documented_whole() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    let mut missing = Vec::new();
    for (method, path, operation) in operations(&document) {
        let mut lacks = |what: &str| missing.push(format!("{method} {path}: {what}"));
        let name = operation["operationId"].as_str().unwrap_or_default();
        if name.is_empty() || !names.insert(name.to_owned()) {
            lacks("a name of its own");
        }
        if operation["summary"].as_str().unwrap_or_default().is_empty() {
            lacks("a summary");
        }
        let responses = operation["responses"].as_object().expect("responses");
        if !["200", "101"]
            .iter()
            .any(|status| responses.contains_key(*status))
        {
            lacks("what it answers");
        }
        let has = |status: &str| responses.contains_key(status);
        if !has("429") {
            lacks("429");
        }
        if operation.get("security").is_some() && !has("401") {
            lacks("401");
        }
        let takes = operation.get("requestBody").or(operation.get("parameters"));
        if takes.is_some() && !has("400") {
            lacks("400");
        }
        for (status, response) in responses {
            let is_failure = status.starts_with('4');
            let content = response["content"]["application/json"]["schema"]["$ref"].as_str();
            if is_failure && content != Some("#/components/schemas/Error") {
                lacks(&format!("the shape of {status}"));
            }
            assert!(
                !status.starts_with('5') && status != "default",
                "{method} {path}: {status}"
            );
        }
        let body = &operation["requestBody"]["content"]["application/json"];
        if !body.is_null() && !has_example(&document, operation) {
            lacks("an example of its body");
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn has_example(document: &Value, operation: &Value) -> bool {
    let body = &operation["requestBody"]["content"]["application/json"];
    let schema = body_schema(document, operation);
    let of_fields = schema["properties"].as_object();
    body.get("example").is_some()
        || schema.get("example").is_some()
        || of_fields
            .is_some_and(|fields| fields.values().any(|field| field.get("example").is_some()))
}

/// Each route is asked for in a file of behaviours, and those run in both modes.
#[tokio::test]
async fn every_route_has_a_behaviour() {
    let mut behaviours = BTreeMap::new();
    let mut folders = vec![root().join("lingxi/tests/it")];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).expect("a folder") {
            let path = file.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.contains("behaviours!(") || path.to_string_lossy().contains("harness") {
                behaviours.insert(path, text);
            }
        }
    }
    let document = document().await;
    let mut unused = Vec::new();
    for (method, path, _) in operations(&document) {
        let short = path.trim_start_matches("/api/v1/");
        // `file/{id}/link` is asked for as `file/{id}/link`, with whatever stands for the id.
        let pieces: Vec<&str> = short
            .split(['{', '}'])
            .step_by(2)
            .filter(|piece| !piece.is_empty())
            .collect();
        let is_used = behaviours
            .values()
            .any(|text| pieces.iter().all(|piece| text.contains(piece)));
        if !is_used {
            unused.push(format!("{method} {path}"));
        }
    }
    assert!(unused.is_empty(), "no behaviour asks for {unused:#?}");
}
