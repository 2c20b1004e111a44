//! What a person sees of an event.

use serde_json::Value;

use crate::chat::commands;
use crate::chat::event::Event;
use crate::chat::names::Names;
use crate::chat::talk::Talk;
use crate::chat::text;

/// Where something is shown.
pub(in super::super) struct Scene<'a> {
    /// Who looks on.
    pub(in super::super) me: &'a str,
    /// The server's address.
    pub(in super::super) server: &'a str,
    pub(in super::super) names: &'a Names,
    /// Whom they talk to. What is said elsewhere says where.
    pub(in super::super) talk: Option<&'a Talk>,
}

/// The lines that a person sees. Nothing in them controls the terminal.
pub(super) fn lines(event: &Event, scene: &Scene<'_>) -> Vec<String> {
    match event {
        Event::Frame(frame) => of_frame(frame, scene),
        Event::Settled(ack) => settled(ack),
        Event::Again(_) => vec!["  … the server asks to wait; it is sent again".to_owned()],
        Event::Connected { again: true } => vec!["  connected again".to_owned()],
        Event::Connected { again: false } => vec![format!(
            "connected to {} as {}; /help lists the commands",
            text::line(scene.server),
            text::line(scene.me)
        )],
        Event::Lost { why, retry_in } => vec![format!(
            "  … {}; trying again in {:.1} s",
            text::line(why),
            retry_in.as_secs_f32()
        )],
        Event::Answer { command, body } => commands::show(command, body),
        Event::Refused { why, .. } => vec![format!("  ✗ {}", text::line(&why.message))],
        // It stands there, as it was typed.
        Event::Own(_) | Event::Sent(_) => Vec::new(),
    }
}

fn settled(ack: &Value) -> Vec<String> {
    let status = ack["status"].as_str().unwrap_or_default();
    vec![match status {
        "failed" => format!("  ✗ not sent: {}", why(ack)),
        _ => format!("  ✓ {} (#{})", text::line(status), ack["id"]),
    }]
}

/// What the server says of a refusal.
fn why(ack: &Value) -> String {
    let reason = ack["reason"].as_str().unwrap_or_default();
    text::line(ack["message"].as_str().unwrap_or(reason))
}

fn of_frame(frame: &Value, scene: &Scene<'_>) -> Vec<String> {
    match frame["type"].as_i64() {
        Some(2 | 4) => commands::message(&place(frame, scene), frame),
        Some(3) if frame["status"] == "failed" => vec![format!("  ✗ {}", why(frame))],
        Some(5) => {
            // What one has read oneself is no news.
            let is_news = frame["event"] != "read" || frame["from"] != scene.me;
            let place = place(frame, scene);
            let place = if place.is_empty() {
                "  ".to_owned()
            } else {
                place
            };
            let said = of_event(frame).filter(|_| is_news);
            said.map(|said| format!("{place}{said}"))
                .into_iter()
                .collect()
        }
        Some(10) => {
            let users = frame["users"].as_array().into_iter().flatten();
            let users = users.map(|user| {
                let name = text::line(user["username"].as_str().unwrap_or_default());
                let online = if user["online"] == true {
                    "online"
                } else {
                    "away"
                };
                format!("  {name} is {online}")
            });
            users.collect()
        }
        _ => Vec::new(),
    }
}

/// In which conversation, unless it is the one that one is in.
fn place(frame: &Value, scene: &Scene<'_>) -> String {
    let conversation = frame["conversation"].as_str().unwrap_or_default();
    let talk = scene.names.talk(conversation);
    if talk.is_some() && talk.as_ref() == scene.talk || conversation.is_empty() {
        return String::new();
    }
    match (talk, scene.names.of(conversation)) {
        (Some(Talk::Group(id)), Some(name)) => format!("[{} {id}] ", text::line(name)),
        (Some(talk), _) => format!("[{}] ", text::line(&talk.to_string())),
        (None, _) => format!("[{}] ", text::line(conversation)),
    }
}

