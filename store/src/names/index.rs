//! Writing the parts of names.

use lingxi_domain::names;

use crate::error::Result;
use crate::sql::{Column, Conn, Value};

/// The longest key that is kept, in characters.
const MAX_KEY_CHARS: usize = 255;
/// Rows that a statement is filled up to, so that few texts are prepared.
const SIZES: [usize; 4] = [1, 8, 32, 128];

/// Whose names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User = 1,
    Group = 2,
}

impl From<Kind> for Value<'_> {
    fn from(kind: Kind) -> Self {
        Self::Int(kind as i64)
    }
}

/// A name as it is searched, no longer than the column that keeps it.
pub(crate) fn folded(name: &str) -> String {
    names::fold(name).chars().take(MAX_KEY_CHARS).collect()
}

/// Makes it so that each of these ids is found by its folded names. Parts that are there stay.
pub(crate) async fn index(conn: &mut Conn, kind: Kind, owners: &[(i64, Vec<&str>)]) -> Result<()> {
    const COLUMNS: &[Column] = &[
        Column::Int("inside"),
        Column::Text("part"),
        Column::Int("id"),
    ];
    let mut rows: Vec<(bool, String, i64)> = Vec::new();
    for (id, owned) in owners {
        let parts = names::parts(owned.iter().copied());
        rows.extend(parts.into_iter().map(|(inside, part)| (inside, part, *id)));
    }
    // In the order of the index, and the last one again until a size is full: what is there stays.
    rows.sort_unstable();
    if let (Some(size), Some(last)) = (SIZES.iter().find(|s| **s >= rows.len()), rows.last()) {
        let last = last.clone();
        rows.resize(*size, last);
    }
    let dialect = conn.dialect();
    for rows in dialect.value_chunks(&rows) {
        let cells = rows
            .iter()
            .flat_map(|(inside, part, id)| [(*inside).into(), part.as_str().into(), (*id).into()]);
        let (head, mut values) = dialect.with_values(COLUMNS, cells.collect());
        values.push(kind.into());
        // `WHERE 1 = 1` tells SQLite that the join has ended.
        let sql = format!(
            "INSERT INTO name_parts (kind, inside, part, id) {head} \
             SELECT ?, v.inside, v.part, v.id FROM v WHERE 1 = 1{}",
            dialect.on_conflict_keep("kind, inside, part, id")
        );
        conn.execute(sql, values).await?;
    }
    Ok(())
}

/// Makes it so that this id is found by its folded names `now`, and no longer by what was only in those `before`.
pub(crate) async fn reindex(
    conn: &mut Conn,
    kind: Kind,
    id: i64,
    (before, now): (&[&str], &[&str]),
) -> Result<()> {
    let kept = names::parts(now.iter().copied());
    let gone = names::parts(before.iter().copied());
    for place in [false, true] {
        let parts: Vec<&str> = gone
            .difference(&kept)
            .filter(|(inside, _)| *inside == place)
            .map(|(_, part)| part.as_str())
            .collect();
        let sql = "DELETE FROM name_parts WHERE kind = ? AND inside = ? AND id = ? AND part IN (*)";
        let first = vec![kind.into(), place.into(), id.into()];
        conn.execute_in(sql, first, &parts).await?;
    }
    index(conn, kind, &[(id, now.to_vec())]).await
}
