//! What became of what was said and typed.

use std::collections::{BTreeMap, HashSet};

use anyhow::bail;
use serde_json::Value;

/// Reasons that are told apart.
const MOST_REASONS: usize = 50;
/// Messages that have an ACK and were not shown; with more, nothing new is sent.
const MOST_NOT_SHOWN: usize = 500;

/// One's own messages, by `msg_id`, and commands.
#[derive(Default)]
pub(super) struct Tally {
    messages: usize,
    // Either may come first: while a connection catches up, messages wait for what is missing before them.
    without_ack: HashSet<String>,
    not_shown: HashSet<String>,
    refused: Reasons,
    commands: usize,
    not_done: Reasons,
}

/// How often each occurred.
#[derive(Default)]
struct Reasons(BTreeMap<String, usize>);

impl Tally {
    pub(super) fn sent(&mut self, frame: &Value) {
        let msg_id = frame["msg_id"].as_str().unwrap_or_default();
        self.messages += 1;
        self.without_ack.insert(msg_id.to_owned());
        self.not_shown.insert(msg_id.to_owned());
    }

    /// Takes note of the ACK that a message was settled by.
    pub(super) fn acked(&mut self, frame: &Value) {
        let msg_id = frame["msg_id"].as_str().unwrap_or_default();
        if frame["status"] == "received" || !self.without_ack.remove(msg_id) {
            return;
        }
        if frame["status"] == "failed" {
            self.not_shown.remove(msg_id);
            self.refused
                .add(frame["reason"].as_str().unwrap_or("failed"));
        }
    }

    /// Takes note of a message that came; returns true if it is one's own, said here.
    pub(super) fn shown(&mut self, frame: &Value) -> bool {
        let msg_id = frame["msg_id"].as_str().unwrap_or_default();
        self.not_shown.remove(msg_id)
    }

    pub(super) fn command(&mut self) {
        self.commands += 1;
    }

    /// Takes note of a command, or another line, that was not done.
    pub(super) fn not_done(&mut self, reason: &str) {
        self.not_done.add(reason);
    }

    pub(super) fn all_acked(&self) -> bool {
        self.without_ack.is_empty()
    }

    /// Whether each message has its ACK and was shown, or was refused.
    pub(super) fn is_complete(&self) -> bool {
        self.all_acked() && self.not_shown.is_empty()
    }

    /// Whether too many messages have not come back.
    pub(super) fn is_full(&self) -> bool {
        self.not_shown.len() >= MOST_NOT_SHOWN
    }

    /// The end.
    ///
    /// # Errors
    /// Says how many messages and commands were refused, and how many messages nobody knows about.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        let (all, open) = (self.messages, self.without_ack.len());
        let mut said = Vec::new();
        if self.refused.count() > 0 {
            let (count, reasons) = (self.refused.count(), &self.refused);
            said.push(format!("{count} of {all} messages were refused: {reasons}"));
        }
        match (open, said.is_empty()) {
            (0, _) => {}
            (_, true) => said.push(format!(
                "{open} of {all} messages have no ACK: send them again"
            )),
            (_, false) => said.push(format!("{open} more have no ACK")),
        }
        if self.not_done.count() > 0 {
            let (count, reasons) = (self.not_done.count(), &self.not_done);
            let commands = self.commands;
            said.push(format!(
                "{count} of {commands} commands were not done: {reasons}"
            ));
        }
        if !said.is_empty() {
            bail!("{}", said.join("; "));
        }
        Ok(())
    }
}

impl Reasons {
    fn add(&mut self, reason: &str) {
        let known = self.0.len() < MOST_REASONS || self.0.contains_key(reason);
        let reason = if known { reason } else { "other" };
        *self.0.entry(reason.to_owned()).or_default() += 1;
    }

    fn count(&self) -> usize {
        self.0.values().sum()
    }
}

impl std::fmt::Display for Reasons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (reason, count)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{reason} ({count})")?;
        }
        Ok(())
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
            tally.sent(&json!({"msg_id": id}));
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

    #[test]
    fn commands_that_were_not_done_are_counted_too() {
        let mut tally = Tally::default();
        tally.command();
        tally.command();
        assert!(tally.verdict().is_ok());
        tally.not_done("not_member");
        let said = tally.verdict().unwrap_err().to_string();
        assert_eq!(said, "1 of 2 commands were not done: not_member (1)");
    }
}
