//! Bodies being read: how large, how long, and out of the process's budget.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use lingxi_domain::ErrorCode;
use lingxi_domain::limits::BODY_BYTES;
use lingxi_runtime::budget::{Budget, Hold};
use parking_lot::Mutex;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::pace::Pace;
use crate::ApiError;

/// What a body costs that is handed on piece by piece, in bytes: what waits between the connection and the disk.
pub(crate) const STREAMED: usize = 256 * 1024;

/// How much of a body over its limit is read and thrown away, so that a client that sends before it reads gets the
/// answer and not a reset.
const THROWN_AWAY: usize = 2 * 1024 * 1024;

/// How large a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    bytes: usize,
    streamed: bool,
}

impl BodyLimit {
    /// A body that is never held whole: it costs 256 KiB, however large it is, and has time for as long as it
    /// goes on coming. Whoever reads it hands it on piece by piece.
    #[must_use]
    pub const fn streamed(bytes: usize) -> Self {
        let streamed = true;
        Self { bytes, streamed }
    }
}

impl From<usize> for BodyLimit {
    fn from(bytes: usize) -> Self {
        let streamed = false;
        Self { bytes, streamed }
    }
}

/// Gives an endpoint another limit for its body than 64 KiB.
pub fn body_limit<S>(
    endpoint: UtoipaMethodRouter<S>,
    limit: impl Into<BodyLimit>,
) -> UtoipaMethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    endpoint.layer(from_fn_with_state(limit.into(), set_limit))
}

async fn set_limit(State(limit): State<BodyLimit>, request: Request, next: Next) -> Response {
    if let Some(reading) = request.extensions().get::<Arc<Reading>>() {
        reading.limit.store(limit.bytes, Ordering::Relaxed);
        reading.streamed.store(limit.streamed, Ordering::Relaxed);
    }
    next.run(request).await
}

/// What the body of one request may take. What it has taken stays taken until this is dropped, at the end of the
/// request: what was parsed of it takes as much.
#[derive(Debug)]
pub(crate) struct Reading {
    limit: AtomicUsize,
    streamed: AtomicBool,
    deadline: Duration,
    budget: Budget,
    held: Mutex<Option<Hold>>,
}

impl Reading {
    pub(crate) fn new(budget: Budget, deadline: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(BODY_BYTES),
            streamed: AtomicBool::new(false),
            deadline,
            budget,
            held: Mutex::new(None),
        })
    }

    /// The body, which obeys from its first read on: a route may still change the limit until then.
    pub(crate) fn body(self: &Arc<Self>, inner: Body) -> Body {
        if inner.is_end_stream() {
            return inner;
        }
        Body::new(Read {
            inner,
            reading: self.clone(),
            pace: None,
            taken: 0,
            arrived: 0,
        })
    }

    fn take(&self, bytes: usize) -> bool {
        let mut held = self.held.lock();
        match &mut *held {
            Some(hold) => hold.grow(bytes),
            none => {
                *none = self.budget.take(bytes);
                none.is_some()
            }
        }
    }

    fn give_back(&self) {
        *self.held.lock() = None;
    }
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("the body is over {0} bytes")]
    TooLarge(usize),
    #[error("the body did not arrive in time")]
    Late,
    #[error("there is no room for the body")]
    NoRoom,
}

struct Read {
    inner: Body,
    reading: Arc<Reading>,
    /// Runs from the first read on.
    pace: Option<Pace>,
    /// Bytes that were taken from the budget.
    taken: usize,
    arrived: usize,
}

impl Read {
    /// Takes what is announced at once, and what is not as it arrives.
    fn make_room(&mut self, needed: usize) -> Result<(), Refused> {
        let limit = self.reading.limit.load(Ordering::Relaxed);
        if needed > limit {
            self.reading.give_back();
            self.taken = 0;
            return Err(Refused::TooLarge(limit));
        }
        let streamed = self.reading.streamed.load(Ordering::Relaxed);
        let held = if streamed { STREAMED } else { needed };
        let missing = held.saturating_sub(self.taken);
        if missing > 0 {
            if !self.reading.take(missing) {
                return Err(Refused::NoRoom);
            }
            self.taken = held;
        }
        Ok(())
    }
}

impl HttpBody for Read {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.pace.is_none() {
            let announced = usize::try_from(this.inner.size_hint().lower()).unwrap_or(usize::MAX);
            let streamed = this.reading.streamed.load(Ordering::Relaxed);
            let refused = this.make_room(announced).err();
            // What nobody may read is refused as often as it is asked for.
            if refused.is_none() || !streamed {
                this.pace = Some(Pace::new(this.reading.deadline, streamed));
            }
            if let Some(refused) = refused {
                return Poll::Ready(Some(Err(axum::Error::new(refused))));
            }
        }
        if let Some(pace) = &mut this.pace
            && pace.is_late(context)
        {
            return Poll::Ready(Some(Err(axum::Error::new(Refused::Late))));
        }
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.arrived += data.len();
            if let Some(pace) = &mut this.pace {
                pace.arrived(this.arrived);
            }
            // A body over its limit is counted no further: whoever reads on throws it away.
            if let Err(refused) = this.make_room(this.arrived) {
                return Poll::Ready(Some(Err(axum::Error::new(refused))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The whole body, or why there is none.
pub(crate) async fn whole(mut body: Body) -> Result<BytesMut, ApiError> {
    let mut read = BytesMut::new();
    while let Some(frame) = next(&mut body).await {
        match frame {
            Ok(frame) => {
                if let Some(data) = frame.data_ref() {
                    read.extend_from_slice(data);
                }
            }
            Err(error) => {
                drop(read);
                let refused = refusal(&error);
                if let Some(Refused::TooLarge(_)) = refused {
                    throw_away(body).await;
                }
                return Err(refused.map_or_else(cut, ApiError::from));
            }
        }
    }
    Ok(read)
}

async fn next(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
    std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

async fn throw_away(mut body: Body) {
    let mut left = THROWN_AWAY;
    if body.size_hint().lower() > left as u64 {
        return;
    }
    // Each read answers again that it is too large; only the end and the deadline are news.
    while let Some(frame) = next(&mut body).await {
        let size = match &frame {
            Ok(frame) => frame.data_ref().map_or(0, Bytes::len),
            Err(error) if matches!(refusal(error), Some(Refused::TooLarge(_))) => 16 * 1024,
            Err(_) => return,
        };
        left = left.saturating_sub(size);
        if left == 0 {
            return;
        }
    }
}

/// Why a body that is handed on piece by piece broke off.
pub(crate) fn broken(error: &(dyn std::error::Error + 'static)) -> ApiError {
    refusal(error).map_or_else(cut, ApiError::from)
}

fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<Refused> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Some(*refused);
        }
        cause = error.source();
    }
    None
}

fn cut() -> ApiError {
    ApiError::invalid("The body did not arrive whole; send the request again.")
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooLarge(limit) => {
                let message = format!("Send a body of at most {} KiB.", limit / 1024);
                Self::new(ErrorCode::TooLarge, message)
            }
            Refused::Late => ErrorCode::RequestTimeout.into(),
            Refused::NoRoom => ErrorCode::Unavailable.into(),
        }
    }
}

#[cfg(test)]
mod tests;
