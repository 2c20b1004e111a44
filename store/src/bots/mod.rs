//! Bots, and what is delivered to their webhooks.
//!
//! The log of a conversation is the outbox: a cursor for each bot and conversation says how far its webhook was told, so
//! that a message costs nothing more where it is committed. Start with `webhooks` (what an operator sets), then `lanes`
//! (what is due), `failures` (what did not succeed at once) and `leases` (who delivers).

mod accounts;
mod cursors;
mod deliveries;
mod failures;
mod lanes;
mod leases;
mod webhooks;

pub use accounts::{Bot, BotWebhook};
pub use cursors::WebhookMove;
pub use deliveries::{Delivery, DeliveryState};
pub use failures::{FailedAttempt, Next};
pub use lanes::{DueDelivery, Lane, Lanes};
pub use leases::HeldWebhook;

/// The condition of a webhook that is delivered to, on a row of `bots`.
const IN_USE: &str = "url IS NOT NULL AND disabled_at IS NULL AND EXISTS \
    (SELECT 1 FROM users u WHERE u.id = bots.user_id AND u.banned = 0 AND u.deleted_at IS NULL)";
