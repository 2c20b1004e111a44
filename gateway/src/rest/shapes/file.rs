//! Files.

use lingxi_domain::detail::FileDetail;
use lingxi_domain::frame::server;
use serde::Serialize;
use utoipa::ToSchema;

/// A file that was uploaded.
#[derive(Serialize, ToSchema)]
#[schema(as = File)]
pub(crate) struct File {
    pub(crate) id: i64,
    /// What it is called: one line, no path.
    #[schema(example = "photo.jpg")]
    name: String,
    /// Its bytes, as it is kept.
    pub(crate) size: i64,
    /// What its bytes are.
    #[schema(example = "image/jpeg")]
    mime: String,
    /// Of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<i64>,
    /// Of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<i64>,
    /// The path of a small one, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/api/v1/file/42/thumbnail")]
    thumbnail: Option<String>,
}

impl From<FileDetail> for File {
    fn from(file: FileDetail) -> Self {
        let shown = server::File::from(file);
        Self {
            id: shown.id,
            name: shown.name,
            size: shown.size,
            mime: shown.mime,
            width: shown.width,
            height: shown.height,
            thumbnail: shown.thumbnail,
        }
    }
}
