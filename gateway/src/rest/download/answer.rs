//! Answering with a file.

use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use lingxi_domain::ErrorCode;
use lingxi_http::{ApiError, Auth};
use lingxi_im::{Im, Opened, Part, Reader};
use serde::Deserialize;
use utoipa::IntoParams;

use super::disposition::disposition;
use super::ranges::{Asked, asked};

/// How a file is asked for without a token.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Link {
    /// Of `POST /api/v1/file/{id}/link`.
    sig: Option<String>,
}

/// The file, or as much of it as is asked for.
pub(in crate::rest) async fn answer(
    im: &Im,
    (auth, link): (Result<Auth, ApiError>, &Link),
    (id, part): (i64, Part),
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let reader = match &link.sig {
        Some(sig) => Reader::Link(sig),
        None => Reader::User(auth?.0.user_id),
    };
    let file = im.files().open(reader, id, part).await?;
    let tag = format!("\"{}\"", file.tag);
    let said = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let has_it = |list: &str| {
        let mut tags = list
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|known| known == tag || known == "*")
    };
    if said(IF_NONE_MATCH).is_some_and(has_it) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        put(&mut response, ETAG, &tag)?;
        put(&mut response, CACHE_CONTROL, CACHE)?;
        return Ok(response);
    }
    // A range of another file than the client has would be of no use.
    let range = said(RANGE).filter(|_| said(IF_RANGE).is_none_or(|known| known == tag));
    let (status, range) = match asked(range, file.size) {
        Asked::Whole => (StatusCode::OK, 0..file.size),
        Asked::Range(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nowhere => return nowhere(file.size),
    };
    let bytes = range.end - range.start;
    let pieces = file.read(range.clone()).await?;
    let counted = pieces.inspect(|piece| {
        if let Ok(piece) = piece {
            metrics::counter!("lingxi_files_downloaded_bytes_total").increment(piece.len() as u64);
        }
    });
    let mut response = lingxi_http::streamed(bytes, counted);
    *response.status_mut() = status;
    if status == StatusCode::PARTIAL_CONTENT {
        let of = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
        put(&mut response, CONTENT_RANGE, &of)?;
    }
    put(&mut response, CONTENT_LENGTH, &bytes.to_string())?;
    put(&mut response, ETAG, &tag)?;
    describe(&mut response, &file)?;
    Ok(response)
}

/// The client keeps it, and nothing between does. It asks again each time: who may see it may change.
const CACHE: &str = "private, no-cache";

/// What a browser is told of it, so that nothing in it is run.
fn describe(response: &mut Response, file: &Opened) -> Result<(), ApiError> {
    let shown = shown(&file.mime);
    let mime = match (file.mime.as_str(), shown) {
        ("text/plain", _) => "text/plain; charset=utf-8",
        (mime, true) => mime,
        // What a browser would run or follow is only bytes.
        (mime, false) if is_markup(mime) => "application/octet-stream",
        (mime, false) => mime,
    };
    put(response, CONTENT_TYPE, mime)?;
    put(
        response,
        CONTENT_DISPOSITION,
        &disposition(shown, &file.name),
    )?;
    put(
        response,
        CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'",
    )?;
    put(response, CACHE_CONTROL, CACHE)?;
    put(response, VARY, "authorization")?;
    put(response, ACCEPT_RANGES, "bytes")
}

/// What browsers show and do not run.
fn shown(mime: &str) -> bool {
    matches!(
        mime,
        "text/plain"
            | "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "audio/mpeg"
            | "audio/ogg"
            | "audio/opus"
            | "audio/wav"
            | "audio/x-wav"
            | "audio/m4a"
            | "audio/aac"
            | "audio/x-flac"
            | "video/mp4"
            | "video/webm"
            | "video/quicktime"
    )
}

fn is_markup(mime: &str) -> bool {
    ["html", "xml", "svg", "script"]
        .iter()
        .any(|word| mime.contains(word))
}

fn nowhere(size: u64) -> Result<Response, ApiError> {
    let message = format!("Ask for a range within the {size} bytes of the file.");
    let mut response = ApiError::new(ErrorCode::RangeNotSatisfiable, message).into_response();
    put(&mut response, CONTENT_RANGE, &format!("bytes */{size}"))?;
    Ok(response)
}

fn put(response: &mut Response, name: HeaderName, value: &str) -> Result<(), ApiError> {
    let value = HeaderValue::from_str(value).map_err(|error| {
        tracing::error!(%error, %name, "a header cannot be written");
        ApiError::from(ErrorCode::Internal)
    })?;
    response.headers_mut().insert(name, value);
    Ok(())
}
