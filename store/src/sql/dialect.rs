//! Where the SQL of one database differs from another's. Today there is SQLite; MySQL's forms belong here too.

use super::placeholders;

/// A table of values named `v` with the given columns, to join with: `WITH v(a,b) AS (VALUES (?,?),…)`.
pub(crate) fn with_values(columns: &[&str], rows: usize) -> String {
    format!(
        "WITH v({}) AS (VALUES {})",
        columns.join(","),
        placeholders(rows, columns.len())
    )
}

/// The tail of an INSERT that, where the key exists, overwrites the named columns.
pub(crate) fn on_conflict_overwrite(key: &str, columns: &[&str]) -> String {
    let sets: Vec<String> = columns
        .iter()
        .map(|c| format!("{c}=excluded.{c}"))
        .collect();
    format!(" ON CONFLICT({key}) DO UPDATE SET {}", sets.join(","))
}

/// The tail of an INSERT that keeps the row that is there.
pub(crate) fn on_conflict_keep(key: &str) -> String {
    format!(" ON CONFLICT({key}) DO NOTHING")
}

/// The tail of a SELECT that locks the rows it reads until the transaction ends. SQLite's writer is alone anyway.
pub(crate) const FOR_UPDATE: &str = "";

/// Now by the database's clock, milliseconds since the Unix epoch.
pub(crate) const NOW_MS: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Sets columns of `members` from a table of values: the cursor moves of many members in one statement.
pub(crate) fn move_delivered_cursors(rows: usize) -> String {
    format!(
        "{} UPDATE members SET delivered_seq = MIN(v.upto, c.last_seq) \
         FROM v JOIN conversations c ON c.conversation = v.conversation \
         WHERE members.conversation = v.conversation AND members.user_id = v.user_id \
         AND members.delivered_seq >= v.first - 1 AND members.delivered_seq < MIN(v.upto, c.last_seq)",
        with_values(&["conversation", "user_id", "first", "upto"], rows)
    )
}

/// Behind a LIKE whose pattern is made by [`containing`].
pub(crate) const LIKE_ESCAPE: &str = "ESCAPE '!'";

/// A LIKE pattern for texts that contain `keyword` to the letter.
pub(crate) fn containing(keyword: &str) -> String {
    let mut pattern = String::with_capacity(keyword.len() + 2);
    pattern.push('%');
    for c in keyword.chars() {
        if matches!(c, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The conversation's key of the group whose id is in `column`.
pub(crate) fn group_key(column: &str) -> String {
    format!("'g:' || {column}")
}

/// The group's id in the conversation's key in `column`.
pub(crate) fn group_id_of(column: &str) -> String {
    format!("CAST(SUBSTR({column}, 3) AS INTEGER)")
}
