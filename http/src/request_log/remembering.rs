//! A body that remembers its beginning while it is read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;

/// How much of a body is remembered for the log: enough for 200 characters and a masked value or two.
pub(super) const REMEMBERED: usize = 2048;

pub(super) type Seen = Arc<Mutex<Vec<u8>>>;

/// The body that passes.
pub(super) struct Remembering {
    pub(super) inner: Body,
    pub(super) seen: Seen,
}

impl HttpBody for Remembering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let mut seen = self.seen.lock();
            let wanted = REMEMBERED.saturating_sub(seen.len()).min(data.len());
            seen.extend_from_slice(&data[..wanted]);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
