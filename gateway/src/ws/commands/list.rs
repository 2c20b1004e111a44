//! What is made from the list of commands.

use lingxi_domain::frame::client::{Head, Refused};
use lingxi_domain::validate;

#[cfg(test)]
use super::Command;

/// Names the commands: a file and its type each.
macro_rules! commands {
    ($($file:ident::$command:ident),+ $(,)?) => {
        $(mod $file;)+

        /// Does what the frame asks for, when it is a command's and is paid for.
        pub(super) async fn dispatch(
            from: &Connection<'_>,
            head: &lingxi_domain::frame::client::Head<'_>,
        ) -> Result<(), lingxi_domain::frame::client::Refused> {
            $(if <$file::$command as Command>::KINDS.contains(&head.kind) {
                from.pay(<$file::$command as Command>::PRICE).await?;
                list::check_id(head, <$file::$command as Command>::NEEDS_ID)?;
                let expected = <$file::$command as Command>::EXPECTED;
                return head.fields::<$file::$command>(expected)?.run(from, head).await;
            })+
            from.pay(super::allowance::Price::Request).await?;
            Err(list::unknown(&[$(<$file::$command as Command>::KINDS),+]))
        }

        /// The JSON Schema of every command, by the name of its file.
        #[cfg(test)]
        pub(super) fn schemas(
            generator: &mut schemars::SchemaGenerator,
        ) -> Vec<(&'static str, schemars::Schema)> {
            vec![$((stringify!($file), list::schema::<$file::$command>(generator)),)+]
        }
    };
}

/// Checks the id by which a command is answered.
pub(super) fn check_id(head: &Head<'_>, needed: bool) -> Result<(), Refused> {
    if head.msg_id.is_empty() && !needed {
        return Ok(());
    }
    validate::msg_id(&head.msg_id).map_err(|refused| Refused::invalid(refused.0))
}

/// What is said of a type that no command has.
pub(super) fn unknown(kinds: &[&[i64]]) -> Refused {
    let kinds: Vec<String> = kinds.concat().iter().map(i64::to_string).collect();
    Refused::invalid(format!("type: a client sends one of {}.", kinds.join(", ")))
}

/// The schema of a command's fields, with those that every frame has.
#[cfg(test)]
pub(super) fn schema<C: Command>(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    use serde_json::json;

    let mut schema = C::json_schema(generator);
    let kind = match C::KINDS {
        [kind] => json!({"const": kind}),
        kinds => json!({"enum": kinds}),
    };
    let longest = lingxi_domain::limits::MAX_MSG_ID_BYTES;
    let msg_id = json!({"type": "string", "maxLength": longest, "description": "The client's id for the frame, at most 64 bytes; the ACK repeats it."});
    let object = schema.ensure_object();
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    properties["type"] = kind;
    properties["msg_id"] = msg_id;
    let required = object.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.insert(0, "type".into());
        if C::NEEDS_ID {
            required.push("msg_id".into());
        }
    }
    schema
}
