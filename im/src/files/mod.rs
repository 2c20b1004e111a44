//! Attachments: uploading them, who may read them, and removing those that nobody needs.

mod failed;
mod link;
mod open;
mod places;
mod send;
mod sweep;
mod upload;

pub use link::FileLink;
pub use open::{Opened, Reader};
pub(crate) use places::Places;
pub use upload::Upload;

use crate::Inner;

/// Attachments. Made by [`crate::Im::files`].
#[derive(Clone, Copy)]
pub struct Files<'a> {
    pub(crate) im: &'a Inner,
}

impl Files<'_> {
    /// Where files are kept, for the log.
    pub fn place(&self) -> String {
        self.im.blobs.describe()
    }
}
