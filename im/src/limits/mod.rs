//! How often somebody may do something, by one count over all nodes.

mod payer;
mod rates;
mod runs;
mod spend;

pub use payer::Payer;
pub(crate) use payer::network;
pub use rates::{Rates, Spending};
pub use runs::RunLimits;
pub use spend::Limits;
