//! Reading what models write as arguments: JSON, more or less.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Refusal;

/// The arguments as an object. An empty text is an empty object; anything else that is none is told to the model.
pub(super) fn object(text: &str) -> Result<Value, Refusal> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Refusal::Told(format!("参数不是完整的JSON({error}),请重新给出完整的参数"))
    })?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Refusal::Told("参数必须是一个JSON对象".to_owned()))
    }
}

/// The arguments as the tool wants them.
pub(super) fn read<T: DeserializeOwned>(args: Value) -> Result<T, Refusal> {
    serde_json::from_value(args).map_err(|error| Refusal::Told(format!("参数不正确:{error}")))
}

/// A whole number, also where a model wrote it as text.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = value.as_str().and_then(|text| text.trim().parse().ok());
    let number = value.as_i64().or(text);
    number.ok_or_else(|| serde::de::Error::custom(format!("expected a whole number, got {value}")))
}

/// Like [`number`], and it may be missing.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match &value {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        _ => number(value).map(Some).map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sample {
        #[serde(deserialize_with = "number")]
        id: i64,
        #[serde(default, deserialize_with = "optional_number")]
        most: Option<i64>,
    }

    #[test]
    fn numbers_may_be_texts() {
        let read = |json: &str| serde_json::from_str::<Sample>(json).map(|s| (s.id, s.most));
        assert_eq!(read(r#"{"id":42}"#).unwrap(), (42, None));
        assert_eq!(read(r#"{"id":" 42 ","most":"5"}"#).unwrap(), (42, Some(5)));
        assert_eq!(read(r#"{"id":42,"most":null}"#).unwrap(), (42, None));
        assert!(read(r#"{"id":"x"}"#).is_err());
        assert!(read(r#"{"id":4.5}"#).is_err());
    }

    #[test]
    fn broken_json_is_told() {
        assert!(object("").unwrap().is_object());
        assert!(object("{}").unwrap().is_object());
        for bad in ["{\"name\":\"a", "[1]", "null", "name=a"] {
            assert!(matches!(object(bad), Err(Refusal::Told(_))), "{bad}");
        }
    }
}
