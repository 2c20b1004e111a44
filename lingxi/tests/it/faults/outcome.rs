//! What is read in the end: from the database, and by members.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use lingxi_store::EntryKind;

use super::world::World;
use crate::evidence::{Entry, Log, Owed};

/// How often it is looked whether something is there.
const LOOK: Duration = Duration::from_millis(700);
/// The longest that is waited for what was written last.
const ARRIVAL: Duration = Duration::from_secs(10);

impl World {
    /// Ends the load, and adds to the recording what the database and the history say.
    pub(super) async fn end(&mut self) {
        if !self.board.orders.borrow().lost {
            self.arrive().await;
        }
        self.board.order(|orders| orders.stop = true);
        for task in self.tasks.drain(..) {
            task.await.expect("a client that did not panic");
        }
        let finished = || {
            let left = "SELECT id FROM runs WHERE finished_at IS NULL";
            let left = self.query(left);
            left.into_iter().map(|mut row| row.remove(0)).collect()
        };
        let start = Instant::now();
        let mut unfinished: Vec<String> = finished();
        let longest = match self.board.orders.borrow().lost {
            true => Duration::ZERO,
            false => Duration::from_secs(60),
        };
        while !unfinished.is_empty() && start.elapsed() < longest {
            tokio::time::sleep(LOOK).await;
            unfinished = finished();
        }
        self.looking.abort();
        let logs = self.logs().await;
        let owed = self.owed(&logs);
        let mut counts: HashMap<String, usize> = HashMap::new();
        let groups = "SELECT name FROM chat_groups WHERE name LIKE 'faults %'";
        for row in self.query(groups) {
            *counts.entry(row[0].clone()).or_default() += 1;
        }
        let violations = self.simulator.violations();
        let miscounted = self.miscounted();
        let mut shared = self.board.lock();
        let unanswered: Vec<_> = shared
            .waiting
            .iter()
            .flat_map(|(user, waiting)| {
                waiting
                    .iter()
                    .map(|(msg_id, _)| (user.clone(), msg_id.clone()))
            })
            .collect();
        let recording = &mut shared.recording;
        recording.unanswered = unanswered;
        recording.logs = logs;
        recording.owed = owed;
        recording.unfinished = unfinished;
        for effect in &mut recording.effects {
            effect.count = counts.get(&effect.what).copied().unwrap_or_default();
        }
        for what in miscounted {
            recording.incidents.push(("Miscounted", what));
        }
        for violation in violations {
            let what = format!("{violation:?}");
            recording.incidents.push(("ModelMisused", what));
        }
    }

    /// Every log as the database has it, and every room's as a member reads it.
    async fn logs(&self) -> Vec<Log> {
        let mut logs = self.stored();
        for (reader, room) in &self.readers {
            let rows = reader.log(&room.of).await;
            logs.push(Log {
                reader: reader.name.clone(),
                conversation: room.key.clone(),
                entries: rows.iter().map(crate::evidence::entry_of).collect(),
            });
        }
        logs
    }

    /// Every log as the database has it.
    fn stored(&self) -> Vec<Log> {
        let rows = self.query(
            "SELECT conversation, seq, id, sender_id, IFNULL(msg_id, ''), \
             CASE WHEN kind = 1 AND recalled_at IS NULL THEN content ELSE '' END, kind, \
             CASE WHEN kind BETWEEN 4 AND 8 THEN IFNULL(target, 0) ELSE 0 END FROM entries ORDER BY conversation, seq",
        );
        let mut logs: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for row in rows {
            let kind = i64::try_from(number(&row[6])).expect("a kind");
            let event = EntryKind::from_db(kind).expect("a kind").event_name();
            let from = self.names.get(&number(&row[3])).cloned();
            logs.entry(row[0].clone()).or_default().push(Entry {
                seq: number(&row[1]),
                id: number(&row[2]),
                from: from.unwrap_or_default(),
                msg_id: row[4].clone(),
                content: event.map_or_else(|| row[5].clone(), str::to_owned),
                target: self
                    .names
                    .get(&number(&row[7]))
                    .cloned()
                    .unwrap_or_default(),
            });
        }
        logs.into_iter()
            .map(|(conversation, entries)| Log {
                reader: "the database".to_owned(),
                conversation,
                entries,
            })
            .collect()
    }

    /// Waits, while nobody writes, until what was written last has arrived: whoever comes and goes has no head to be known
    /// by. What does not arrive is found by the checker.
    async fn arrive(&self) {
        let start = Instant::now();
        while start.elapsed() < ARRIVAL && !self.has_arrived() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn has_arrived(&self) -> bool {
        let owed = self.owed(&self.stored());
        let shared = self.board.lock();
        let received: BTreeSet<(&str, &str, u64)> = shared
            .recording
            .received
            .iter()
            .map(|one| {
                (
                    one.reader.as_str(),
                    one.conversation.as_str(),
                    one.entry.seq,
                )
            })
            .collect();
        let has = |of: &Owed, seq: u64| {
            received.contains(&(of.reader.as_str(), of.conversation.as_str(), seq))
        };
        !shared.churning
            && owed
                .iter()
                .all(|of| of.seqs.iter().all(|&seq| has(of, seq)))
    }

    /// What each present member must have: everything from where they joined.
    fn owed(&self, logs: &[Log]) -> Vec<Owed> {
        let members = self
            .query("SELECT conversation, user_id, joined_seq FROM members WHERE left_seq IS NULL");
        let mut owed = Vec::new();
        for row in members {
            let log = logs.iter().find(|log| log.conversation == row[0]);
            let (Some(log), Some(reader)) = (log, self.names.get(&number(&row[1]))) else {
                continue;
            };
            // Askers have no sockets.
            if reader.starts_with("asker") {
                continue;
            }
            let joined = number(&row[2]);
            let seqs = log.entries.iter().map(|entry| entry.seq);
            owed.push(Owed {
                reader: reader.clone(),
                conversation: log.conversation.clone(),
                seqs: seqs.filter(|seq| *seq >= joined).collect(),
            });
        }
        owed
    }
}

pub(super) fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("no number: {text:?}"))
}
