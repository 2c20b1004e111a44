//! The layer that counts what a request costs.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use lingxi_domain::{ErrorCode, UserId};
use lingxi_im::{Identity, Im, Payer, Spending};
use lingxi_runtime::budget::Budget;
use rand::RngExt as _;

use super::in_flight::{Flights, InFlight, Key, Place};
use super::payer;
use super::reading::Reading;
use super::streamed::{self, Streamed};
use super::writing::Writing;
use crate::network::Network;
use crate::{ApiError, extract};

/// How long one who asks too often waits to be told so, in milliseconds: on each of their connections they ask no faster
/// than this, and refusing them costs the others nothing. Not all of them at the same moment.
const HELD_BACK: Range<u64> = 1000..1500;

/// Bytes of an answer that one request pays for; a user pays for more with requests to come.
const PAID: u64 = 64 * 1024;

/// What the layer works with.
pub(crate) struct Guard {
    im: Im,
    budget: Budget,
    body_timeout: Duration,
    /// `None` where limits are off.
    flights: Option<Flights>,
}

impl Guard {
    pub(crate) fn new(
        im: Im,
        budget: Budget,
        body_timeout: Duration,
        in_flight: Option<InFlight>,
    ) -> Arc<Self> {
        Arc::new(Self {
            im,
            budget,
            body_timeout,
            flights: in_flight.map(Flights::new),
        })
    }

    /// The request's place among those of its user, or of its network where there is no user, once it was paid for.
    async fn admit(&self, request: &mut Request) -> Result<Option<Place>, ApiError> {
        let Some(flights) = &self.flights else {
            return Ok(None);
        };
        let identity = payer::find(&self.im, request).await;
        let client = extract::address(request.extensions());
        let (payer, key) = match (identity, client) {
            (Some(Identity { user_id, .. }), _) => (Payer::User(user_id), Key::User(user_id)),
            (None, Some(client)) => (Payer::Network(client), Key::Network(Network::of(client))),
            (None, None) => return Ok(None),
        };
        let limits = self.im.limits();
        limits.spend(payer, Spending::Request, 1).await?;
        match flights.begin(key) {
            Some(place) => Ok(Some(place)),
            None => Err(ApiError::new(
                ErrorCode::RateLimited,
                "Too many requests at once; wait for the answers to some of them.",
            )),
        }
    }

    /// Makes the user pay for a large answer: what it cost is known only now, so it is given whatever they have left.
    async fn charge(&self, user: UserId, cost: u32) {
        if cost > 0 {
            let limits = self.im.limits();
            limits.slice(user, Spending::Request, cost).await;
        }
    }

    /// The answer, its bytes held until they are written. One without a known size is a stream with bounds of its own.
    fn hold(&self, response: Response, place: Option<Place>) -> Response {
        let Some(size) = response.body().size_hint().exact() else {
            return response;
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let streamed = response.extensions().get::<Streamed>().copied();
        let size = streamed.map_or(size, |streamed| streamed.held);
        if size == 0 {
            return response;
        }
        let Some(hold) = self.budget.take(size) else {
            tracing::warn!(size, "no room for an answer");
            return ApiError::from(ErrorCode::Unavailable).into_response();
        };
        response.map(|inner| {
            Body::new(Writing {
                inner,
                rest: Bytes::new(),
                streamed: streamed.is_some(),
                _hold: hold,
                _place: place,
            })
        })
    }
}

/// What an answer costs beside its request.
fn price(response: &Response) -> u32 {
    let bytes = response.body().size_hint().exact().unwrap_or(0);
    let paid = match response.extensions().get::<Streamed>() {
        Some(_) => streamed::PAID,
        None => PAID,
    };
    u32::try_from(bytes / paid).unwrap_or(u32::MAX)
}

/// Counts a request: its place in flight, its body, its answer.
pub(crate) async fn guard(
    State(guard): State<Arc<Guard>>,
    mut request: Request,
    next: Next,
) -> Response {
    let place = match guard.admit(&mut request).await {
        Ok(place) => place,
        Err(refused) => return held_back(request, refused).await,
    };
    let reading = Reading::new(guard.budget.clone(), guard.body_timeout);
    request.extensions_mut().insert(reading.clone());
    let response = next.run(request.map(|body| reading.body(body))).await;
    if let Some(user) = place.as_ref().and_then(Place::user) {
        guard.charge(user, price(&response)).await;
    }
    guard.hold(response, place)
}

/// The refusal, after a while. What was asked is let go of before that: waiting holds no more than a connection.
async fn held_back(request: Request, refused: ApiError) -> Response {
    drop(request);
    if refused.code() == ErrorCode::RateLimited {
        let wait = rand::rng().random_range(HELD_BACK);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    refused.into_response()
}
