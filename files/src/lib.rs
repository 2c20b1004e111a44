//! Attachments as bytes: where they are kept, what they are, and pictures made safe and small.
//!
//! It knows no users and no messages: who may do what is in `im`. Start with [`Blobs`] (a folder, or a bucket of an
//! S3-compatible store, behind one interface), then [`Spool`] (a file on its way in), [`kind_of`] (what its bytes are) and
//! [`prepare`] (a picture without its metadata, and its thumbnail).

mod blobs;
mod bucket;
mod error;
mod folder;
mod key;
mod kind;
mod picture;
mod room;
pub mod settings;
mod spool;
mod strip;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use blobs::{Blobs, Piece, Pieces};
pub use bucket::Options as BucketOptions;
pub use error::{Error, Result};
pub use key::{Key, Part};
pub use kind::{HEAD_BYTES, Kind, kind_of};
pub use picture::{Prepared, Thumbnail, prepare};
pub use spool::Spool;
