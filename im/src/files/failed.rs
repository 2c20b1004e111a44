//! What went wrong with a file, as far as a user may know it.

use lingxi_domain::ErrorCode;
use lingxi_files::Error as Cause;

use crate::Error;

impl From<Cause> for Error {
    /// Logs the cause: this is where it ends.
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::BadPicture(why) => {
                Self::invalid(format!("file: the picture cannot be used: {why}."))
            }
            Cause::Full => {
                tracing::error!("the disk for files is full");
                ErrorCode::StorageFull.into()
            }
            Cause::NoStore => ErrorCode::NoFileStore.into(),
            Cause::NotThere => {
                tracing::error!("a file that is written down is not where it is kept");
                ErrorCode::FileNotFound.into()
            }
            Cause::Setup(error) | Cause::Failed(error) => {
                tracing::warn!(error, "files cannot be kept or read");
                ErrorCode::Unavailable.into()
            }
        }
    }
}
