//! The REST API: the flat table of its routes, and what is said of all of them.

mod contacts;
mod groups;
mod messages;
mod users;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use lingxi_domain::ErrorCode;
use lingxi_im::Im;
use lingxi_runtime::request_log;
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::error::ApiError;
use crate::state::AppState;

/// Every REST route, except those that a module of its own answers (`ws`, `ai`).
pub(crate) fn routes() -> OpenApiRouter<Im> {
    OpenApiRouter::with_openapi(Documentation::openapi())
        .routes(routes!(users::register))
        .routes(routes!(users::login))
        .routes(routes!(users::me))
        .routes(routes!(users::search))
        .routes(routes!(users::logout))
        .routes(routes!(contacts::list))
        .routes(routes!(contacts::add))
        .routes(routes!(contacts::delete))
        .routes(routes!(groups::create))
        .routes(routes!(groups::mine))
        .routes(routes!(groups::search))
        .routes(routes!(groups::info))
        .routes(routes!(groups::members))
        .routes(routes!(groups::join))
        .routes(routes!(groups::leave))
        .routes(routes!(groups::invite))
        .routes(routes!(groups::kick))
        .routes(routes!(messages::conversations))
        .routes(routes!(messages::history))
        .routes(routes!(messages::read))
        .routes(routes!(messages::recall))
}

/// The public port: every route, its documentation, `extra`, and the same errors for what is none of them.
pub(crate) fn app(state: AppState, extra: Router) -> Router {
    let documented = routes()
        .with_state(state.im.clone())
        .routes(routes!(crate::ws::accept))
        .merge(crate::ai::routes());
    let (router, api) = documented.split_for_parts();
    let router = router.route("/", get(home));
    public(router.with_state(state), api, extra)
}

/// What somebody sees who opens the address in a browser.
async fn home() -> Html<&'static str> {
    Html(include_str!("home.html"))
}

fn public(routes: Router, api: utoipa::openapi::OpenApi, extra: Router) -> Router {
    routes
        .merge(SwaggerUi::new("/docs").url("/api/openapi.json", api))
        .merge(extra)
        .fallback(async || ApiError::from(ErrorCode::NotFound))
        .method_not_allowed_fallback(async || ApiError::from(ErrorCode::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(panicked))
        // Front ends on other origins bring a token; no cookie is ever read.
        .layer(CorsLayer::permissive())
        .layer(from_fn(request_log::log))
}

/// A bug ends its request, and nothing else; what it was is logged.
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause = text.unwrap_or("unknown"), "a request panicked");
    ApiError::from(ErrorCode::Internal).into_response()
}

/// What the API is called, and how to come in.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lingxi",
        description = "Instant messaging with an assistant. Failures are `{\"error\",\"message\"}`; times are \
                       milliseconds since the Unix epoch; ids are integers below 2^53."
    ),
    modifiers(&BearerToken)
)]
struct Documentation;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// That it was done.
#[derive(Serialize, ToSchema)]
struct Done {
    /// What was done, for people.
    message: &'static str,
}

impl Done {
    fn json(message: &'static str) -> axum::Json<Self> {
        axum::Json(Self { message })
    }
}

#[cfg(test)]
mod tests;
