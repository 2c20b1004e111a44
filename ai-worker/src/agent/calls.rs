//! Tool calls of one turn, put together from the parts in which they stream in.

use lingxi_domain::run::ToolCall;

use crate::providers::ToolCallPart;

/// The most tool calls in one turn; a model that asks for more has lost its way.
const MAX_CALLS: usize = 32;
/// The most that the arguments of one call may be, in bytes.
const MAX_ARGS_BYTES: usize = 64 * 1024;
/// The longest name or id of a call, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The model asked for more than is sane.
#[derive(Debug)]
pub(super) struct TooMuch;

/// Tool calls while their parts come in.
#[derive(Default)]
pub(super) struct Calls {
    calls: Vec<(Option<u32>, ToolCall)>,
}

impl Calls {
    pub(super) fn add(&mut self, part: ToolCallPart) -> Result<(), TooMuch> {
        let place = match part.index {
            // Servers that count every call as 0 are told by another id.
            Some(index) => self.calls.iter().rposition(|(known, call)| {
                let other = part
                    .id
                    .as_ref()
                    .is_some_and(|id| !call.id.is_empty() && call.id != *id);
                *known == Some(index) && !other
            }),
            // No index: a part with a new id or a name begins a call, others continue the last one.
            None => {
                let last = self.calls.last().map(|(_, call)| call);
                let same = match (&part.id, &part.name) {
                    (Some(id), _) => last.is_some_and(|call| call.id == *id),
                    (None, Some(_)) => false,
                    (None, None) => last.is_some(),
                };
                same.then(|| self.calls.len() - 1)
            }
        };
        let place = match place {
            Some(place) => place,
            None if self.calls.len() >= MAX_CALLS => return Err(TooMuch),
            None => {
                let empty = ToolCall {
                    id: String::new(),
                    name: String::new(),
                    args: String::new(),
                };
                self.calls.push((part.index, empty));
                self.calls.len() - 1
            }
        };
        if let Some((_, call)) = self.calls.get_mut(place) {
            if let Some(id) = part.id {
                call.id = id;
            }
            // Some servers repeat the name in every part.
            if let Some(name) = part.name.filter(|name| *name != call.name) {
                call.name.push_str(&name);
            }
            call.args.push_str(&part.args);
            let named = call.id.len().max(call.name.len());
            if call.args.len() > MAX_ARGS_BYTES || named > MAX_NAME_BYTES {
                return Err(TooMuch);
            }
        }
        Ok(())
    }

    pub(super) fn done(self) -> Vec<ToolCall> {
        let mut calls: Vec<ToolCall> = self.calls.into_iter().map(|(_, call)| call).collect();
        for (number, call) in calls.iter_mut().enumerate() {
            // Results refer to calls by id: those of servers that give none get one.
            if call.id.is_empty() {
                call.id = format!("call_{number}");
            }
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(index: Option<u32>, id: Option<&str>, name: Option<&str>, args: &str) -> ToolCallPart {
        ToolCallPart {
            index,
            id: id.map(Into::into),
            name: name.map(Into::into),
            args: args.into(),
        }
    }

    fn together(parts: Vec<ToolCallPart>) -> Vec<(String, String, String)> {
        let mut calls = Calls::default();
        for part in parts {
            calls.add(part).unwrap();
        }
        calls
            .done()
            .into_iter()
            .map(|c| (c.id, c.name, c.args))
            .collect()
    }

    fn call(id: &str, name: &str, args: &str) -> (String, String, String) {
        (id.into(), name.into(), args.into())
    }

    #[test]
    fn parts_are_put_together_by_index() {
        let calls = together(vec![
            part(Some(0), Some("a"), Some("x"), ""),
            part(Some(1), Some("b"), Some("y"), "{"),
            part(Some(0), None, None, "{}"),
            part(Some(1), None, None, "}"),
        ]);
        assert_eq!(calls, [call("a", "x", "{}"), call("b", "y", "{}")]);
    }

    #[test]
    fn servers_without_an_index_or_an_id_are_understood() {
        let calls = together(vec![
            part(None, Some("a"), Some("x"), "{\"n\""),
            part(None, None, None, ":1}"),
            part(None, Some("b"), Some("y"), "{}"),
            part(None, None, Some("z"), "{}"),
        ]);
        assert_eq!(
            calls,
            [
                call("a", "x", "{\"n\":1}"),
                call("b", "y", "{}"),
                call("call_2", "z", "{}")
            ]
        );
        // Index 0 for all.
        let calls = together(vec![
            part(Some(0), Some("a"), Some("x"), "{}"),
            part(Some(0), Some("b"), Some("y"), "{}"),
        ]);
        assert_eq!(calls, [call("a", "x", "{}"), call("b", "y", "{}")]);
        // The name in every part.
        let calls = together(vec![
            part(Some(0), Some("a"), Some("x"), "{"),
            part(Some(0), Some("a"), Some("x"), "}"),
        ]);
        assert_eq!(calls, [call("a", "x", "{}")]);
    }

    #[test]
    fn a_model_that_asks_for_too_much_is_refused() {
        let mut calls = Calls::default();
        for n in 0..32 {
            calls.add(part(Some(n), None, Some("x"), "")).unwrap();
        }
        assert!(calls.add(part(Some(99), None, Some("x"), "")).is_err());
        assert!(
            calls
                .add(part(Some(0), None, None, &"x".repeat(MAX_ARGS_BYTES + 1)))
                .is_err()
        );
        // A name that comes in ever more parts.
        let mut calls = Calls::default();
        let parts = (0..MAX_NAME_BYTES).map(|n| format!("{n:02}"));
        let mut added = parts.map(|name| calls.add(part(Some(0), None, Some(&name), "")));
        assert!(added.any(|added| added.is_err()));
    }
}
