//! The trace that a message belongs to, as it travels with it.

use std::sync::Arc;

use opentelemetry::global;
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Where the parent's id travels, as W3C Trace Context names it.
pub(crate) const PARENT: &str = "traceparent";
/// Where what vendors add travels.
pub(crate) const STATE: &str = "tracestate";

/// Which trace a message was sent in; empty, and free, when nothing is traced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceContext(Option<Arc<Carried>>);

/// The two headers of W3C Trace Context.
#[derive(Debug, Default, PartialEq, Eq)]
struct Carried {
    parent: String,
    state: String,
}

impl TraceContext {
    /// That of the current span, if it is part of a trace.
    pub fn current() -> Self {
        let span = tracing::Span::current();
        if span.is_none() {
            return Self(None);
        }
        let context = span.context();
        if !context.span().span_context().is_valid() {
            return Self(None);
        }
        let mut carried = Carried::default();
        global::get_text_map_propagator(|way| way.inject_context(&context, &mut carried));
        Self::carrying(carried)
    }

    /// Makes the sender's span the parent of `span`; does nothing when the message came without a trace.
    pub fn set_parent(&self, span: &tracing::Span) {
        if let Some(carried) = &self.0 {
            let context = global::get_text_map_propagator(|way| way.extract(&**carried));
            // Fails when nothing is traced here: there is nothing to join then.
            let _ = span.set_parent(context);
        }
    }

    /// Whether the message came without a trace.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// As received: `traceparent`, `tracestate`.
    pub(crate) fn received(parent: &str, state: &str) -> Self {
        Self::carrying(Carried {
            parent: parent.to_owned(),
            state: state.to_owned(),
        })
    }

    /// As sent: `traceparent`, and `tracestate` where there is one.
    pub(crate) fn headers(&self) -> Option<(&str, Option<&str>)> {
        let carried = self.0.as_ref()?;
        let state = (!carried.state.is_empty()).then_some(carried.state.as_str());
        Some((&carried.parent, state))
    }

    fn carrying(carried: Carried) -> Self {
        Self((!carried.parent.is_empty()).then(|| Arc::new(carried)))
    }
}

impl Injector for Carried {
    fn set(&mut self, key: &str, value: String) {
        match key {
            PARENT => self.parent = value,
            STATE => self.state = value,
            _ => {}
        }
    }
}

impl Extractor for Carried {
    fn get(&self, key: &str) -> Option<&str> {
        let value = match key {
            PARENT => &self.parent,
            STATE => &self.state,
            _ => return None,
        };
        (!value.is_empty()).then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT, STATE]
    }
}
