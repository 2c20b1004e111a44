//! How many groups a user may be in.

use lingxi_domain::{ErrorCode, UserId};
use lingxi_store::Tx;

use crate::Inner;
use crate::error::Failed;

/// Locks the user, so that groups that they join at once are counted one after the other.
pub(super) async fn room_for_a_group(im: &Inner, tx: &mut Tx, user: UserId) -> Result<(), Failed> {
    let most = i64::from(im.config.groups_per_user);
    tx.lock_user(user).await?;
    if tx.count_memberships(user, most).await? >= most {
        return Err(ErrorCode::TooManyGroups.into());
    }
    Ok(())
}
