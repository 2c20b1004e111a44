//! What the API's documentation says of its operations.

use serde_json::Value;

/// Method, path and what is said of each operation, in the order of the paths.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

/// The schema of the JSON that an operation takes; null where it takes none.
pub(crate) fn body_schema<'d>(document: &'d Value, operation: &'d Value) -> &'d Value {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).expect("a schema"),
        None => schema,
    }
}

/// The path with something in place of each of its parameters.
pub(crate) fn filled(path: &str) -> String {
    path.replace("{id}", "1").replace("{run_id}", "1")
}
