//! One connection, from its first byte to its end or its upgrade.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use super::activity::Activity;
use super::stream::Stream;

/// What a connection reads before it must have a whole head, and writes before it asks for more of an answer, in bytes.
const BUFFER: usize = 16 * 1024;
/// Headers of one request.
const MAX_HEADERS: usize = 100;

/// Serves a connection until it ends. After `stop` it finishes the request that it is working on; at `cut` it ends.
pub(super) async fn serve(
    stream: Stream,
    peer: SocketAddr,
    app: Router,
    stop: CancellationToken,
    cut: CancellationToken,
) {
    let activity = stream.activity();
    let told = activity.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (activity, mut app) = (told.clone(), app.clone());
        async move {
            activity.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = match app.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            Ok::<_, Infallible>(watched(response, activity))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The deadlines are the activity's: this one would end an idle connection as if it were late.
        .header_read_timeout(None)
        .max_buf_size(BUFFER)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
                return;
            }
            () = activity.end.notified() => {
                if activity.is_cut() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = cut.cancelled() => return,
        }
    }
}

fn watched(response: Response<Body>, activity: Arc<Activity>) -> Response<Watched> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        activity.upgraded();
    }
    activity.answer(response.body().size_hint().exact());
    response.map(|inner| Watched { inner, activity })
}

/// An answer's body, which tells when it was handed on.
struct Watched {
    inner: Body,
    activity: Arc<Activity>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.activity.answered();
    }
}
