//! Whether what the database counts is what the log says: reactions and mentions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outcome::number;
use super::world::World;

impl World {
    /// Reactions that are in the log twice in a row, or with another count than there are, and mentions that are not found.
    pub(super) fn miscounted(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut reacted: BTreeMap<(u64, String), BTreeSet<u64>> = BTreeMap::new();
        let log = "SELECT target, sender_id, detail FROM entries WHERE kind = 11 ORDER BY conversation, seq";
        for row in self.query(log) {
            let said: Value = serde_json::from_str(&row[2]).expect("a reaction");
            let emoji = said["emoji"].as_str().expect("an emoji").to_owned();
            let of = reacted.entry((number(&row[0]), emoji)).or_default();
            let changed = match said["on"] == true {
                true => of.insert(number(&row[1])),
                false => of.remove(&number(&row[1])),
            };
            if !changed || said["count"] != of.len() {
                wrong.push(format!("a reaction: {row:?}"));
            }
        }
        // With a recalled message they are gone.
        let recalled = self.query("SELECT id FROM entries WHERE recalled_at IS NOT NULL");
        let recalled: BTreeSet<u64> = recalled.iter().map(|row| number(&row[0])).collect();
        reacted.retain(|(message, _), of| !recalled.contains(message) && !of.is_empty());
        let counted = "SELECT c.message_id, c.emoji, c.count, (SELECT COUNT(*) FROM reactions r \
                       WHERE r.message_id = c.message_id AND r.emoji = c.emoji) FROM reaction_counts c";
        let counted = self.query(counted);
        for row in &counted {
            let of = reacted.remove(&(number(&row[0]), row[1].clone()));
            let right = of.is_some_and(|of| of.len().to_string() == row[2]) && row[2] == row[3];
            if !right {
                wrong.push(format!("a count of reactions: {row:?}"));
            }
        }
        wrong.extend(reacted.keys().map(|lost| format!("not counted: {lost:?}")));
        let lost = "SELECT e.id FROM entries e LEFT JOIN mentions m ON m.conversation = e.conversation AND m.seq = e.seq \
                    WHERE e.kind = 1 AND e.detail LIKE '%mentions%' AND \
                    (e.recalled_at IS NULL) = (m.conversation IS NULL)";
        let lost = self.query(lost);
        wrong.extend(lost.iter().map(|row| format!("a mention: {row:?}")));
        wrong
    }
}
