//! A file from its first byte until it is kept.

use lingxi_domain::detail::FileDetail;
use lingxi_domain::{ErrorCode, FileId, UserId, limits, names, now_ms};
use lingxi_files::{HEAD_BYTES, Key, Part, Prepared, Spool, kind_of, prepare};
use lingxi_store::{NewFile, Thumbnail};

use super::Files;
use super::places::Place;
use crate::{Error, Inner, Result};

const DAY_MS: i64 = 86_400_000;

/// A file on its way in. Dropped before it is finished, it leaves nothing behind.
pub struct Upload<'a> {
    im: &'a Inner,
    user: UserId,
    spool: Spool,
    /// Its first bytes.
    head: Vec<u8>,
    _place: Place,
}

/// A file that came whole, and how it is to be kept.
struct Ready {
    spool: Spool,
    pixels: Option<(i64, i64)>,
    thumbnail: Option<lingxi_files::Thumbnail>,
}

impl<'a> Files<'a> {
    /// Takes a place for an upload, whose whole form has `announced` bytes as far as that is known.
    ///
    /// # Errors
    /// `no_file_store`; `too_large`; `rate_limited` for a user who has too many under way or has uploaded enough today; `storage_full`,
    /// `unavailable`.
    pub async fn begin(&self, user: UserId, announced: Option<u64>) -> Result<Upload<'a>> {
        // What stands around the file is announced with it.
        let announced = announced.map(|all| all.saturating_sub(limits::FILE_FORM_BYTES as u64));
        if announced.is_some_and(|bytes| bytes > limits::MAX_FILE_BYTES as u64) {
            return Err(too_large());
        }
        let place = self.im.uploads.take(user)?;
        let (since, most) = today(self.im);
        let before = self.im.store.uploaded_since(user, since).await?;
        let least = i64::try_from(announced.unwrap_or_default()).unwrap_or(i64::MAX);
        if before.saturating_add(least.max(1)) > most {
            return Err(too_much_today(since));
        }
        // One that does not say how large it is may be as large as any.
        let room = announced.unwrap_or(limits::MAX_FILE_BYTES as u64);
        Ok(Upload {
            im: self.im,
            user,
            spool: self.im.blobs.spool(room).await?,
            head: Vec::with_capacity(HEAD_BYTES),
            _place: place,
        })
    }
}

impl Upload<'_> {
    /// Adds what has come.
    ///
    /// # Errors
    /// `too_large`, `storage_full`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.spool.bytes() + bytes.len() as u64 > limits::MAX_FILE_BYTES as u64 {
            return Err(too_large());
        }
        let missing = HEAD_BYTES - self.head.len();
        self.head
            .extend_from_slice(&bytes[..missing.min(bytes.len())]);
        Ok(self.spool.write(bytes).await?)
    }

    /// It has come whole: keeps it. `name` is what its sender calls it, `said` the media type that they give.
    ///
    /// # Errors
    /// `invalid_request` for what is empty, and for a picture that is cut off or too large to be looked at; `rate_limited` for
    /// a user who has uploaded enough today; `storage_full`, `unavailable`.
    pub async fn finish(self, name: &str, said: Option<&str>) -> Result<FileDetail> {
        if self.spool.bytes() == 0 {
            return Err(Error::invalid(
                "file: it is empty; send one with something in it.",
            ));
        }
        let kind = kind_of(&self.head, said);
        let ready = if kind.is_picture {
            let empty = self.im.blobs.spool(self.spool.bytes()).await?;
            prepare(kind.mime, self.spool, empty).await?.into()
        } else {
            Ready {
                spool: self.spool,
                pixels: None,
                thumbnail: None,
            }
        };
        let (key, name) = (Key::random(), names::file_name(name));
        let size = i64::try_from(ready.spool.bytes()).unwrap_or(i64::MAX);
        let new = NewFile {
            uploader_id: self.user,
            blob_key: key.as_str(),
            name: &name,
            mime: kind.mime,
            size,
            pixels: ready.pixels,
            thumbnail: ready.thumbnail.as_ref().map(|small| Thumbnail {
                mime: small.mime.to_owned(),
                size: small.bytes.len() as i64,
            }),
            created_at: now_ms(),
        };
        let (since, most) = today(self.im);
        let begun = self.im.store.begin_file(&new, (since, most)).await?;
        let id = begun.ok_or_else(|| too_much_today(since))?;
        let detail = FileDetail {
            id,
            size,
            mime: kind.mime.to_owned(),
            pixels: ready.pixels,
            thumbnail: ready.thumbnail.is_some(),
            name,
        };
        match keep(self.im, id, &key, ready).await {
            Ok(()) => Ok(detail),
            Err(error) => {
                undo(self.im, id, &key).await;
                Err(error)
            }
        }
    }
}

impl From<Prepared> for Ready {
    fn from(prepared: Prepared) -> Self {
        Self {
            pixels: Some((prepared.width.into(), prepared.height.into())),
            spool: prepared.spool,
            thumbnail: prepared.thumbnail,
        }
    }
}

/// First the bytes, then the word that they are there.
async fn keep(im: &Inner, id: FileId, key: &Key, ready: Ready) -> Result<()> {
    if let Some(small) = ready.thumbnail {
        let mut spool = im.blobs.spool(small.bytes.len() as u64).await?;
        spool.write(&small.bytes).await?;
        im.blobs.keep(key, Part::Thumbnail, spool).await?;
    }
    im.blobs.keep(key, Part::Whole, ready.spool).await?;
    if !im.store.file_is_kept(id).await? {
        tracing::warn!(id, "a file was swept while it was kept");
        return Err(ErrorCode::Unavailable.into());
    }
    Ok(())
}

/// Removes what there is of a file that could not be kept. Where that fails too, the sweep finds it.
async fn undo(im: &Inner, id: FileId, key: &Key) {
    if let Err(error) = im.blobs.delete(key).await {
        tracing::warn!(%error, id, "what there is of a file is removed later");
        return;
    }
    if let Err(error) = im.store.forget_file(id).await {
        tracing::warn!(%error, id, "a file is forgotten later");
    }
}

/// Since when a day's bytes are counted, and how many there may be.
fn today(im: &Inner) -> (i64, i64) {
    let now = now_ms();
    let most = match im.config.rate_limits {
        true => im.config.files.bytes_per_day,
        false => i64::MAX,
    };
    (now - now.rem_euclid(DAY_MS), most)
}

fn too_large() -> Error {
    let message = "file: send a file of at most 20 MiB.";
    Error::new(ErrorCode::TooLarge, message)
}

fn too_much_today(since: i64) -> Error {
    let left = (since + DAY_MS - now_ms()).max(1);
    let wait = std::time::Duration::from_millis(left.unsigned_abs());
    Error::limited("You have uploaded as much as you may in a day", wait)
}
