//! One attack a file.

pub(super) mod bodies;
pub(super) mod churn;
pub(super) mod escapes;
pub(super) mod events;
pub(super) mod followers;
pub(super) mod groups;
pub(super) mod methods;
pub(super) mod passwords;
pub(super) mod runs;
pub(super) mod searches;
pub(super) mod silence;
pub(super) mod slow_reader;
pub(super) mod sockets;
