//! What a change of who is in a group costs: by the members who are told.

use lingxi_domain::UserId;

use crate::{Inner, Limits, Payer, Result, Spending};

/// A change of membership, as it is paid for.
#[derive(Clone, Copy)]
pub(super) enum Priced {
    /// Joining or leaving by oneself.
    Own,
    /// Taking this user in.
    Invitation(Option<UserId>),
    /// Removing somebody.
    Kick,
}

/// Members who are told of what is done about a message, for one token.
const ABOUT_MESSAGES: i64 = 1000;

/// Pays for what is done about a message of this conversation.
///
/// # Errors
/// `rate_limited`.
pub(crate) async fn pay_about_message(
    im: &Inner,
    actor: UserId,
    conversation: Option<&str>,
) -> Result<()> {
    let size = match conversation.filter(|key| key.starts_with("g:")) {
        Some(group) => im.store.group_size(group).await?,
        None => None,
    };
    let members = size.map_or(0, |(_, members)| members);
    let cost = u32::try_from(1 + members / ABOUT_MESSAGES).unwrap_or(u32::MAX);
    let limits = Limits { im };
    limits
        .spend(Payer::User(actor), Spending::Membership, cost)
        .await
}

/// Members told for one token.
const OWN: i64 = 50;
const INVITATION: i64 = 100;
const KICK: i64 = 200;

/// Pays for a change in a group of so many members.
///
/// # Errors
/// `rate_limited`.
pub(super) async fn pay(im: &Inner, actor: UserId, change: Priced, members: i64) -> Result<()> {
    let limits = Limits { im };
    let payer = Payer::User(actor);
    let told_for_one = match change {
        Priced::Own => OWN,
        Priced::Invitation(whom) => {
            limits.spend(payer, Spending::Invitation, 1).await?;
            // Whoever is taken in is told, too, and cannot help it.
            if let Some(whom) = whom {
                let forced = Payer::User(whom);
                limits.spend(forced, Spending::BeingInvited, 1).await?;
            }
            INVITATION
        }
        Priced::Kick => KICK,
    };
    let cost = u32::try_from(1 + members / told_for_one).unwrap_or(u32::MAX);
    limits.spend(payer, Spending::Membership, cost).await
}
