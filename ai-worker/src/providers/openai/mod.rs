//! Any OpenAI-compatible server, by async-openai's transport and types of our own, which forgive what such servers
//! differ in.
//!
//! There is no retry in here: one request, one outcome. Each wait has a bound of its own.

mod body;
mod chunk;
mod request;
mod transport;

use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::types::stream::StreamResponse;
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

pub(super) use self::body::first_bytes;
use self::chunk::Chunk;
use super::{Delta, DeltaStream, Error, Failure, ModelRequest, Provider};
use crate::settings;

/// How much later than our own bounds the transport gives up on a silent connection.
const BACKSTOP: Duration = Duration::from_secs(1);
/// Events in a row that are not JSON before the stream counts as broken.
const MAX_MALFORMED: u32 = 16;

/// A server and a model on it.
pub struct OpenAi {
    name: String,
    model: String,
    client: async_openai::Client<OpenAIConfig>,
    first_token: Duration,
    idle: Duration,
    total: Duration,
}

impl OpenAi {
    /// From a provider's settings. Nothing is contacted yet.
    ///
    /// # Errors
    /// When the key is no header value, or no HTTP client can be made.
    pub fn new(provider: &settings::Provider) -> Result<Self, Error> {
        let idle = Duration::from_millis(provider.idle_ms);
        let first_token = Duration::from_millis(provider.first_token_ms);
        Ok(Self {
            name: provider.name.clone(),
            model: provider.model.clone(),
            client: transport::client(
                provider,
                Duration::from_millis(provider.connect_ms),
                first_token.max(idle) + BACKSTOP,
            )?,
            first_token,
            idle,
            total: Duration::from_millis(provider.total_ms),
        })
    }
}

#[async_trait]
impl Provider for OpenAi {
    fn name(&self) -> &str {
        &self.name
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn stream(&self, request: &ModelRequest) -> Result<DeltaStream, Error> {
        let begun = Instant::now();
        let body = request::Body::new(&self.model, request);
        let chat = self.client.chat();
        let opening = chat.create_stream_byot(&body);
        let first_token_at = begun + self.first_token;
        let chunks: StreamResponse<Chunk> = match timeout_at(first_token_at, opening).await {
            Ok(opened) => opened.map_err(|error| transport::classify(&error))?,
            Err(_) => return Err(Error::new(Failure::FirstToken, "no answer's head in time")),
        };
        let reading = Reading {
            chunks,
            queued: Vec::new().into_iter(),
            idle: self.idle,
            next_by: first_token_at,
            total_by: begun + self.total,
            got_token: false,
            finished: false,
            malformed: 0,
            over: false,
        };
        Ok(Box::pin(stream::unfold(
            reading,
            |mut reading| async move {
                let item = reading.next().await?;
                Some((item, reading))
            },
        )))
    }
}

/// A turn that is being read.
struct Reading {
    chunks: StreamResponse<Chunk>,
    queued: std::vec::IntoIter<Delta>,
    idle: Duration,
    /// When the next chunk must be there.
    next_by: Instant,
    total_by: Instant,
    got_token: bool,
    finished: bool,
    malformed: u32,
    over: bool,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Delta, Error>> {
        if self.over {
            return None;
        }
        loop {
            if let Some(delta) = self.queued.next() {
                return Some(Ok(delta));
            }
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Reads one chunk into `queued`; false at the end.
    async fn more(&mut self) -> Result<bool, Error> {
        let waiting = timeout_at(self.next_by.min(self.total_by), self.chunks.next());
        let chunk = match waiting.await {
            Err(_) => return self.late(),
            Ok(None) if self.finished => return Ok(false),
            Ok(None) => {
                return Err(Error::new(
                    Failure::Truncated,
                    "the stream ended without finish_reason",
                ));
            }
            Ok(Some(Ok(chunk))) => chunk,
            // The transport goes on behind an event that is not JSON.
            Ok(Some(Err(error)))
                if transport::is_malformed(&error) && self.malformed < MAX_MALFORMED =>
            {
                self.malformed += 1;
                metrics::counter!("lingxi_ai_malformed_chunks_total").increment(1);
                return Ok(true);
            }
            // The answer was complete; how the connection ends does not matter.
            Ok(Some(Err(_))) if self.finished => return Ok(false),
            Ok(Some(Err(error))) => return Err(transport::classify(&error)),
        };
        self.malformed = 0;
        let deltas = chunk.deltas()?;
        self.finished |= deltas.iter().any(|delta| matches!(delta, Delta::Finish(_)));
        // A role alone, or a comment, is no token yet.
        self.got_token |= !deltas.is_empty();
        if self.got_token {
            self.next_by = Instant::now() + self.idle;
        }
        self.queued = deltas.into_iter();
        Ok(true)
    }

    /// Which of the bounds was passed.
    fn late(&self) -> Result<bool, Error> {
        if self.finished {
            // Only the usage was still to come, or the end.
            return Ok(false);
        }
        let failure = if Instant::now() >= self.total_by {
            Failure::Total
        } else if self.got_token {
            Failure::Idle
        } else {
            Failure::FirstToken
        };
        Err(Error::new(failure, "the provider went silent"))
    }
}
