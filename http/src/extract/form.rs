//! Forms that bring files, read piece by piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::BodyDataStream;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use lingxi_domain::ErrorCode;
use multer::Multipart;
use parking_lot::Mutex;

use crate::ApiError;
use crate::limits::reading::broken;

/// Bytes of a form that were read and are no file's: heads, other fields, what has just come. More of them at once is no
/// form but an attempt to fill the memory.
const WAITING: usize = 128 * 1024;

/// A form (`multipart/form-data`), of which no more is in memory than has just come.
pub struct Form {
    parts: Multipart<'static>,
    body: SharedBody,
    waiting: Arc<AtomicUsize>,
    announced: Option<u64>,
}

/// The body below a form, which is read on where the form is not.
type SharedBody = Arc<Mutex<BodyDataStream>>;

/// A file of a form.
pub struct FormFile<'a> {
    field: multer::Field<'static>,
    form: &'a Form,
    /// What its sender calls it; empty for nothing.
    pub name: String,
    /// The media type that its sender gives.
    pub said: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("too much of the form is no file")]
struct NoFile;

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let header = |name| request.headers().get(name)?.to_str().ok();
        let boundary = header(CONTENT_TYPE).and_then(|kind| multer::parse_boundary(kind).ok());
        let boundary = boundary.ok_or_else(not_a_form)?;
        let announced = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let waiting = Arc::<AtomicUsize>::default();
        let counted = waiting.clone();
        let body = Arc::new(Mutex::new(request.into_body().into_data_stream()));
        let pieces = poll_fn({
            let body = body.clone();
            move |context| body.lock().poll_next_unpin(context)
        });
        let pieces = pieces.map(move |piece| {
            let piece = piece.map_err(multer_error)?;
            let before = counted.fetch_add(piece.len(), Ordering::Relaxed);
            if before + piece.len() > WAITING {
                return Err(multer_error(NoFile));
            }
            Ok::<_, multer::Error>(piece)
        });
        Ok(Self {
            parts: Multipart::new(pieces, boundary),
            body,
            waiting,
            announced,
        })
    }
}

fn multer_error(error: impl std::error::Error + Send + Sync + 'static) -> multer::Error {
    multer::Error::StreamReadFailed(Box::new(error))
}

fn not_a_form() -> ApiError {
    ApiError::invalid(
        "file: send a form (multipart/form-data) with the file in a field named file.",
    )
}

/// What was wrong with a form, or with the body below it.
fn refused(error: &multer::Error) -> ApiError {
    match error {
        multer::Error::StreamReadFailed(cause) if is_no_file(&**cause) => {
            let message = "Send a form with little beside its file.";
            ApiError::new(ErrorCode::TooLarge, message)
        }
        multer::Error::StreamReadFailed(cause) => broken(&**cause),
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteStream => {
            ApiError::invalid("The body did not arrive whole; send the request again.")
        }
        _ => not_a_form(),
    }
}

fn is_no_file(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<NoFile>() || error.source().is_some_and(is_no_file)
}

impl Form {
    /// Bytes that the whole body is said to have.
    #[must_use]
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// The first field of that name.
    ///
    /// # Errors
    /// `invalid_request` where there is none; whatever is wrong with the body.
    pub async fn file(&mut self, name: &str) -> Result<FormFile<'_>, ApiError> {
        loop {
            let next = self.parts.next_field().await;
            let field = next.map_err(|error| refused(&error))?;
            let field = field.ok_or_else(not_a_form)?;
            if field.name() != Some(name) {
                continue;
            }
            return Ok(FormFile {
                name: field.file_name().unwrap_or_default().to_owned(),
                said: field
                    .content_type()
                    .map(|kind| kind.essence_str().to_owned()),
                field,
                form: self,
            });
        }
    }

    /// Reads what is behind the file, which is dropped by then: the form is whole.
    ///
    /// # Errors
    /// Whatever is wrong with the body.
    pub async fn end(&mut self) -> Result<(), ApiError> {
        while let Some(_other) = self
            .parts
            .next_field()
            .await
            .map_err(|error| refused(&error))?
        {}
        Ok(())
    }
}

impl Form {
    /// Reads what is left of a form that was refused, and throws it away: a client that sends before it reads gets the answer,
    /// and not a reset. Of a body that is larger than it may be, nothing is read.
    pub async fn throw_away(self) {
        let Self { parts, body, .. } = self;
        drop(parts);
        let mut pieces = poll_fn(move |context| body.lock().poll_next_unpin(context));
        while let Some(Ok(_piece)) = pieces.next().await {}
    }
}

impl FormFile<'_> {
    /// The next piece of it.
    ///
    /// # Errors
    /// `too_large`, `request_timeout`, `invalid_request` where it does not come whole.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        let piece = self.field.chunk().await.map_err(|error| refused(&error))?;
        if let Some(piece) = &piece {
            self.form.waiting.fetch_sub(piece.len(), Ordering::Relaxed);
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    fn form(pieces: Vec<String>) -> Request {
        let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
        Request::post("/")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(Body::from_stream(stream::iter(pieces)))
            .unwrap()
    }

    async fn read(pieces: Vec<String>) -> Result<(String, String), ErrorCode> {
        let code = |error: ApiError| error.code();
        let mut form = Form::from_request(form(pieces), &()).await.map_err(code)?;
        let mut file = form.file("file").await.map_err(code)?;
        let mut text = String::new();
        while let Some(piece) = file.piece().await.map_err(code)? {
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
        let name = std::mem::take(&mut file.name);
        drop(file);
        form.end().await.map_err(code)?;
        Ok((name, text))
    }

    const HEAD: &str =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n";

    #[tokio::test]
    async fn the_file_is_found_among_other_fields() {
        let other = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n";
        let pieces = [other, HEAD, "hel", "lo", "\r\n", other, "--b--\r\n"];
        let read = read(pieces.map(str::to_owned).to_vec()).await;
        assert_eq!(read, Ok(("a.txt".to_owned(), "hello".to_owned())));
    }

    #[tokio::test]
    async fn what_is_no_form_or_not_whole_is_refused() {
        let other = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n";
        for pieces in [
            vec![],
            vec!["hello"],
            vec![other],
            vec![HEAD, "hel"],
            vec!["--b--\r\n"],
        ] {
            let pieces: Vec<String> = pieces.into_iter().map(str::to_owned).collect();
            assert_eq!(
                read(pieces.clone()).await,
                Err(ErrorCode::InvalidRequest),
                "{pieces:?}"
            );
        }
        let json = Request::post("/").header(CONTENT_TYPE, "application/json");
        let refused = Form::from_request(json.body(Body::from("{}")).unwrap(), &()).await;
        assert_eq!(refused.err().unwrap().code(), ErrorCode::InvalidRequest);
    }

    #[tokio::test]
    async fn what_is_no_file_is_bounded() {
        let filler = || vec!["x".repeat(1000); 1000];
        let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_owned();
        let endless = [vec![head], filler()].concat();
        assert_eq!(read(endless).await, Err(ErrorCode::TooLarge));
        let field = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n".to_owned();
        let other = [vec![field], filler()].concat();
        assert_eq!(read(other).await, Err(ErrorCode::TooLarge));
    }
}