/// A sentence about what happened; none where nothing is to be said.
fn of_event(frame: &Value) -> Option<String> {
    let of = |field: &str| text::line(frame[field].as_str().unwrap_or_default());
    let (from, target) = (of("from"), of("target"));
    let message = format!("#{}", frame["target_id"]);
    let said = match frame["event"].as_str()? {
        "recalled" => format!("{from} took {message} back"),
        "edited" => format!("{from} changed {message} to: {}", of("content")),
        "reacted" if frame["on"] == true => format!("{from} reacted to {message}: {}", of("emoji")),
        "reacted" => format!("{from} took {} back from {message}", of("emoji")),
        "pinned" => format!("{from} pinned {message}"),
        "unpinned" => format!("{from} unpinned {message}"),
        "group_joined" => format!("{from} joined"),
        "group_left" => format!("{from} left"),
        "group_invited" => format!("{from} took {target} in"),
        "group_kicked" => format!("{from} put {target} out"),
        "group_dismissed" => format!("{from} dismissed the group"),
        "group_updated" => {
            let changes = text::line(&frame["changes"].to_string());
            match target.is_empty() {
                true => format!("{from} changed the group: {changes}"),
                false => format!("{from} changed what {target} is here: {changes}"),
            }
        }
        "read" => format!("{from} has read it"),
        _ => return None,
    };
    Some(said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(frame: Value, talk: Option<Talk>) -> Vec<String> {
        let mut names = Names::default();
        names.learn(
            "alice",
            &json!({"conversation": "g:7", "name": "Ru\u{1b}st"}),
        );
        names.learn("alice", &frame);
        let scene = Scene {
            me: "alice",
            server: "http://h",
            names: &names,
            talk: talk.as_ref(),
        };
        lines(&Event::Frame(frame.into()), &scene)
    }

    #[test]
    fn messages_say_where_they_are_unless_one_is_there() {
        let bob = json!({"type": 2, "id": 5, "conversation": "d:1:2", "from": "bob", "to": "alice", "content": "a\n\u{1b}[2Jb"});
        let lines = [r"[bob] bob: a", r"    | \u{1b}[2Jb  (#5)"];
        assert_eq!(seen(bob.clone(), None), lines);
        let talk = Some(Talk::User("bob".to_owned()));
        assert_eq!(seen(bob, talk)[0], "bob: a");
        let group = json!({"type": 4, "id": 6, "conversation": "g:7", "from": "bob", "group_id": 7, "content": "hi",
            "reply_to": {"id": 1, "seq": 1, "from": "carol", "content": "x\ny"}, "file": {"id": 3, "name": "\u{9b}m.txt", "size": 2},
            "reactions": [{"emoji": "👍", "count": 2, "mine": false}], "edited_at": 1});
        let place = r"[Ru\u{1b}st 7] ";
        assert_eq!(
            seen(group, None),
            [
                format!("{place}  > carol: x y"),
                format!(r"{place}bob: [file 3: \u{{9b}}m.txt, 2 bytes] hi  (#6, edited, 👍 2)"),
            ]
        );
    }

    #[test]
    fn events_are_sentences_without_controls() {
        for event in [
            "recalled",
            "edited",
            "reacted",
            "pinned",
            "unpinned",
            "group_joined",
            "group_left",
            "group_invited",
            "group_kicked",
            "group_dismissed",
            "group_updated",
            "read",
        ] {
            let frame = json!({"type": 5, "event": event, "conversation": "g:7", "group_id": 7, "from": "b\u{1b}ob",
                "target": "c\u{7}", "content": "\u{1b}[31m", "emoji": "\u{8}", "changes": {"name": "\u{1b}c"}});
            let said = seen(frame, Some(Talk::Group(7)));
            assert_eq!(said.len(), 1, "{event}");
            assert!(!said[0].contains(char::is_control), "{said:?}");
        }
        assert!(seen(json!({"type": 9, "from": "bob"}), None).is_empty());
    }
}
