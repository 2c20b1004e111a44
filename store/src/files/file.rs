//! A file from its upload on.

use lingxi_domain::{FileId, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{Row, args};

/// Of a file on its way in.
pub(super) const COMING: i64 = 0;
/// Of one that is kept.
pub(super) const KEPT: i64 = 1;
/// Of one on its way out.
pub(super) const GOING: i64 = 2;

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile<'a> {
    /// Whose it is.
    pub uploader_id: UserId,
    /// Under which it is kept.
    pub blob_key: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// Its media type.
    pub mime: &'a str,
    /// Its bytes.
    pub size: i64,
    /// How wide and how high it is, where it is a picture.
    pub pixels: Option<(i64, i64)>,
    /// Its thumbnail, where it has one.
    pub thumbnail: Option<Thumbnail>,
    /// Now, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// A small picture of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its media type.
    pub mime: String,
    /// Its bytes.
    pub size: i64,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id.
    pub id: FileId,
    /// Whose it is.
    pub uploader_id: UserId,
    /// Under which it is kept.
    pub blob_key: String,
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub mime: String,
    /// Its bytes.
    pub size: i64,
    /// How wide and how high it is, where it is a picture.
    pub pixels: Option<(i64, i64)>,
    /// Its thumbnail, where it has one.
    pub thumbnail: Option<Thumbnail>,
    /// When it was uploaded, milliseconds since the Unix epoch.
    pub created_at: i64,
}

const COLUMNS: &str = "id, uploader_id, blob_key, name, mime, size, width, height, thumbnail_mime, thumbnail_size, created_at";

fn stored(row: &Row) -> Result<StoredFile> {
    Ok(StoredFile {
        id: row.int(0)?,
        uploader_id: row.int(1)?,
        blob_key: row.text(2)?,
        name: row.text(3)?,
        mime: row.text(4)?,
        size: row.int(5)?,
        pixels: row.opt_int(6)?.zip(row.opt_int(7)?),
        thumbnail: row
            .opt_text(8)?
            .zip(row.opt_int(9)?)
            .map(|(mime, size)| Thumbnail { mime, size }),
        created_at: row.int(10)?,
    })
}

impl Store {
    /// Writes down a file that is about to be kept, unless its uploader would come over `most` bytes since `since` then:
    /// `None`, and nothing is written. It is there for others once [`Store::file_is_kept`].
    pub async fn begin_file(
        &self,
        new: &NewFile<'_>,
        (since, most): (i64, i64),
    ) -> Result<Option<FileId>> {
        self.retried(|| self.begin_file_once(new, (since, most)))
            .await
    }

    async fn begin_file_once(
        &self,
        new: &NewFile<'_>,
        (since, most): (i64, i64),
    ) -> Result<Option<FileId>> {
        let mut tx = self.begin().await?;
        // One file of a user after the other.
        let lock = format!(
            "SELECT id FROM users WHERE id = ?{}",
            tx.dialect().for_update()
        );
        tx.conn.fetch_one(lock, args![new.uploader_id]).await?;
        let row = tx
            .conn
            .fetch_one(SUM, args![new.uploader_id, since])
            .await?;
        let before = row.map_or(Ok(0), |row| row.int(0))?;
        if before.saturating_add(new.size) > most {
            return Ok(None);
        }
        let sql = "INSERT INTO files (uploader_id, blob_key, name, mime, size, width, height, thumbnail_mime, \
                   thumbnail_size, created_at, unused_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let thumbnail = new.thumbnail.as_ref();
        let values = args![
            new.uploader_id,
            new.blob_key,
            new.name,
            new.mime,
            new.size,
            new.pixels.map(|(width, _)| width),
            new.pixels.map(|(_, height)| height),
            thumbnail.map(|thumbnail| thumbnail.mime.as_str()),
            thumbnail.map(|thumbnail| thumbnail.size),
            new.created_at,
            new.created_at,
        ];
        let id = tx.conn.insert(sql, values).await?;
        tx.commit().await?;
        Ok(Some(id))
    }

    /// The file is safe where it is kept: from now on it is there. Answers whether it was on its way in.
    pub async fn file_is_kept(&self, id: FileId) -> Result<bool> {
        let sql = "UPDATE files SET state = ? WHERE id = ? AND state = ?";
        Ok(self.execute(sql, args![KEPT, id, COMING]).await? == 1)
    }

    /// It is forgotten: nothing of it is kept any more.
    pub async fn forget_file(&self, id: FileId) -> Result<()> {
        let sql = "DELETE FROM files WHERE id = ? AND state <> ?";
        self.execute(sql, args![id, KEPT]).await?;
        Ok(())
    }

    /// Bytes that a user has uploaded since then, milliseconds since the Unix epoch.
    pub async fn uploaded_since(&self, user: UserId, since: i64) -> Result<i64> {
        let row = self
            .reader()
            .await?
            .fetch_one(SUM, args![user, since])
            .await?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// A file that is kept.
    pub async fn file(&self, id: FileId) -> Result<Option<StoredFile>> {
        let sql = format!("SELECT {COLUMNS} FROM files WHERE id = ? AND state = {KEPT}");
        let row = self.reader().await?.fetch_one(sql, args![id]).await?;
        row.as_ref().map(stored).transpose()
    }

    /// A file is about to be sent: it is not swept for as long as if it was uploaded now. Answers whether it was there.
    pub async fn file_is_wanted(&self, id: FileId, now: i64) -> Result<bool> {
        let sql = "UPDATE files SET unused_since = CASE WHEN unused_since < ? THEN ? ELSE unused_since END \
                   WHERE id = ? AND state = ?";
        Ok(self.execute(sql, args![now, now, id, KEPT]).await? == 1)
    }
}

const SUM: &str =
    "SELECT COALESCE(SUM(size), 0) FROM files WHERE uploader_id = ? AND created_at >= ?";
