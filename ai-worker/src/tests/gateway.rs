//! A gateway as workers see it: it takes events over real gRPC and keeps them.

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::event_id::EventId;
use lingxi_domain::run::RunEvent;
use lingxi_proto::sink::token_sink_server::{TokenSink, TokenSinkServer};
use lingxi_proto::sink::{AiEvent, PushSummary};
use parking_lot::Mutex;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

#[derive(Clone, Default)]
pub(super) struct Gateway {
    pub(super) address: String,
    events: Arc<Mutex<Vec<AiEvent>>>,
}

#[tonic::async_trait]
impl TokenSink for Gateway {
    async fn push(
        &self,
        request: Request<Streaming<AiEvent>>,
    ) -> Result<Response<PushSummary>, Status> {
        let mut stream = request.into_inner();
        while let Some(event) = stream.message().await? {
            self.events.lock().push(event);
        }
        Ok(Response::new(PushSummary { received: 0 }))
    }
}

impl Gateway {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Self {
            address: listener.local_addr().unwrap().to_string(),
            ..Self::default()
        };
        let server =
            tonic::transport::Server::builder().add_service(TokenSinkServer::new(gateway.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        gateway
    }

    /// The events of one request of one subscriber so far.
    pub(super) fn events(&self, sink: &str, session: u32) -> Vec<AiEvent> {
        let events = self.events.lock();
        events
            .iter()
            .filter(|e| e.sink_id == sink && e.session == session)
            .cloned()
            .collect()
    }

    /// Those events once `enough` says so.
    pub(super) async fn until(
        &self,
        sink: &str,
        session: u32,
        enough: impl Fn(&[AiEvent]) -> bool,
    ) -> Vec<AiEvent> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let events = self.events(sink, session);
            if enough(&events) {
                return events;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "not in time: {events:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn whole(&self, sink: &str) -> Vec<RunEvent> {
        parse(
            &self
                .until(sink, 1, |events| events.last().is_some_and(|e| e.last))
                .await,
        )
    }
}

/// The events, checked: each begins where the one before ended, and ids grow.
pub(super) fn parse(events: &[AiEvent]) -> Vec<RunEvent> {
    for two in events.windows(2) {
        let (before, after) = (
            EventId::from_i64(two[0].event_id).unwrap(),
            EventId::from_i64(two[1].event_id).unwrap(),
        );
        assert_eq!(before.position, two[1].after, "{two:?}");
        assert!(before < after, "{two:?}");
    }
    events
        .iter()
        .map(|e| serde_json::from_slice(&e.json).unwrap())
        .collect()
}

pub(super) fn text(events: &[RunEvent]) -> String {
    events
        .iter()
        .filter_map(|e| {
            if let RunEvent::Chunk { content } = e {
                Some(content.as_str())
            } else {
                None
            }
        })
        .collect()
}

/// The kinds of events, chunks in a row counted once.
pub(super) fn kinds(events: &[RunEvent]) -> Vec<String> {
    let kind = |event: &RunEvent| {
        serde_json::to_value(event).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut kinds: Vec<_> = events.iter().map(kind).collect();
    kinds.dedup();
    kinds
}
