//! What a pull consumer sends: messages with their positions, and words about the pull itself.

use async_nats::{Message, StatusCode};

/// Where a delivered message is from, as its reply subject tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Its position in the stream.
    pub(super) position: u64,
    /// Its number among what this consumer has delivered, from 1 without holes.
    pub(super) number: u64,
}

impl Origin {
    /// From `$JS.ACK.<stream>.<consumer>.<deliveries>.<position>.<number>.<time>.<pending>`, which has a domain and an
    /// account in front of the stream where those are used.
    pub(super) fn of(message: &Message) -> Option<Self> {
        Self::parse(message.reply.as_ref()?.as_str())
    }

    fn parse(reply: &str) -> Option<Self> {
        let mut tokens = reply.strip_prefix("$JS.ACK.")?.split('.');
        let skip = match tokens.clone().count() {
            7 => 3,
            9.. => 5,
            _ => return None,
        };
        let position = tokens.nth(skip)?.parse().ok()?;
        let number = tokens.next()?.parse().ok()?;
        Some(Self { position, number })
    }
}

/// What came in on a pull's inbox.
pub(super) enum Delivery {
    /// A message of the stream.
    Message(Message, Origin),
    /// The consumer is there and has nothing; it has delivered this many so far, if it says so.
    Heartbeat(Option<u64>),
    /// The pull is over: its time has passed, or there is nothing. This many messages of it were not delivered, if it says so.
    Over(Option<u64>),
    /// The consumer is gone, or will be.
    Gone,
}

impl Delivery {
    pub(super) fn of(message: Message) -> Self {
        let number = |name: &str| {
            let value = message.headers.as_ref()?.get(name)?;
            value.as_str().parse().ok()
        };
        match message.status {
            Some(StatusCode::IDLE_HEARTBEAT) => Self::Heartbeat(number("Nats-Last-Consumer")),
            Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => {
                Self::Over(number("Nats-Pending-Messages"))
            }
            Some(_) => Self::Gone,
            None => match Origin::of(&message) {
                Some(origin) => Self::Message(message, origin),
                None => Self::Gone,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_reply_subject_are_read() {
        let origin = Some(Origin {
            position: 42,
            number: 7,
        });
        let short = "$JS.ACK.CHAT.reader.1.42.7.1700000000000000000.3";
        let long = "$JS.ACK.hub.ACCOUNT.CHAT.reader.1.42.7.1700000000000000000.3.token";
        assert_eq!(Origin::parse(short), origin);
        assert_eq!(Origin::parse(long), origin);
        assert_eq!(Origin::parse("$JS.ACK.CHAT.reader.1.42"), None);
        assert_eq!(Origin::parse("_INBOX.a.b"), None);
    }
}
