//! `GET /api/v1/file/{id}/thumbnail`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lingxi_http::{ApiError, Auth, ErrorBody, Path, Query};
use lingxi_im::{Im, Part};

use crate::rest::download::{Link, answer};

/// A small picture of a file that has one, at most 320 pixels wide and high; for whom the file is.
#[utoipa::path(
    get, path = "/api/v1/file/{id}/thumbnail", tag = "file", params(("id" = i64, Path), Link),
    security(("bearer" = []), ()),
    responses(
        (status = 200, body = String, content_type = "image/jpeg", description = "its bytes"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody, description = "file_not_found")
    )
)]
pub(crate) async fn thumbnail(
    State(im): State<Im>,
    auth: Result<Auth, ApiError>,
    Path(id): Path<i64>,
    Query(link): Query<Link>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&im, (auth, &link), (id, Part::Thumbnail), &headers).await
}
