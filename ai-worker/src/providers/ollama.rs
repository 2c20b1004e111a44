//! Finding a model server that runs on this machine anyway.

use std::time::Duration;

use serde::Deserialize;

use super::openai::first_bytes;

/// Longer than a local server needs; a run that waits for it is not held up noticeably.
const PATIENCE: Duration = Duration::from_millis(500);

/// The most that is read of the list of models, in bytes.
const MAX_TAGS: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    details: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    family: String,
}

/// The first model there that can talk, if an Ollama answers at `url`.
pub(super) async fn first_model(url: &str) -> Option<String> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()
        .ok()?;
    let answer = client
        .get(format!("{url}/api/tags"))
        .send()
        .await
        .ok()?
        .error_for_status()
        .ok()?;
    let body = first_bytes(answer, MAX_TAGS).await;
    talking(&serde_json::from_str(&body).ok()?)
}

/// Models that only make embeddings are no use here.
fn talking(tags: &Tags) -> Option<String> {
    let embeds = |tag: &Tag| {
        let (name, family) = (tag.name.to_lowercase(), tag.details.family.to_lowercase());
        family.contains("bert")
            || ["embed", "bge-", "minilm", "rerank"]
                .iter()
                .any(|part| name.contains(part))
    };
    tags.models
        .iter()
        .find(|tag| !embeds(tag))
        .map(|tag| tag.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedding_models_are_passed_over() {
        let tags = |json: &str| talking(&serde_json::from_str(json).unwrap());
        let json = r#"{"models":[{"name":"all-minilm:latest","details":{"family":"bert"}},
            {"name":"mxbai-embed-large"},{"name":"llama3:8b","details":{"family":"llama"}}]}"#;
        assert_eq!(tags(json).as_deref(), Some("llama3:8b"));
        assert_eq!(tags(r#"{"models":[{"name":"bge-m3"}]}"#), None);
        assert_eq!(tags("{}"), None);
    }
}
