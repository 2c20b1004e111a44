//! One conversation of one webhook, in order.

use std::time::Duration;

use lingxi_domain::Seq;
use lingxi_store::{Entry, Error, Lane, Next};

use crate::attempt::{attempt, is_told, record};
use crate::deps::{Hook, Shared};
use crate::outcome::Outcome;

/// Entries that are read at once; then it is another conversation's turn.
const PIECE: Seq = 16;

/// How a piece of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// There is nothing more, as far as is known.
    Done,
    /// There is more.
    More,
    /// An attempt failed; the next one is due after that time.
    Wait(Duration),
    /// Something of ours failed: the store was away, say.
    Again,
    /// The webhook is this process's no more, or no more at all.
    Over,
}

/// Tells the webhook of a piece of the conversation.
pub(crate) async fn run(shared: &Shared, hook: &Hook, lane: Lane) -> End {
    match piece(shared, hook, &lane).await {
        Ok(end) => end,
        Err(Error::Fenced) => End::Over,
        Err(error) => {
            tracing::warn!(%error, bot = hook.bot(), "deliveries to a webhook wait");
            End::Again
        }
    }
}

async fn piece(shared: &Shared, hook: &Hook, lane: &Lane) -> Result<End, Error> {
    let (bot, conversation) = (hook.bot(), lane.conversation.as_str());
    let upto = lane.last.min(lane.first + PIECE - 1);
    let entries = shared
        .store
        .entries_of_many(&[(conversation, lane.first, upto)])
        .await?;
    let Some(frames) = frames(shared, lane, &entries).await else {
        return Ok(End::Again);
    };
    for (entry, frame) in entries.iter().zip(frames) {
        if hook.stop.is_cancelled() {
            return Ok(End::Done);
        }
        let failed = match entry.seq == lane.first {
            true => lane.attempts,
            false => 0,
        };
        if !is_told(hook, entry) {
            if failed > 0 {
                let why = "the message was recalled";
                shared.store.drop_delivery(bot, entry.id, why).await?;
            }
            shared.cursors.advance(bot, conversation, entry.seq);
            continue;
        }
        match attempt(shared, hook, entry, &frame).await {
            Outcome::Delivered(status) => {
                if failed > 0 {
                    shared.store.finish_delivery(bot, entry.id, status).await?;
                }
                shared.cursors.advance(bot, conversation, entry.seq);
            }
            Outcome::Gone => return gone(shared, hook).await,
            Outcome::Failed(failure) => {
                let next = record(shared, hook, entry, (failed, true), &failure).await?;
                return Ok(match next {
                    Next::Hold(wait) => End::Wait(millis(wait)),
                    Next::Pass(_) | Next::Dead => {
                        shared.cursors.advance(bot, conversation, entry.seq);
                        End::More
                    }
                });
            }
        }
    }
    Ok(if upto < lane.last {
        End::More
    } else {
        End::Done
    })
}

/// The server wants no more.
pub(crate) async fn gone(shared: &Shared, hook: &Hook) -> Result<End, Error> {
    let (bot, version) = (hook.bot(), hook.held.version);
    if shared.store.disable_webhook(bot, version).await? {
        tracing::warn!(bot, "the webhook's server answered 410: it is disabled");
    }
    Ok(End::Over)
}

pub(crate) fn millis(wait: i64) -> Duration {
    Duration::from_millis(u64::try_from(wait).unwrap_or(0))
}

/// The frames of these entries as the bot sees them; `None` where they cannot be read now, which was logged.
async fn frames(shared: &Shared, lane: &Lane, entries: &[Entry]) -> Option<Vec<bytes::Bytes>> {
    let frames = shared.im.frames();
    let made = match lane.left_seq {
        None => frames.of(entries).await,
        Some(left_seq) => frames.until(left_seq, entries).await,
    };
    let made = made.ok()?;
    Some(made.into_iter().map(|frame| frame.json).collect())
}
