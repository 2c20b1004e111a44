//! Asking the index.

use std::collections::BTreeSet;

use lingxi_domain::{Seq, UserId};

use super::block::unpack;
use super::segments::Sizes;
use super::state::{COLUMNS, state};
use crate::Store;
use crate::error::{Error, Result};
use crate::sql::{Column, Shape, Value, args};

/// How often an index that changes is looked at anew: it changes once a second at most.
const ATTEMPTS: usize = 5;

/// The number of a conversation, and up to where its index was when its segments were of these sizes.
type Asked = (usize, Seq, Sizes);

/// A conversation in which a user may search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searchable {
    /// The conversation's key.
    pub conversation: String,
    /// The first entry that the user may see.
    pub first: Seq,
    /// The last one.
    pub last: Seq,
    /// Whether that is because they have left.
    pub left: bool,
    /// When its newest message was, milliseconds since the Unix epoch.
    pub last_time: i64,
    /// Everything up to here is in the index.
    pub indexed: Seq,
    sizes: Sizes,
}

impl Store {
    /// The conversations, present and former, in which a user may see messages, those of the newest first; or the one of them
    /// that is named. At most `limit`.
    pub async fn searchable(
        &self,
        user: UserId,
        conversation: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Searchable>> {
        let one = if conversation.is_some() {
            "AND m.conversation = ?"
        } else {
            ""
        };
        let sql = format!(
            "SELECT m.conversation, m.joined_seq, COALESCE(m.left_seq, c.last_seq), m.left_seq, c.last_time, {} \
             FROM members m JOIN conversations c ON c.conversation = m.conversation \
             LEFT JOIN search_states s ON s.conversation = m.conversation \
             WHERE m.user_id = ? {one} AND c.message_seq >= m.joined_seq ORDER BY c.last_time DESC LIMIT ?",
            COLUMNS
                .split(", ")
                .map(|column| format!("s.{column}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        let mut values = args![user];
        values.extend(conversation.map(Value::from));
        values.push(limit.into());
        let mut conn = self.searcher().await?.conn;
        let rows = conn.fetch_together(sql, Shape::Plain(7), values).await?;
        rows.iter()
            .map(|row| {
                let (indexed, sizes) = state(row, 5)?;
                Ok(Searchable {
                    conversation: row.text(0)?,
                    first: row.int(1)?,
                    last: row.int(2)?,
                    left: row.opt_int(3)?.is_some(),
                    last_time: row.int(4)?,
                    indexed,
                    sizes,
                })
            })
            .collect()
    }

    /// For each of these conversations the places, in order, of the messages that may have a key in this range, of those
    /// that the user may see. What is indexed behind [`Searchable::indexed`] may be among them.
    ///
    /// # Errors
    /// [`Error::TimedOut`] where an index changes faster than it is read, or is thrown away.
    pub async fn find(
        &self,
        conversations: &[&Searchable],
        range: (u32, u32),
    ) -> Result<Vec<Vec<Seq>>> {
        let mut found = vec![Vec::new(); conversations.len()];
        let known = conversations.iter().enumerate();
        let mut asked: Vec<Asked> = known
            .map(|(number, one)| (number, one.indexed, one.sizes))
            .collect();
        for _ in 0..ATTEMPTS {
            let changed = self
                .find_once(conversations, &asked, range, &mut found)
                .await?;
            if changed.is_empty() {
                for seqs in &mut found {
                    seqs.sort_unstable();
                    seqs.dedup();
                }
                return Ok(found);
            }
            // Its segments may have been merged into others that were not looked at.
            let keys: Vec<&str> = changed
                .iter()
                .map(|&number| conversations[number].conversation.as_str())
                .collect();
            let states = self.states(&keys).await?;
            asked = changed
                .into_iter()
                .map(|number| {
                    found[number].clear();
                    let state = states.get(&conversations[number].conversation);
                    let (indexed, sizes) = state.ok_or_else(|| {
                        Error::out_of_time("an index was thrown away while it was read")
                    })?;
                    Ok((number, *indexed, *sizes))
                })
                .collect::<Result<_>>()?;
        }
        Err(Error::out_of_time("an index changes while it is read"))
    }

    /// Looks once, where the segments were said to be; answers the numbers of the conversations whose index has changed since.
    async fn find_once(
        &self,
        conversations: &[&Searchable],
        asked: &[Asked],
        range: (u32, u32),
        found: &mut [Vec<Seq>],
    ) -> Result<BTreeSet<usize>> {
        let mut places = Vec::new();
        for &(number, indexed, sizes) in asked {
            let of_it = sizes.places(range.0);
            places.extend(of_it.map(|(segment, bucket)| (number, indexed, segment, bucket)));
        }
        if places.is_empty() {
            return Ok(BTreeSet::new());
        }
        let (mut changed, mut answered) = (BTreeSet::new(), BTreeSet::new());
        const PLACE: &[Column] = &[
            Column::Int("number"),
            Column::Text("conversation"),
            Column::Int("indexed"),
            Column::Int("segment"),
            Column::Int("bucket"),
        ];
        let mut conn = self.searcher().await?.conn;
        let mut postings = Vec::new();
        for piece in conn.dialect().value_chunks(&places) {
            let mut cells = Vec::with_capacity(piece.len() * PLACE.len());
            for &(number, indexed, segment, bucket) in piece {
                let key = conversations[number].conversation.as_str();
                cells.extend(args![number, key, indexed, segment, bucket]);
            }
            let (head, values) = conn.dialect().with_values(PLACE, cells);
            // One statement sees one moment: the block is of the index that its state says.
            let sql = format!(
                "{head} SELECT v.number, s.indexed_seq - v.indexed, b.block FROM v \
                 JOIN search_states s ON s.conversation = v.conversation \
                 LEFT JOIN search_blocks b ON b.conversation = v.conversation \
                 AND b.segment = v.segment AND b.bucket = v.bucket"
            );
            let shape = Shape::AndBytes(2);
            for row in conn.fetch_together(sql, shape, values).await? {
                let number = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
                let (Some(one), Some(seqs)) = (conversations.get(number), found.get_mut(number))
                else {
                    continue;
                };
                answered.insert(number);
                if row.int(1)? != 0 {
                    changed.insert(number);
                    continue;
                }
                let Some(block) = row.opt_bytes(2)? else {
                    continue;
                };
                unpack(&block, range, &mut postings)?;
                let seen = one.first..=one.last;
                let places = postings.drain(..).map(|(_, seq)| seq);
                seqs.extend(places.filter(|seq| seen.contains(seq)));
            }
        }
        let gone = places.iter().map(|(number, ..)| *number);
        changed.extend(gone.filter(|number| !answered.contains(number)));
        Ok(changed)
    }
}
