//! Files that messages are about to bring.

use lingxi_domain::detail::FileDetail;
use lingxi_domain::{ErrorCode, FileId, UserId, now_ms};

use super::Files;
use crate::{Error, Result};

impl Files<'_> {
    /// A file that this user uploaded, as a message shows it. It stays long enough for that to be committed.
    ///
    /// # Errors
    /// `file_not_found`, also for a file of somebody else.
    pub(crate) async fn sendable(&self, user: UserId, id: FileId) -> Result<FileDetail> {
        let refused = || {
            let message = "file: there is no such file of yours; upload it first.";
            Error::new(ErrorCode::FileNotFound, message)
        };
        let file = self.im.store.file(id).await?;
        let file = file.filter(|file| file.uploader_id == user);
        let file = file.ok_or_else(refused)?;
        if !self.im.store.file_is_wanted(id, now_ms()).await? {
            return Err(refused());
        }
        Ok(FileDetail {
            id,
            name: file.name,
            size: file.size,
            mime: file.mime,
            pixels: file.pixels,
            thumbnail: file.thumbnail.is_some(),
        })
    }
}
