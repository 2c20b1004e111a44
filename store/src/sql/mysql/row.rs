//! Reading columns. What an expression over placeholders comes back as differs between servers and their versions: an
//! integer may be signed, unsigned, a decimal or a text.

use sqlx::mysql::MySqlRow;
use sqlx::{MySql, Row as _, Type, ValueRef as _};

use crate::error::{Error, Result};

/// A whole number, whatever its type.
pub(crate) fn int(row: &MySqlRow, column: usize) -> Result<Option<i64>> {
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(None);
    }
    let kind = raw.type_info().into_owned();
    if <i64 as Type<MySql>>::compatible(&kind) {
        return Ok(Some(row.try_get_unchecked(column)?));
    }
    let corrupt = |shown: &str| Error::Corrupt(format!("column {column} is no integer: {shown:?}"));
    if <u64 as Type<MySql>>::compatible(&kind) {
        let number: u64 = row.try_get_unchecked(column)?;
        return i64::try_from(number)
            .map(Some)
            .map_err(|_| corrupt(&number.to_string()));
    }
    if <f64 as Type<MySql>>::compatible(&kind) {
        let number: f64 = row.try_get(column)?;
        return whole(&number.to_string())
            .map(Some)
            .ok_or_else(|| corrupt(&number.to_string()));
    }
    // A decimal is sent as text.
    let text: &str = row.try_get_unchecked(column)?;
    whole(text).map(Some).ok_or_else(|| corrupt(text))
}

/// `12`, also as `12.000`.
fn whole(text: &str) -> Option<i64> {
    let (digits, zeros) = text.split_once('.').unwrap_or((text, ""));
    digits
        .parse()
        .ok()
        .filter(|_| zeros.bytes().all(|b| b == b'0'))
}

/// A text, also from a column of bytes.
pub(crate) fn text(row: &MySqlRow, column: usize) -> Result<Option<String>> {
    Ok(row.try_get_unchecked(column)?)
}

#[cfg(test)]
mod tests {
    use super::whole;
    use crate::Store;
    use crate::conformance::mysql;
    use crate::sql::args;

    /// Whatever a server makes of placeholders and aggregates, it is the same integer.
    #[tokio::test]
    async fn numbers_of_any_type_are_integers() {
        let database = mysql::fresh().await;
        let store = Store::open(&database.location()).await.unwrap();
        let mut conn = store.reader().await.unwrap();
        let sql = "SELECT ?, COALESCE(NULL, ?), COALESCE(?, 1), SUM(x), COUNT(*), MAX(?), CASE WHEN 1 = ? THEN ? END, \
                   SUM(x) / 1, LEAST(?, 9), '7', 7.000, 7e0, CAST(7 AS UNSIGNED), 1 = 1, NULL \
                   FROM (SELECT 3 AS x UNION ALL SELECT 4) t";
        let values = args![7_i64, 7_i64, "7", 7_i64, 1_i64, 7_i64, 7_i64];
        let row = conn.fetch_one(sql, values).await.unwrap().unwrap();
        let found: Vec<Option<i64>> = (0..15).map(|c| row.opt_int(c).unwrap()).collect();
        let seven = Some(7);
        let mut expected = [seven; 15];
        (expected[4], expected[13], expected[14]) = (Some(2), Some(1), None);
        assert_eq!(found, expected);
        let row = conn.fetch_one(
            "SELECT 7.5, 'x', 18446744073709551615, CAST('灵' AS BINARY)",
            vec![],
        );
        let row = row.await.unwrap().unwrap();
        for column in 0..4 {
            assert!(
                matches!(row.int(column), Err(crate::Error::Corrupt(_))),
                "{column}"
            );
        }
        assert_eq!(row.text(3).unwrap(), "灵", "a text from bytes");
        assert!(matches!(row.int(9), Err(crate::Error::Corrupt(_))));
    }

    #[test]
    fn only_whole_numbers_are_integers() {
        assert_eq!(whole("12"), Some(12));
        assert_eq!(whole("-12.000"), Some(-12));
        assert_eq!(whole("9223372036854775807"), Some(i64::MAX));
        for no in ["12.5", "", "x", "9223372036854775808", "1e3"] {
            assert_eq!(whole(no), None, "{no}");
        }
    }
}
