//! The list of frames, and what is made from it.

use serde::Serialize;

/// Names the frames: a file and its type each.
macro_rules! frames {
    ($($file:ident::$frame:ty),+ $(,)?) => {
        $(mod $file;)+

        /// The JSON Schema of every frame that clients may be sent, by the name of its file.
        pub fn schemas(
            generator: &mut schemars::SchemaGenerator,
        ) -> Vec<(&'static str, schemars::Schema)> {
            vec![$((stringify!($file), {
                use $file::*;
                <$frame as schemars::JsonSchema>::json_schema(generator)
            }),)+]
        }
    };
}

/// The frame's text.
pub(super) fn encode<T: Serialize>(frame: &T) -> String {
    // Serialising these plain structs cannot fail; an empty object would be ignored by clients.
    serde_json::to_string(frame).unwrap_or_else(|_| String::from("{}"))
}
