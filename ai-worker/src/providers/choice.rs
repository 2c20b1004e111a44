//! Which provider is asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::demo::Demo;
use super::openai::OpenAi;
use super::{Error, ModelCall, ModelRequest, Models, Provider, ollama, said};
use crate::settings;

/// How long what was found, or not found, at Ollama's address is believed.
const PROBE_AGAIN: Duration = Duration::from_secs(30);

/// The providers in their order: those configured; with none, an Ollama that answers, else the demo model.
pub struct Choice {
    configured: Vec<Arc<dyn Provider>>,
    ollama_url: Option<String>,
    probed: Mutex<Option<Probed>>,
    demo: Arc<dyn Provider>,
}

struct Probed {
    at: Instant,
    found: Option<Arc<OpenAi>>,
}

impl Choice {
    /// From its settings. Nothing is contacted yet.
    ///
    /// # Errors
    /// When a provider's settings cannot be used.
    pub fn new(ai: &settings::Ai) -> Result<Self, Error> {
        let mut configured: Vec<Arc<dyn Provider>> = Vec::new();
        for provider in &ai.providers {
            configured.push(Arc::new(OpenAi::new(provider)?));
        }
        let ollama_url = ai
            .detect_ollama
            .then(|| ai.ollama_url.trim_end_matches('/').to_owned());
        Ok(Self {
            configured,
            ollama_url,
            probed: Mutex::new(None),
            demo: Arc::new(Demo),
        })
    }

    /// The provider for a call that begins now. Failing over to the next one is not done yet: the first is used.
    pub async fn pick(&self) -> Arc<dyn Provider> {
        if let Some(first) = self.configured.first() {
            return first.clone();
        }
        match self.detected().await {
            Some(ollama) => ollama,
            None => self.demo.clone(),
        }
    }

    async fn detected(&self) -> Option<Arc<OpenAi>> {
        let url = self.ollama_url.as_deref()?;
        let mut probed = self.probed.lock().await;
        if let Some(known) = probed.as_ref().filter(|p| p.at.elapsed() < PROBE_AGAIN) {
            return known.found.clone();
        }
        let before = probed.take().and_then(|p| p.found);
        let found = match ollama::first_model(url).await {
            // The same model: keep its connections.
            Some(model) if before.as_ref().is_some_and(|b| b.model() == model) => before,
            Some(model) => {
                tracing::info!(
                    url,
                    model = said(&model, 100),
                    "no provider is configured; using the Ollama that answers here"
                );
                OpenAi::new(&settings::Provider::new(
                    "ollama",
                    format!("{url}/v1"),
                    model,
                ))
                .ok()
                .map(Arc::new)
            }
            None => None,
        };
        *probed = Some(Probed {
            at: Instant::now(),
            found: found.clone(),
        });
        found
    }
}

#[async_trait]
impl Models for Choice {
    async fn ask(&self, request: &ModelRequest) -> ModelCall {
        let provider = self.pick().await;
        let deltas = provider.stream(request).await;
        ModelCall { provider, deltas }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> settings::Ai {
        settings::Ai::defaults().unwrap()
    }

    #[tokio::test]
    async fn the_first_configured_one_goes_before_anything_found() {
        let mut ai = defaults();
        ai.providers.push(settings::Provider::new(
            "one",
            "http://127.0.0.1:9/v1",
            "m1",
        ));
        ai.providers.push(settings::Provider::new(
            "two",
            "http://127.0.0.1:9/v1",
            "m2",
        ));
        let picked = Choice::new(&ai).unwrap().pick().await;
        assert_eq!((picked.name(), picked.model()), ("one", "m1"));
    }

    #[tokio::test]
    async fn with_nothing_there_the_demo_model_answers() {
        let mut ai = defaults();
        // A port that nothing listens on: bound once and given back.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        ai.ollama_url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(Choice::new(&ai).unwrap().pick().await.name(), "demo");
        ai.detect_ollama = false;
        assert_eq!(Choice::new(&ai).unwrap().pick().await.name(), "demo");
    }

    #[tokio::test]
    async fn an_ollama_that_answers_is_used() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut ai = defaults();
        ai.ollama_url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = socket.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /api/tags "));
            let body = r#"{"models":[{"name":"nomic-embed-text:latest"},{"name":"qwen3:4b"}]}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            socket.write_all((head + body).as_bytes()).await.unwrap();
        });
        let choice = Choice::new(&ai).unwrap();
        for _ in 0..2 {
            // The second time without asking again: the listener has gone.
            let picked = choice.pick().await;
            assert_eq!((picked.name(), picked.model()), ("ollama", "qwen3:4b"));
        }
    }
}
