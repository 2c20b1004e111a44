//! Reading a file: by its uploader, and by those who see a message that brings it.

use std::ops::Range;

use lingxi_domain::{ErrorCode, FileId, UserId};
use lingxi_files::{Blobs, Key, Part, Pieces};
use lingxi_store::StoredFile;

use super::Files;
use crate::Result;

/// Who wants to read.
#[derive(Clone, Copy, Debug)]
pub enum Reader<'a> {
    /// A user.
    User(UserId),
    /// Whoever has a link: it is worth what its maker may read now.
    Link(&'a str),
}

/// A file, or its thumbnail, that may be read.
#[derive(Debug)]
pub struct Opened {
    /// What the file is called.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// Its bytes.
    pub size: u64,
    /// The same for the same bytes, and for no others.
    pub tag: String,
    key: Key,
    part: Part,
    blobs: Blobs,
}

impl Files<'_> {
    /// A file, or its thumbnail.
    ///
    /// # Errors
    /// `file_not_found` for what is not there, and the same for what this reader may not see; `unauthorized` for a link that
    /// works no longer, or for another file.
    pub async fn open(&self, reader: Reader<'_>, id: FileId, part: Part) -> Result<Opened> {
        let user = match reader {
            Reader::User(user) => user,
            Reader::Link(link) => self.maker_of(link, id)?,
        };
        let file = self.visible(user, id).await?;
        let key = Key::parse(&file.blob_key).ok_or(ErrorCode::Internal)?;
        let (mime, size) = match (part, file.thumbnail) {
            (Part::Whole, _) => (file.mime, file.size),
            (Part::Thumbnail, Some(small)) => (small.mime, small.size),
            (Part::Thumbnail, None) => return Err(ErrorCode::FileNotFound.into()),
        };
        Ok(Opened {
            name: file.name,
            mime,
            size: size.unsigned_abs(),
            tag: key.as_str()[..16].to_owned(),
            key,
            part,
            blobs: self.im.blobs.clone(),
        })
    }

    /// A file that this user uploaded, or that a message brings which they may read now.
    pub(super) async fn visible(&self, user: UserId, id: FileId) -> Result<StoredFile> {
        let file = self.im.store.file(id).await?;
        let file = file.ok_or(ErrorCode::FileNotFound)?;
        if file.uploader_id != user && !self.im.store.sees_file(user, id).await? {
            return Err(ErrorCode::FileNotFound.into());
        }
        Ok(file)
    }
}

impl Opened {
    /// These of its bytes, piece by piece.
    ///
    /// # Errors
    /// `file_not_found` where it has just gone, `unavailable`.
    pub async fn read(&self, range: Range<u64>) -> Result<Pieces> {
        Ok(self.blobs.read(&self.key, self.part, range).await?)
    }
}
