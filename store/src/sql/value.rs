//! What is bound to a statement, and the places for it.

use std::borrow::Cow;

/// A value bound to a `?`.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Text(Cow<'a, str>),
    OptText(Option<Cow<'a, str>>),
    Bytes(Cow<'a, [u8]>),
}

macro_rules! from_value {
    ($($from:ty => $make:expr;)*) => {
        $(impl<'a> From<$from> for Value<'a> {
            fn from(value: $from) -> Self { let make: fn($from) -> Value<'a> = $make; make(value) }
        })*
    };
}

from_value! {
    i64 => Value::Int;
    u16 => |v| Value::Int(i64::from(v));
    u32 => |v| Value::Int(i64::from(v));
    usize => |v| Value::Int(i64::try_from(v).unwrap_or(i64::MAX));
    bool => |v| Value::Int(i64::from(v));
    Option<i64> => Value::OptInt;
    &'a [u8] => |v| Value::Bytes(Cow::Borrowed(v));
    &'a str => |v| Value::Text(Cow::Borrowed(v));
    &'a String => |v| Value::Text(Cow::Borrowed(v.as_str()));
    String => |v| Value::Text(Cow::Owned(v));
    Option<&'a str> => |v| Value::OptText(v.map(Cow::Borrowed));
    Option<String> => |v| Value::OptText(v.map(Cow::Owned));
}

/// `args![a, b, …]`: the values of a query in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}
pub(crate) use args;

/// `(?,?),(?,?)`: placeholders for `rows` rows of `columns` values.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let one = format!("({})", vec!["?"; columns].join(","));
    vec![one; rows].join(",")
}

/// `?,?,?`
pub(crate) fn list(count: usize) -> String {
    vec!["?"; count].join(",")
}
