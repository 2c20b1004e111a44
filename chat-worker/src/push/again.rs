//! What was committed but may not have been pushed, by a former owner or here, is pushed again until that is sure;
//! receivers drop what they have.

use std::time::Duration;

use lingxi_domain::{ConversationKey, UserId};
use lingxi_proto::bus::Push;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::Entry;
use tokio::sync::mpsc;

use super::publish::publish;
use super::watermark::{Unsure, Watermarks};
use crate::Deps;

/// Pause before what could not be pushed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Entries read at a time.
const PAGE: i64 = 500;

/// The way to the task that pushes again.
#[derive(Clone)]
pub(super) struct Again(mpsc::Sender<()>);

impl Again {
    /// Something is in doubt: it is pushed again soon.
    pub(super) fn soon(&self) {
        // Full: it will look anyway.
        let _ = self.0.try_send(());
    }
}

/// Starts the task; it ends when every handle to it is gone.
pub(super) fn start(deps: &Deps, watermarks: Watermarks, shutdown: &Shutdown) -> Again {
    let (soon, asked) = mpsc::channel(1);
    shutdown.spawn("chat pushes again", work(deps.clone(), watermarks, asked));
    Again(soon)
}

async fn work(deps: Deps, watermarks: Watermarks, mut asked: mpsc::Receiver<()>) {
    let mut losses = deps.bus.losses();
    losses.mark_unchanged();
    while asked.recv().await.is_some() {
        while !push_all(&deps, &watermarks).await {
            let pause = tokio::time::sleep(PAUSE);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    // It is there again.
                    Ok(()) = losses.changed() => break,
                    asked = asked.recv() => if asked.is_none() { return },
                }
            }
        }
    }
}

/// Pushes again what is in doubt. Returns true if that is settled now; what came into doubt meanwhile is asked for anew.
async fn push_all(deps: &Deps, watermarks: &Watermarks) -> bool {
    let unsure = watermarks.unsure();
    if unsure.is_empty() {
        return true;
    }
    let losses = *deps.bus.losses().borrow();
    for range in &unsure {
        if let Err(error) = push_range(deps, range).await {
            tracing::warn!(partition = range.partition, %error, "cannot push again; trying once more");
            return false;
        }
    }
    if let Err(error) = deps.bus.flush().await {
        tracing::debug!(%error, "what was pushed again is not confirmed");
        return false;
    }
    if losses != *deps.bus.losses().borrow() {
        return false;
    }
    for range in &unsure {
        watermarks.settle(range);
    }
    true
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] lingxi_store::Error),
    #[error(transparent)]
    Im(#[from] lingxi_im::Error),
    #[error("the bus does not take it")]
    Bus,
}

async fn push_range(deps: &Deps, range: &Unsure) -> Result<(), Failed> {
    #[cfg(feature = "sabotage")]
    if crate::sabotage::planted("no-repush-after-takeover") {
        return Ok(());
    }
    let mut after = range.after;
    while after < range.upto {
        let page = deps
            .store
            .entries_after_id(range.partition, after, range.upto, PAGE);
        let page = page.await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        push(deps, &page).await?;
    }
    Ok(())
}

async fn push(deps: &Deps, entries: &[Entry]) -> Result<(), Failed> {
    let frames = deps.im.frames().of(entries).await?;
    for (entry, frame) in entries.iter().zip(frames) {
        let payload = Push::of(vec![frame]);
        for user in receivers(deps, entry).await? {
            if !publish(&deps.bus, user, payload.clone()).await {
                return Err(Failed::Bus);
            }
        }
    }
    Ok(())
}

async fn receivers(deps: &Deps, entry: &Entry) -> Result<Vec<UserId>, lingxi_store::Error> {
    Ok(match entry.conversation.parse() {
        Ok(ConversationKey::Direct(a, b)) if a == b => vec![a],
        Ok(ConversationKey::Direct(a, b)) => vec![a, b],
        // Not to those who joined since.
        Ok(ConversationKey::Group(_)) => {
            deps.store
                .receivers_of(&entry.conversation, entry.seq)
                .await?
        }
        Err(_) => Vec::new(),
    })
}
