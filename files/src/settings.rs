//! `[files]` of the configuration.

use std::path::{Path, PathBuf};

use lingxi_runtime::config::check::{require, within};
use lingxi_runtime::config::{Error, Secret};
use lingxi_runtime::shutdown::Shutdown;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::blobs::Blobs;
use crate::bucket::Options;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// `[files]`: attachments, where they are kept and how much of them there may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// `file:///folder` or `s3://bucket/prefix`.
    pub url: Option<String>,
    /// Of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Of the bucket.
    pub region: String,
    /// The id of the key to it.
    pub key: Option<String>,
    /// The key to it.
    pub secret: Option<Secret>,
    /// Mebibytes that a user may upload a day.
    pub mib_per_day: u32,
    /// Uploads of one user at a time, in each process.
    pub uploads_per_user: usize,
    /// Uploads of all users at a time, in each process.
    pub uploads: usize,
    /// Mebibytes of the local disk that files leave free.
    pub keep_free_mib: u64,
    /// Seconds after which a file goes that no message has.
    pub unsent_seconds: u64,
    /// Seconds for which a link to a file works.
    pub link_seconds: u64,
}

/// Where files are to be kept.
enum Place {
    Folder(PathBuf),
    Bucket { bucket: String, prefix: String },
}

const URL: &str = "expected file:///folder or s3://bucket/prefix";

impl Files {
    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        within("files.mib_per_day", self.mib_per_day, 1, 1 << 20)?;
        within("files.uploads_per_user", self.uploads_per_user, 1, 1_000)?;
        within("files.uploads", self.uploads, 1, 10_000)?;
        within("files.keep_free_mib", self.keep_free_mib, 0, 1 << 30)?;
        within("files.unsent_seconds", self.unsent_seconds, 1, 31_622_400)?;
        within("files.link_seconds", self.link_seconds, 1, 86_400)?;
        if let Some(url) = &self.url {
            require(place(url).is_some(), "files.url", url, URL)?;
        }
        if let Some(endpoint) = &self.endpoint {
            let known = Url::parse(endpoint).is_ok_and(|url| {
                ["http", "https"].contains(&url.scheme()) && url.password().is_none()
            });
            let accepted = "expected http://host:port or https://host:port";
            require(known, "files.endpoint", endpoint, accepted)?;
        }
        require(
            self.key.is_some() == self.secret.is_some(),
            "files.key",
            "",
            "expected both files.key and files.secret, or neither",
        )
    }

    /// Opens the place. Without a URL it is the folder `files` below `data`, or none where several processes would have to
    /// share it: then `data` is no place for what is to stay. What goes on behind requests belongs to `base`.
    ///
    /// # Errors
    /// [`crate::Error::Setup`] says what to do.
    pub fn open(&self, data: &Path, alone: bool, base: &Shutdown) -> crate::Result<Blobs> {
        let keep_free = self.keep_free_mib.saturating_mul(1024 * 1024);
        match self.url.as_deref().map(place) {
            None if alone => Blobs::folder(data.join("files"), keep_free),
            None => Ok(Blobs::none()),
            Some(None) => Err(crate::Error::Setup(format!("files.url: {URL}"))),
            Some(Some(Place::Folder(root))) => Blobs::folder(root, keep_free),
            Some(Some(Place::Bucket { bucket, prefix })) => {
                let options = Options {
                    bucket,
                    prefix,
                    endpoint: self.endpoint.clone(),
                    region: self.region.clone(),
                    access_key: self.key.clone(),
                    secret_key: self.secret.as_ref().map(|key| key.expose().to_owned()),
                };
                let spool = (data.join("incoming"), keep_free);
                Blobs::bucket(&options, spool, base.tasks("files"))
            }
        }
    }
}

fn place(url: &str) -> Option<Place> {
    let url = Url::parse(url).ok()?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.scheme() {
        _ if !plain => None,
        "file" => {
            let folder = url.to_file_path().ok()?;
            (folder.parent().is_some()).then_some(Place::Folder(folder))
        }
        "s3" => Some(Place::Bucket {
            bucket: url.host_str().filter(|name| !name.is_empty())?.to_owned(),
            prefix: url.path().trim_matches('/').to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lingxi_runtime::config::section;

    use super::*;

    fn files() -> Files {
        section(DEFAULTS, "files").unwrap()
    }

    #[test]
    fn a_place_is_a_folder_or_a_bucket() {
        files().check().unwrap();
        for good in [
            "file:///srv/lingxi",
            "s3://lingxi",
            "s3://lingxi/some/prefix/",
        ] {
            let url = Some(good.to_owned());
            Files { url, ..files() }.check().unwrap();
        }
        for bad in [
            "",
            "lingxi",
            "/srv",
            "file:///",
            "file://host/srv",
            "s3://",
            "s3://key:secret@b",
            "http://b",
            "s3://b?x=y",
        ] {
            let url = Some(bad.to_owned());
            assert!(Files { url, ..files() }.check().is_err(), "{bad}");
        }
    }

    #[test]
    fn half_a_key_is_none() {
        let key = Some("id".to_owned());
        assert!(Files { key, ..files() }.check().is_err());
    }
}
