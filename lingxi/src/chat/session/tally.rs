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
    /// Those that have not come back. A message may do so before its ACK comes: while a connection catches up, messages
    /// wait for what is missing before them.
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
        self.not_shown.insert(msg_id.to_owned());
    }

    /// Takes note of the ACK that a message was settled by.
    pub(super) fn settled(&mut self, ack: &Value) {
        if ack["status"] == "failed" {
            self.not_shown
                .remove(ack["msg_id"].as_str().unwrap_or_default());
            self.refused.add(ack["reason"].as_str().unwrap_or("failed"));
        }
    }

    /// Takes note of a message of one's own that came; returns true if it was said here.
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

    /// Whether each message was shown, or was refused.
    pub(super) fn all_shown(&self) -> bool {
        self.not_shown.is_empty()
    }

    /// Those that have not come back are not waited for any longer: a repeated `msg_id` may have come long ago.
    pub(super) fn give_up(&mut self) {
        self.not_shown.clear();
    }

    /// Whether too many messages have not come back.
    pub(super) fn is_full(&self) -> bool {
        self.not_shown.len() >= MOST_NOT_SHOWN
    }

    /// The end, when so many messages are `open`: they have no ACK.
    ///
    /// # Errors
    /// Says how many messages and commands were refused, and how many messages nobody knows about.
    pub(super) fn verdict(&self, open: usize) -> anyhow::Result<()> {
        let all = self.messages;
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
        assert!(!tally.all_shown() && tally.verdict(4).is_err());
        let ack = |id: &str, status: &str, reason: &str| json!({"type": 3, "msg_id": id, "status": status, "reason": reason});
        tally.settled(&ack("a", "stored", ""));
        tally.settled(&ack("b", "failed", "rate_limited"));
        tally.settled(&ack("c", "failed", "too_large"));
        let said = tally.verdict(1).unwrap_err().to_string();
        assert_eq!(
            said,
            "2 of 4 messages were refused: rate_limited (1), too_large (1); 1 more have no ACK"
        );
        tally.settled(&ack("d", "stored", ""));
        assert!(tally.shown(&json!({"type": 2, "msg_id": "a"})));
        assert!(!tally.shown(&json!({"type": 2, "msg_id": "x"})));
        assert!(!tally.all_shown());
        tally.shown(&json!({"type": 2, "msg_id": "d"}));
        assert!(tally.all_shown());
    }

    #[test]
    fn commands_that_were_not_done_are_counted_too() {
        let mut tally = Tally::default();
        tally.command();
        tally.command();
        assert!(tally.verdict(0).is_ok());
        tally.not_done("not_member");
        let said = tally.verdict(0).unwrap_err().to_string();
        assert_eq!(said, "1 of 2 commands were not done: not_member (1)");
    }
}
