//! Answers that are read from somewhere while they are written: of known size, and never held whole.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};

/// What such an answer costs while it is written, in bytes: the piece in hand, and the next one.
const HELD: usize = 128 * 1024;
/// Bytes of such an answer that one request pays for.
pub(super) const PAID: u64 = 1024 * 1024;

/// Says of an answer that it is one of these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streamed {
    pub(super) held: usize,
}

/// The answer whose body are these pieces, of `bytes` bytes in all. One that ends before cuts the connection: the client
/// sees that something is missing.
pub fn streamed<S, E>(bytes: u64, pieces: S) -> Response
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let held = usize::try_from(bytes).unwrap_or(HELD).min(HELD);
    let body = Pieces {
        inner: Box::pin(pieces),
        left: bytes,
    };
    let mut response = Response::new(Body::new(body));
    response.extensions_mut().insert(Streamed { held });
    response
}

struct Pieces<S> {
    inner: Pin<Box<S>>,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("what is answered is not as long as was said")]
struct WrongLength;

impl<S, E> HttpBody for Pieces<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let wrong = || Poll::Ready(Some(Err(axum::Error::new(WrongLength))));
        match ready!(self.inner.as_mut().poll_next(context)) {
            Some(Ok(piece)) => match self.left.checked_sub(piece.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(Frame::data(piece))))
                }
                None => wrong(),
            },
            Some(Err(error)) => {
                tracing::warn!(%error, "an answer broke off");
                Poll::Ready(Some(Err(axum::Error::new(error))))
            }
            None if self.left > 0 => wrong(),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::stream;

    use super::*;

    async fn read(said: u64, pieces: &[&'static str]) -> Option<String> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())))
            .collect();
        let response = streamed(said, stream::iter(pieces));
        assert_eq!(response.body().size_hint().exact(), Some(said));
        let bytes = to_bytes(response.into_body(), usize::MAX).await.ok()?;
        String::from_utf8(bytes.to_vec()).ok()
    }

    #[tokio::test]
    async fn what_is_not_as_long_as_was_said_breaks_off() {
        assert_eq!(read(5, &["ab", "cde"]).await.as_deref(), Some("abcde"));
        assert_eq!(read(0, &[]).await.as_deref(), Some(""));
        assert_eq!(read(6, &["ab", "cde"]).await, None);
        assert_eq!(read(4, &["ab", "cde"]).await, None);
    }
}
