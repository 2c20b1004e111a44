//! How often somebody may do something, by one count over all nodes.

mod payer;
mod rates;
mod spend;

pub use payer::Payer;
pub(crate) use payer::network;
pub use rates::{Rates, Spending};
pub use spend::Limits;
