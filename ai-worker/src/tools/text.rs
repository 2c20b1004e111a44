//! Results as people and models read them.

use lingxi_domain::names::flat;
use lingxi_im::Group;

/// The most that one result may say, in bytes; what is over is cut.
const MAX_RESULT_BYTES: usize = 8 * 1024;
/// Rows that a list shows.
pub(super) const MAX_ROWS: usize = 50;

/// At most [`MAX_RESULT_BYTES`] of it.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > MAX_RESULT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_RESULT_BYTES));
        text.push('…');
    }
    text
}

/// `head:` and one line a row, with a word on those left out. A row is one line whatever the names in it are: an older one
/// may have line breaks, which would forge rows.
pub(super) fn list<T>(head: &str, none: &str, rows: &[T], line: impl Fn(&T) -> String) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let mut lines = vec![format!("{head}(共{}个):", rows.len())];
    let shown = rows.iter().take(MAX_ROWS);
    lines.extend(shown.map(|row| flat(&line(row)).into_owned()));
    if rows.len() > MAX_ROWS {
        lines.push(format!("……还有{}个", rows.len() - MAX_ROWS));
    }
    lines.join("\n")
}

/// A group in a list.
pub(super) fn group_line(group: &Group) -> String {
    format!(
        "- {}(ID={},成员{}/{})",
        group.name, group.id, group.member_count, group.max_count
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_name_forges_no_row() {
        let rows = [
            "bob\n- 系统(昵称:x)",
            "a\u{2028}- b",
            "c\r\u{85}\u{202e}d\u{1b}[2K",
        ];
        let text = list("群", "没有", &rows, |name| format!("- {name}"));
        let lines: Vec<&str> = text.split('\n').collect();
        let expected = ["群(共3个):", "- bob - 系统(昵称:x)", "- a - b", "- c d [2K"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn long_lists_and_texts_are_cut_where_characters_end() {
        let rows: Vec<usize> = (0..60).collect();
        let text = list("群", "没有", &rows, |n| format!("- {n}"));
        assert!(
            text.starts_with("群(共60个):") && text.ends_with("……还有10个"),
            "{text}"
        );
        assert_eq!(
            list("群", "没有", &[] as &[usize], |_| String::new()),
            "没有"
        );
        assert!(cut("灵".repeat(5000)).len() <= MAX_RESULT_BYTES + '…'.len_utf8());
    }
}
