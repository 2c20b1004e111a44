//! The one table of error codes: name, HTTP status, and whether trying again can help.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal $retry:literal $message:literal;)*) => {
        /// A stable error code of the client contract. Names are never reworded.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as clients see it: `error` in a body, `reason` in an ACK.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether the same request may succeed later with nothing changed by the client.
            pub fn retryable(self) -> bool {
                match self { $(Self::$name => $retry,)* }
            }

            /// One sentence that says what to do, for places that know nothing more exact.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }

        impl std::str::FromStr for ErrorCode {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($text => Ok(Self::$name),)* _ => Err(()) }
            }
        }
    };
}

codes! {
    /// The request's shape or a value in it is wrong.
    InvalidRequest "invalid_request" 400 false "Check the request against /docs.";
    /// No token, or one that is bad, expired or superseded.
    Unauthorized "unauthorized" 401 false "Log in again and send the new token.";
    /// The username or the password is wrong.
    InvalidCredentials "invalid_credentials" 401 false "The username or the password is wrong; check both and try again.";
    /// Known, but not allowed.
    Forbidden "forbidden" 403 false "You are not allowed to do this; ask the group's owner or an administrator.";
    /// Not a member of the group.
    NotMember "not_member" 403 false "You are not a member of this group; join it first.";
    /// Muted in the group.
    Muted "muted" 403 true "You are muted in this group; wait until it ends or ask an administrator.";
    /// The recipient blocks the sender.
    Blocked "blocked" 403 false "This user does not accept messages from you.";
    /// Too late to recall.
    RecallExpired "recall_expired" 403 false "Messages can be recalled for 2 minutes; ask a group administrator.";
    /// Too late to edit.
    EditExpired "edit_expired" 403 false "Messages can be edited for 15 minutes; send a new one.";
    /// No such path.
    NotFound "not_found" 404 false "There is no such path; see /docs for those there are.";
    /// No such user.
    UserNotFound "user_not_found" 404 false "There is no user of that name; check the spelling.";
    /// No such group.
    GroupNotFound "group_not_found" 404 false "There is no group with that id; search for it by name.";
    /// No such message.
    MessageNotFound "message_not_found" 404 false "There is no such message in your conversations.";
    /// No such file, or none that this user may see.
    FileNotFound "file_not_found" 404 false "There is no such file that you may see; ask who sent it to send it again.";
    /// No such run.
    RunNotFound "run_not_found" 404 false "There is no such run of yours; start a new one.";
    /// No such link, or one that has expired or was used up.
    InviteLinkNotFound "invite_link_not_found" 404 false "That invitation link is not valid, or no longer; ask for a new one.";
    /// Nobody of that name waits to be let in.
    RequestNotFound "request_not_found" 404 false "That user has not asked to join, or was answered already.";
    /// No such contact.
    ContactNotFound "contact_not_found" 404 false "That user is not among your contacts.";
    /// Right path, wrong method.
    MethodNotAllowed "method_not_allowed" 405 false "This path has other methods; see /docs.";
    /// The request did not arrive in time.
    RequestTimeout "request_timeout" 408 true "The request did not arrive in time; send it again.";
    /// A name that this server does not answer to, while it serves its own machine only.
    HostNotAllowed "host_not_allowed" 421 false "This server answers to localhost only; add the name to http.hosts, or use http://localhost.";
    /// The username is in use.
    UsernameTaken "username_taken" 409 false "That username is taken; choose another.";
    /// Already in the group.
    AlreadyMember "already_member" 409 false "That user is already a member of this group.";
    /// No room in the group.
    GroupFull "group_full" 409 false "The group is full; its owner can raise max_count.";
    /// The user is in too many groups.
    TooManyGroups "too_many_groups" 409 false "A user can be in no more groups than this; leave one first.";
    /// A message has as many kinds of reactions as it may.
    TooManyReactions "too_many_reactions" 409 false "This message has as many kinds of reactions as it may; use one of them.";
    /// A group has as many messages in sight as it may.
    TooManyPins "too_many_pins" 409 false "The group has as many pinned messages as it may; unpin one first.";
    /// The list of contacts is full.
    TooManyContacts "too_many_contacts" 409 false "The list of contacts is full; delete one first.";
    /// The list of blocked users is full.
    TooManyBlocked "too_many_blocked" 409 false "The list of blocked users is full; unblock one first.";
    /// A group has as many invitation links as it may.
    TooManyLinks "too_many_links" 409 false "The group has as many invitation links as it may; delete one first.";
    /// As many wait to be let into a group as may.
    TooManyRequests "too_many_requests" 409 false "Too many wait to be let into this group; try again when some were answered.";
    /// As many reports of one user wait as may.
    TooManyReports "too_many_reports" 409 false "Too many of your reports wait for an operator; try again when some were handled.";
    /// There are as many bots as there may be.
    TooManyBots "too_many_bots" 409 false "There are as many bots as there may be; none can be added.";
    /// The idempotency key, or the `msg_id`, was used for something else.
    IdempotencyConflict "idempotency_conflict" 409 false "This msg_id or idempotency_key was used with other content; use a new one.";
    /// Over a size limit.
    TooLarge "too_large" 413 false "Send less at once; the limits are in the API documentation.";
    /// A part of a file that it does not have.
    RangeNotSatisfiable "range_not_satisfiable" 416 false "Ask for a part that the file has.";
    /// Over a rate limit.
    RateLimited "rate_limited" 429 true "Too many requests; slow down and try again.";
    /// The AI provider failed.
    ProviderError "provider_error" 502 true "The model's provider failed; try again later.";
    /// The AI provider or run took too long.
    Timeout "timeout" 504 true "It took too long; try again.";
    /// The disk for files is full.
    StorageFull "storage_full" 507 true "There is no room for files just now; try again later, or ask the operator.";
    /// The deployment keeps no files.
    NoFileStore "no_file_store" 501 false "This deployment keeps no files; its operator sets files.url.";
    /// A bug or a broken dependency; the log has the cause.
    Internal "internal" 500 true "Something went wrong on our side; try again.";
    /// Not able to serve just now.
    Unavailable "unavailable" 503 true "The service is not available just now; try again shortly.";
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_distinct_and_parse_back() {
        let mut seen = std::collections::HashSet::new();
        for &code in ErrorCode::ALL {
            let name = code.as_str();
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            assert!(seen.insert(name));
            assert_eq!(name.parse(), Ok(code));
            assert!((400..600).contains(&code.status()));
            assert!(code.message().ends_with('.'));
        }
    }
}
