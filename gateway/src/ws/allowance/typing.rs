//! Where a user was last shown typing.

use std::time::Duration;

use lingxi_domain::ConversationKey;
use tokio::time::Instant;

/// Shown at most once in this time, in each conversation.
const ONCE_IN: Duration = Duration::from_secs(3);
/// Conversations that somebody can type in within that time.
const CONVERSATIONS: usize = 8;

/// The last few conversations, and when.
#[derive(Default)]
pub(super) struct Typing(Vec<(ConversationKey, Instant)>);

impl Typing {
    /// Returns true if it is to be shown there now.
    pub(super) fn may_show(&mut self, key: ConversationKey) -> bool {
        self.0.retain(|(_, shown)| shown.elapsed() < ONCE_IN);
        let known = self.0.iter().any(|(shown_in, _)| *shown_in == key);
        if known || self.0.len() >= CONVERSATIONS {
            return false;
        }
        self.0.push((key, Instant::now()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn once_in_three_seconds_a_conversation_and_not_in_very_many() {
        let mut typing = Typing::default();
        let group = ConversationKey::Group;
        assert!(typing.may_show(group(1)) && typing.may_show(group(2)));
        assert!(!typing.may_show(group(1)));
        let shown = (3..100).filter(|&id| typing.may_show(group(id))).count();
        assert_eq!(shown, CONVERSATIONS - 2);
        tokio::time::advance(ONCE_IN).await;
        assert!(typing.may_show(group(1)));
        assert!(!typing.may_show(group(1)));
    }
}
