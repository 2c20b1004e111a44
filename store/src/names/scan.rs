//! Reading the parts of names: a range of an index, a bounded number of rows.

use lingxi_domain::names::{self, MAX_PART_CHARS};

use super::Kind;
use crate::error::Result;
use crate::sql::{Conn, args};

/// Rows of the index that one search reads at most.
const MAX_ROWS: usize = 2_000;
/// Rows that are read at once, at least and at most.
const BATCH: (usize, usize) = (16, 256);

/// A page of what was found, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found.
    pub rows: Vec<T>,
    /// Whether there is more after the last one.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Of at most `limit`, from what was found by a search that looked for one more.
    pub(crate) fn of(mut rows: Vec<T>, limit: usize, scan: &Scan<'_>) -> Self {
        let has_more = rows.len() > limit || scan.was_cut() && !rows.is_empty();
        rows.truncate(limit);
        Self { rows, has_more }
    }
}

/// A place in a search: a part and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    inside: bool,
    part: String,
    pub(crate) id: i64,
}

/// Goes through those whose names contain a folded keyword: first where it begins a word, then where it is inside one; by
/// what follows it, then by id.
pub(crate) struct Scan<'a> {
    kind: Kind,
    keyword: &'a str,
    /// As much of the keyword as a part can have.
    head: String,
    inside: bool,
    /// The last one that was read, of those that are `inside` or not.
    after: Option<(String, i64)>,
    read: usize,
    done: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(kind: Kind, keyword: &'a str) -> Self {
        Self {
            kind,
            keyword,
            head: keyword.chars().take(MAX_PART_CHARS).collect(),
            inside: false,
            after: None,
            read: 0,
            done: keyword.is_empty(),
        }
    }

    /// Goes on after the one who has these folded names; with nothing where they do not contain the keyword.
    pub(crate) fn after<'n>(mut self, id: i64, owned: impl IntoIterator<Item = &'n str>) -> Self {
        match names::matched(self.keyword, owned) {
            Some((inside, part)) => {
                self.inside = inside;
                self.after = Some((part, id));
            }
            None => self.done = true,
        }
        self
    }

    /// Whether this is the place at which one with these folded names is found: each has one, so that nobody is found
    /// twice.
    pub(crate) fn is_first<'n>(&self, hit: &Hit, owned: impl IntoIterator<Item = &'n str>) -> bool {
        names::matched(self.keyword, owned)
            .is_some_and(|(inside, part)| (inside, part) == (hit.inside, hit.part.clone()))
    }

    fn was_cut(&self) -> bool {
        self.read >= MAX_ROWS
    }

    /// The next places, about `wanted`; `None` when there are no more, or enough were read.
    pub(crate) async fn next(
        &mut self,
        conn: &mut Conn,
        wanted: usize,
    ) -> Result<Option<Vec<Hit>>> {
        let wanted = wanted.clamp(BATCH.0, BATCH.1);
        while !self.done && !self.was_cut() {
            let hits = self.batch(conn, wanted).await?;
            self.read += hits.len();
            if let Some(last) = hits.last() {
                self.after = Some((last.part.clone(), last.id));
            }
            if hits.len() < wanted {
                (self.done, self.inside) = (self.inside, true);
                self.after = None;
            }
            if !hits.is_empty() {
                return Ok(Some(hits));
            }
        }
        Ok(None)
    }

    async fn batch(&self, conn: &mut Conn, wanted: usize) -> Result<Vec<Hit>> {
        let mut hits = Vec::with_capacity(wanted);
        let from = match &self.after {
            Some((part, id)) => {
                let sql = "SELECT part, id FROM name_parts WHERE kind = ? AND inside = ? AND part = ? AND id > ? \
                           ORDER BY id LIMIT ?";
                let values = args![self.kind, self.inside, part.as_str(), *id, wanted];
                self.read_into(&mut hits, conn, sql, values).await?;
                part
            }
            None => &self.head,
        };
        if hits.len() < wanted {
            let compare = if self.after.is_some() { ">" } else { ">=" };
            let sql = format!(
                "SELECT part, id FROM name_parts WHERE kind = ? AND inside = ? AND part {compare} ? AND part < ? \
                 ORDER BY part, id LIMIT ?"
            );
            // Behind everything that begins with it.
            let end = format!("{}\u{10ffff}", self.head);
            let values = args![
                self.kind,
                self.inside,
                from.as_str(),
                end,
                wanted - hits.len()
            ];
            self.read_into(&mut hits, conn, sql, values).await?;
        }
        Ok(hits)
    }

    async fn read_into(
        &self,
        hits: &mut Vec<Hit>,
        conn: &mut Conn,
        sql: impl Into<std::borrow::Cow<'static, str>>,
        values: Vec<crate::sql::Value<'_>>,
    ) -> Result<()> {
        for row in conn.fetch(sql, values).await? {
            hits.push(Hit {
                inside: self.inside,
                part: row.text(0)?,
                id: row.int(1)?,
            });
        }
        Ok(())
    }
}
