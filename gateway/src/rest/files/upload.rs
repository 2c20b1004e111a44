//! `POST /api/v1/file/upload`.

use axum::extract::State;
use lingxi_http::{ApiError, ApiResult, Auth, ErrorBody, Form};
use lingxi_im::Im;
use utoipa::ToSchema;

use crate::rest::shapes::File;

/// A form.
#[derive(ToSchema)]
#[schema(as = FileUpload)]
#[expect(
    dead_code,
    reason = "the form is read piece by piece; this documents it"
)]
pub(crate) struct Uploaded {
    /// At most 20 MiB.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Uploads a file, which a message may bring then. What it is, its bytes say; of a picture whatever is not the picture is
/// taken out.
#[utoipa::path(
    post, path = "/api/v1/file/upload", tag = "file", security(("bearer" = [])),
    request_body(content = Uploaded, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = File), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 408, body = ErrorBody), (status = 413, body = ErrorBody),
        (status = 429, body = ErrorBody, description = "rate_limited: too many at once, or as much as may be in a day")
    )
)]
pub(crate) async fn upload(
    State(im): State<Im>,
    Auth(who): Auth,
    mut form: Form,
) -> ApiResult<File> {
    let taken = take(&im, who.user_id, &mut form).await;
    if taken.is_err() {
        form.throw_away().await;
    }
    let outcome = match &taken {
        Ok(file) => {
            let bytes = file.size.unsigned_abs();
            metrics::counter!("lingxi_files_uploaded_bytes_total").increment(bytes);
            "kept"
        }
        Err(error) if error.code().status() >= 500 => "failed",
        Err(_) => "refused",
    };
    metrics::counter!("lingxi_file_uploads_total", "outcome" => outcome).increment(1);
    Ok(axum::Json(taken?))
}

async fn take(im: &Im, user: i64, form: &mut Form) -> Result<File, ApiError> {
    let mut upload = im.files().begin(user, form.announced()).await?;
    let mut file = form.file("file").await?;
    while let Some(piece) = file.piece().await? {
        upload.write(&piece).await?;
    }
    let (name, said) = (std::mem::take(&mut file.name), file.said.take());
    drop(file);
    // Only a form that came whole is taken.
    form.end().await?;
    let kept = upload.finish(&name, said.as_deref()).await?;
    Ok(kept.into())
}
