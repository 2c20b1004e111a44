//! Where events go: one *link* to each gateway, a stream shared by all runs that are followed there. A pump carries one
//! run's events to one subscriber over it.

mod hub;
mod link;
mod pump;

pub(crate) use hub::Hub;
pub(crate) use pump::pump;
