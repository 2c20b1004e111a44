//! Answers being written: their bytes are held until the connection has taken them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::{Buf as _, Bytes};
use http_body::{Frame, SizeHint};
use lingxi_runtime::budget::Hold;

use super::in_flight::Place;

/// Bytes that are handed to the connection at a time. It asks for more when it has written the last, so the rest of a large
/// answer is here, and held, until then.
const PIECE: usize = 16 * 1024;

/// A body whose size is known, with what it costs.
pub(crate) struct Writing {
    pub(crate) inner: Body,
    /// What came of `inner` and was not handed on.
    pub(crate) rest: Bytes,
    /// It comes by pieces that are held one at a time: they go on as they are.
    pub(crate) streamed: bool,
    pub(crate) _hold: Hold,
    pub(crate) _place: Option<Place>,
}

impl HttpBody for Writing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            match frame.into_data() {
                Ok(data) if self.streamed => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(data) => self.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let piece = if self.rest.len() > PIECE {
            // A copy, not a slice: the last slice would keep the whole alive after it counts no more.
            let piece = Bytes::copy_from_slice(&self.rest[..PIECE]);
            self.rest.advance(PIECE);
            piece
        } else {
            let last = std::mem::take(&mut self.rest);
            Bytes::copy_from_slice(&last)
        };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use lingxi_runtime::budget::Budget;

    use super::*;

    #[tokio::test]
    async fn a_large_answer_is_held_until_its_last_piece_is_taken() {
        let budget = Budget::new(1 << 20);
        let sent: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        let mut body = Body::new(Writing {
            inner: Body::from(sent.clone()),
            rest: Bytes::new(),
            streamed: false,
            _hold: budget.take(sent.len()).unwrap(),
            _place: None,
        });
        assert_eq!(body.size_hint().exact(), Some(100_000));
        let mut read = Vec::new();
        while !body.is_end_stream() {
            assert_eq!(budget.held(), sent.len());
            let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            let data = frame.await.unwrap().unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE);
            read.extend_from_slice(&data);
            let left = (sent.len() - read.len()) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
        }
        assert!(read == sent);
        drop(body);
        assert_eq!(budget.held(), 0);
    }

    #[tokio::test]
    async fn what_is_streamed_goes_on_as_it_came() {
        let piece = Bytes::from(vec![7; 4 * PIECE]);
        let mut body = Body::new(Writing {
            inner: Body::from(piece.clone()),
            rest: Bytes::new(),
            streamed: true,
            _hold: Budget::new(1).take(1).unwrap(),
            _place: None,
        });
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let data = frame.await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data.as_ptr(), piece.as_ptr(), "it was not copied");
        assert!(data == piece && body.is_end_stream());
    }
}
