//! A delivery that is tried again by itself.

use lingxi_store::{DueDelivery, Error, Next};

use crate::attempt::{attempt, is_told, record};
use crate::deps::{Hook, Shared};
use crate::lane::{End, gone, millis};
use crate::outcome::Outcome;

/// Tries once.
pub(crate) async fn run(shared: &Shared, hook: &Hook, due: DueDelivery) -> End {
    match once(shared, hook, &due).await {
        Ok(end) => end,
        Err(Error::Fenced) => End::Over,
        Err(error) => {
            tracing::warn!(%error, bot = hook.bot(), "a delivery to a webhook waits");
            End::Again
        }
    }
}

async fn once(shared: &Shared, hook: &Hook, due: &DueDelivery) -> Result<End, Error> {
    let (bot, id, store) = (hook.bot(), due.message_id, &shared.store);
    let entry = store.entry(id).await?.filter(|entry| is_told(hook, entry));
    let member = store.member(&due.conversation, bot).await?;
    let (Some(entry), Some(member)) = (entry, member) else {
        store
            .drop_delivery(bot, id, "the message was recalled")
            .await?;
        return Ok(End::Done);
    };
    let (frames, entries) = (shared.im.frames(), std::slice::from_ref(&entry));
    let made = match member.left_seq {
        None => frames.of(entries).await,
        Some(left_seq) => frames.until(left_seq, entries).await,
    };
    let Some(frame) = made.ok().and_then(|mut made| made.pop()) else {
        return Ok(End::Again);
    };
    match attempt(shared, hook, &entry, &frame.json).await {
        Outcome::Delivered(status) => {
            store.finish_delivery(bot, id, status).await?;
            Ok(End::Done)
        }
        Outcome::Gone => gone(shared, hook).await,
        Outcome::Failed(failure) => {
            let next = record(shared, hook, &entry, (due.attempts, false), &failure).await?;
            Ok(match next {
                Next::Hold(wait) | Next::Pass(wait) => End::Wait(millis(wait)),
                Next::Dead => End::Done,
            })
        }
    }
}
