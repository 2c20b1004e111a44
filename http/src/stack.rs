//! The layers around the routes, the same for every HTTP edge, alone or with others in one process.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::ErrorCode;
use lingxi_im::Im;
use lingxi_runtime::budget::Budget;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::hosts::{self, Hosts};
use crate::limits::{Guard, guard};
use crate::openapi::{Routes, with_documentation};
use crate::{ApiError, Options, client_address, origins, request_log};

/// The application of an edge that is bound to `address`: its routes and their documentation, the contract's errors for
/// what is none of them, and around all of it, from the outside in: the client's address, the log, no guessing of types,
/// `Host`, CORS, panics, limits.
pub fn app(
    routes: Routes,
    options: &Options,
    im: Im,
    budget: Budget,
    address: SocketAddr,
) -> Router {
    let behind_balancer = !options.trusted_proxies.is_empty();
    let hosts = Hosts::of(address, &options.hosts, behind_balancer);
    let counted = Guard::new(im, budget, options.body_timeout, options.in_flight);
    let router = with_documentation(routes)
        .fallback(async || ApiError::from(ErrorCode::NotFound))
        .method_not_allowed_fallback(async || ApiError::from(ErrorCode::MethodNotAllowed))
        // The limits know better.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(counted, guard))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(origins::layer(&options.origins))
        .layer(from_fn_with_state(hosts, hosts::check))
        .layer(no_guessing())
        .layer(from_fn(request_log::log));
    client_address::behind(router, options.trusted_proxies.clone())
}

/// No browser takes an answer for something else than it says it is.
pub(crate) fn no_guessing() -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}

/// A bug ends its request, and nothing else; what it was is logged.
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause = text.unwrap_or("unknown"), "a request panicked");
    ApiError::from(ErrorCode::Internal).into_response()
}
