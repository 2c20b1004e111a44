//! Messages carry the trace they were sent in.

use std::sync::Arc;

use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt as _, TraceId, TracerProvider as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{SOON, next_entry};
use crate::{Lane, Message, SharedBus, Sink, Subject, TraceContext};

struct Traces(mpsc::UnboundedSender<TraceContext>);

impl Sink for Traces {
    fn deliver(&self, _: &Subject, message: Message) {
        let _ = self.0.send(message.trace);
    }
}

/// The traces of a live message, a log entry and a job that are sent in the current span.
async fn sent(bus: &SharedBus) -> [TraceContext; 3] {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let subject = Subject::User(99);
    let sink = Arc::new(Traces(sender));
    let _subscription = bus.subscribe(subject.clone(), None, sink).await.unwrap();
    bus.publish(&subject, "x".into()).await.unwrap();
    let live = super::next(&mut seen).await;
    let position = bus.append(1, "x".into()).await.unwrap();
    let (out, mut entries) = mpsc::channel(4);
    let _reader = bus.read_log(1, position - 1, 0, out).await.unwrap();
    let logged = next_entry(&mut entries).await.trace;
    bus.enqueue(Lane::Batch, "x".into()).await.unwrap();
    let job = timeout(SOON, bus.dequeue(&[Lane::Batch]))
        .await
        .unwrap()
        .unwrap();
    let queued = job.trace.clone();
    job.done();
    [live, logged, queued]
}

pub(super) async fn traces(bus: &SharedBus) {
    for trace in sent(bus).await {
        assert!(trace.is_empty(), "nothing is traced: {trace:?}");
    }
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("conformance"));
    let subscriber = tracing_subscriber::registry().with(layer);
    async {
        let id = |span: &tracing::Span| span.context().span().span_context().trace_id();
        let sending = tracing::info_span!("sending");
        let expected = id(&sending);
        assert_ne!(expected, TraceId::INVALID);
        for trace in sent(bus).instrument(sending).await {
            let receiving = tracing::info_span!(parent: None, "receiving");
            trace.set_parent(&receiving);
            assert_eq!(id(&receiving), expected, "{trace:?}");
        }
    }
    .with_subscriber(subscriber)
    .await;
}
