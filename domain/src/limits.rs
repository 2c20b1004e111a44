//! The numbers of the client contract.

/// The largest WebSocket frame that is read as one, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// The largest frame that is taken off the socket to be answered `too_large`; a larger one cuts it.
pub const MAX_REFUSED_FRAME_BYTES: usize = 1024 * 1024;
/// The largest content of a message, in UTF-8 bytes.
pub const MAX_CONTENT_BYTES: usize = 16 * 1024;
/// The longest client message id, in bytes.
pub const MAX_MSG_ID_BYTES: usize = 64;
/// The longest username, in characters.
pub const MAX_USERNAME_CHARS: usize = 32;
/// The longest nickname or group name, in characters.
pub const MAX_NAME_CHARS: usize = 64;
/// The longest contact remark or announcement, in characters.
pub const MAX_REMARK_CHARS: usize = 512;
/// The longest line about oneself, in characters.
pub const MAX_SIGNATURE_CHARS: usize = 128;
/// The longest address of a picture, in characters.
pub const MAX_AVATAR_CHARS: usize = 512;
/// The shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 6;
/// The longest password, in bytes: bcrypt reads no further.
pub const MAX_PASSWORD_BYTES: usize = 72;
/// Members of a group when nothing is said.
pub const DEFAULT_GROUP_MEMBERS: i64 = 200;
/// The largest `max_count` of a group.
pub const MAX_GROUP_MEMBERS: i64 = 5000;
/// Contacts of one user.
pub const MAX_CONTACTS: i64 = 5000;
/// Users that one user blocks.
pub const MAX_BLOCKED: i64 = 5000;
/// Invitation links of one group.
pub const MAX_INVITE_LINKS: i64 = 100;
/// The longest life of an invitation link, in seconds: a year.
pub const MAX_LINK_SECONDS: i64 = 366 * 24 * 3600;
/// Users who wait to be let into one group.
pub const MAX_JOIN_REQUESTS: i64 = 1000;
/// The longest reason of a report, in characters.
pub const MAX_REASON_CHARS: usize = 512;
/// Reports of one user that wait for an operator.
pub const MAX_OPEN_REPORTS: i64 = 100;
/// Users whom one connection watches.
pub const MAX_WATCHED: usize = 200;
/// Groups with more members are not told that somebody types.
pub const MAX_TYPING_MEMBERS: usize = 200;
/// The largest page of any list as encoded JSON, in bytes; one row that is larger comes alone.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;
/// Unread messages are counted up to here.
pub const MAX_UNREAD: i64 = 999;
/// The largest page of a list.
pub const MAX_PAGE: i64 = 200;
/// The page of a list when nothing is said.
pub const DEFAULT_PAGE: i64 = 50;
/// Entries of one conversation pushed on connect before the rest becomes a `gap`.
pub const RESUME_CAP: i64 = 100;
/// How long the sender may recall a message, in milliseconds.
pub const RECALL_WINDOW_MS: i64 = 2 * 60 * 1000;
/// How long the sender may edit a message, in milliseconds.
pub const EDIT_WINDOW_MS: i64 = 15 * 60 * 1000;
/// Users whom one message mentions.
pub const MAX_MENTIONS: usize = 50;
/// Characters of a message that are shown where it is answered.
pub const QUOTE_CHARS: usize = 100;
/// The longest emoji that one reacts with, in bytes.
pub const MAX_EMOJI_BYTES: usize = 32;
/// Kinds of emoji on one message.
pub const MAX_REACTION_KINDS: i64 = 20;
/// Messages that a group keeps in sight.
pub const MAX_PINS: i64 = 100;
/// Groups with more members do not say who of them has read a message.
pub const MAX_READERS: usize = 200;
/// The longest idempotency key, in bytes.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 128;
/// Bots of one installation.
pub const MAX_BOTS: i64 = 10_000;
/// The longest address of a webhook, in characters.
pub const MAX_WEBHOOK_URL_CHARS: usize = 2048;
/// Frames that may wait for a socket that cannot take them.
pub const SESSION_QUEUE_FRAMES: usize = 256;
/// Frames that may wait for a socket that can: a burst.
pub const SESSION_BURST_FRAMES: usize = 8192;
/// Bytes that may wait for a socket.
pub const SESSION_QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes that one round from the store queues for a socket: well below what the queue holds.
pub const ROUND_BYTES: usize = SESSION_QUEUE_BYTES / 2;
/// The largest body of a request, in bytes; routes that take files or documents have limits of their own.
pub const BODY_BYTES: usize = 64 * 1024;
/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 20 * 1024 * 1024;
/// What may stand around a file in the body that brings it, in bytes.
pub const FILE_FORM_BYTES: usize = 64 * 1024;
/// The longest name of a file, in bytes.
pub const MAX_FILE_NAME_BYTES: usize = 255;
/// The largest body of a request by somebody who has no token yet, in bytes.
pub const SMALL_BODY_BYTES: usize = 16 * 1024;
/// The largest integer that JavaScript keeps exactly is one less.
pub const MAX_INTEGER: i64 = 1 << 53;
