//! `POST /api/v1/file/{id}/link`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Path};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

/// What opens a file without a token, for a while.
#[derive(Serialize, ToSchema)]
#[schema(as = FileLink)]
pub(crate) struct Link {
    /// The file's path with the link in it.
    #[schema(example = "/api/v1/file/42?sig=…")]
    url: String,
    /// The thumbnail's, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
    /// The query's value alone.
    sig: String,
    /// When it ends, milliseconds since the Unix epoch.
    expires_at: i64,
}

/// Makes a link to a file that the caller may read. It works as long as they may, and five minutes at most.
#[utoipa::path(
    post, path = "/api/v1/file/{id}/link", tag = "file", params(("id" = i64, Path)), security(("bearer" = [])),
    responses(
        (status = 200, body = Link), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "file_not_found")
    )
)]
pub(crate) async fn link(
    State(im): State<Im>,
    Auth(who): Auth,
    Path(id): Path<i64>,
) -> ApiResult<Link> {
    let link = im.files().link(who.user_id, id).await?;
    let (sig, path) = (link.sig, format!("/api/v1/file/{id}"));
    Ok(axum::Json(Link {
        url: format!("{path}?sig={sig}"),
        thumbnail: link
            .has_thumbnail
            .then(|| format!("{path}/thumbnail?sig={sig}")),
        expires_at: link.expires_at,
        sig,
    }))
}
