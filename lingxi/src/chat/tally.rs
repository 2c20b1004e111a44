//! What became of the messages that were sent.

use std::collections::{BTreeMap, HashSet};

use anyhow::bail;
use serde_json::Value;

/// One's own messages, by `msg_id`.
#[derive(Default)]
pub(super) struct Tally {
    own: HashSet<String>,
    // Either may come first: while a connection catches up, messages wait for what is missing before them.
    without_ack: HashSet<String>,
    not_shown: HashSet<String>,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    pub(super) fn sent(&mut self, msg_id: String) {
        self.without_ack.insert(msg_id.clone());
        self.not_shown.insert(msg_id.clone());
        self.own.insert(msg_id);
    }

    /// Takes note of an ACK.
    pub(super) fn acked(&mut self, frame: &Value) {
        let msg_id = frame["msg_id"].as_str().unwrap_or_default();
        if frame["status"] == "received" || !self.without_ack.remove(msg_id) {
            return;
        }
        if frame["status"] == "failed" {
            self.not_shown.remove(msg_id);
            let reason = frame["reason"].as_str().unwrap_or("failed").to_owned();
            *self.refused.entry(reason).or_default() += 1;
        }
    }

    /// Takes note of a message that came; returns true if it is one's own.
    pub(super) fn shown(&mut self, frame: &Value) -> bool {
        let msg_id = frame["msg_id"].as_str().unwrap_or_default();
        self.not_shown.remove(msg_id);
        self.own.contains(msg_id)
    }

    /// Whether each has its ACK and was shown, or was refused.
    pub(super) fn is_complete(&self) -> bool {
        self.without_ack.is_empty() && self.not_shown.is_empty()
    }

    /// The end.
    ///
    /// # Errors
    /// Says how many messages were refused, and how many nobody knows about.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        let (all, open) = (self.own.len(), self.without_ack.len());
        let refused: usize = self.refused.values().sum();
        let reasons: Vec<String> = self
            .refused
            .iter()
            .map(|(reason, count)| format!("{reason} ({count})"))
            .collect();
        let reasons = reasons.join(", ");
        match (refused, open) {
            (0, 0) => Ok(()),
            (0, _) => bail!("{open} of {all} messages have no ACK: send them again"),
            (_, 0) => bail!("{refused} of {all} messages were refused: {reasons}"),
            _ => bail!(
                "{refused} of {all} messages were refused: {reasons}; {open} more have no ACK"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_refused_is_counted_by_its_reason() {
        let mut tally = Tally::default();
        for id in ["a", "b", "c", "d"] {
            tally.sent(id.to_owned());
        }
        assert!(!tally.is_complete() && tally.verdict().is_err());
        let ack = |id: &str, status: &str, reason: &str| json!({"type": 3, "msg_id": id, "status": status, "reason": reason});
        tally.acked(&ack("a", "received", ""));
        tally.acked(&ack("a", "stored", ""));
        tally.acked(&ack("b", "failed", "rate_limited"));
        tally.acked(&ack("b", "failed", "rate_limited"));
        tally.acked(&ack("c", "failed", "too_large"));
        let said = tally.verdict().unwrap_err().to_string();
        assert_eq!(
            said,
            "2 of 4 messages were refused: rate_limited (1), too_large (1); 1 more have no ACK"
        );
        tally.acked(&ack("d", "stored", ""));
        assert!(tally.shown(&json!({"type": 2, "msg_id": "a"})));
        assert!(!tally.shown(&json!({"type": 2, "msg_id": "x"})));
        assert!(!tally.is_complete());
        tally.shown(&json!({"type": 2, "msg_id": "d"}));
        assert!(tally.is_complete());
    }
}
