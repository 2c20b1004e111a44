//! What travels beside a payload: the version of its schema, and its trace.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_nats::{HeaderMap, HeaderName};

use crate::TraceContext;
use crate::trace;

const SCHEMA: HeaderName = HeaderName::from_static("Lingxi-Schema");
/// The major version of the payloads. Another one is not understood here.
const VERSION: &str = "1";
/// On an answer: whoever had the request will not answer it.
const GAVE_UP: HeaderName = HeaderName::from_static("Lingxi-Gave-Up");
const PARENT: HeaderName = HeaderName::from_static(trace::PARENT);
const STATE: HeaderName = HeaderName::from_static(trace::STATE);

/// How often a message of another version is worth a line in the log.
const COMPLAIN: Duration = Duration::from_secs(60);

/// Headers for a message that is published in the current span.
pub(super) fn outgoing() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(SCHEMA, VERSION);
    if let Some((parent, state)) = TraceContext::current().headers() {
        headers.insert(PARENT, parent);
        if let Some(state) = state {
            headers.insert(STATE, state);
        }
    }
    headers
}

/// Headers of an answer that says that there is none.
pub(super) fn gave_up() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(GAVE_UP, "1");
    headers
}

pub(super) fn is_gave_up(headers: Option<&HeaderMap>) -> bool {
    headers.is_some_and(|h| h.get(GAVE_UP).is_some())
}

/// The trace of a received message, or `None` if its schema is of another major version: counted, and not to be handled.
/// Messages without a version come from other publishers and are taken.
pub(super) fn incoming(headers: Option<&HeaderMap>, subject: &str) -> Option<TraceContext> {
    let Some(headers) = headers else {
        return Some(TraceContext::default());
    };
    if let Some(version) = headers.get(SCHEMA) {
        let version = version.as_str();
        if version.split('.').next() != Some(VERSION) {
            refused(version, subject);
            return None;
        }
    }
    let text = |name| headers.get(name).map_or("", |value| value.as_str());
    Some(match text(PARENT) {
        "" => TraceContext::default(),
        parent => TraceContext::received(parent, text(STATE)),
    })
}

fn refused(version: &str, subject: &str) {
    static COMPLAINED: Mutex<Option<Instant>> = Mutex::new(None);
    metrics::counter!("lingxi_bus_refused_messages_total").increment(1);
    let Ok(mut complained) = COMPLAINED.lock() else {
        return;
    };
    if complained.is_none_or(|at| at.elapsed() >= COMPLAIN) {
        *complained = Some(Instant::now());
        tracing::error!(
            version,
            understood = VERSION,
            subject,
            "messages of another schema version are refused: run one version of Lingxi on a server, or other namespaces"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_major_version_is_refused() {
        let with = |version: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(SCHEMA, version);
            incoming(Some(&headers), "s").is_some()
        };
        assert!(with("1") && with("1.4"));
        assert!(!with("2") && !with("") && !with("11"));
        assert!(
            incoming(None, "s").is_some(),
            "foreign publishers are taken"
        );
        assert!(incoming(Some(&HeaderMap::new()), "s").is_some());
        assert!(incoming(Some(&outgoing()), "s").is_some());
    }
}
