//! `GET /api/v1/file/{id}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lingxi_http::{ApiError, Auth, ErrorBody, Path, Query};
use lingxi_im::{Im, Part};

use crate::rest::download::{Link, answer};

/// A file: for its uploader, and for those who see a message that brings it. With `?sig=` of a link no token is needed.
/// Ranges are answered; only pictures, sound, video and plain text are shown by browsers, all else is saved.
#[utoipa::path(
    get, path = "/api/v1/file/{id}", tag = "file", params(("id" = i64, Path), Link), security(("bearer" = []), ()),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream", description = "its bytes"),
        (status = 206, description = "the range that was asked for"), (status = 304, description = "it is what the client has"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody, description = "file_not_found"),
        (status = 416, body = ErrorBody)
    )
)]
pub(crate) async fn get(
    State(im): State<Im>,
    auth: Result<Auth, ApiError>,
    Path(id): Path<i64>,
    Query(link): Query<Link>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&im, (auth, &link), (id, Part::Whole), &headers).await
}
