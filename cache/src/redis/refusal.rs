//! What Redis' and the client's errors mean to whoever runs the system.

use fred::error::{Error as RedisError, ErrorKind};

use super::Options;
use crate::Error;

/// The oldest server that will do.
const OLDEST: u32 = 7;

/// Sorts an error of the client, with what to do about it.
pub(super) fn classify(error: &RedisError, options: &Options) -> Error {
    let said = error.details();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&[
        "NOAUTH",
        "WRONGPASS",
        "ERR AUTH",
        "invalid password",
        "DENIED",
    ]) {
        return Error::Refused(format!(
            "Redis at {} refuses the login ({said}): check user and password in its URL",
            options.servers()
        ));
    }
    if says(&["NOPERM", "ACL failure", "executing the script can't"]) {
        return Error::Refused(format!(
            "Redis lets its user do too little ({said}): grant it ~{}:* +@all -@dangerous +info",
            options.namespace
        ));
    }
    if says(&["cluster support disabled"]) {
        return Error::Misconfigured("this Redis is not a cluster: use a redis:// URL".to_owned());
    }
    if error.is_moved() {
        return Error::Misconfigured(CLUSTER.to_owned());
    }
    if says(&["Missing primary address"]) {
        let why = "the sentinels know no such service: check sentinelServiceName in the URL";
        return Error::Misconfigured(why.to_owned());
    }
    if says(&["DB index is out of range"]) {
        let why = "Redis has no database of that number: check the end of its URL";
        return Error::Misconfigured(why.to_owned());
    }
    if matches!(
        error.kind(),
        ErrorKind::IO | ErrorKind::Timeout | ErrorKind::Sentinel
    ) {
        return unreachable(options, &shortened(said));
    }
    Error::Unavailable(said.to_owned())
}

const CLUSTER: &str = "this Redis is part of a cluster: use a redis-cluster:// URL";

pub(super) fn unreachable(options: &Options, why: &str) -> Error {
    Error::Unavailable(format!(
        "Redis at {} is unreachable ({why})",
        options.servers()
    ))
}

/// The words out of an operating system's error, which the client writes as `Os { …, message: "…" }`.
fn shortened(said: &str) -> String {
    let message = said.split_once("message: \"").map(|(_, rest)| rest);
    let message = message.and_then(|rest| rest.split_once('"'));
    message.map_or(said, |(message, _)| message).to_owned()
}

/// Judges the server by what `INFO server` says.
pub(super) fn judge(info: &str, options: &Options) -> Result<(), Error> {
    let field = |name: &str| {
        let mut lines = info.lines();
        lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
    };
    if let Some(version) = field("redis_version") {
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        if major.is_some_and(|major: u32| major < OLDEST) {
            return Err(Error::TooOld(format!(
                "Redis at {} is {version}, and {OLDEST}.0 or newer is needed: upgrade it",
                options.servers()
            )));
        }
    }
    match field("redis_mode") {
        Some("cluster") if !options.config.server.is_clustered() => {
            Err(Error::Misconfigured(CLUSTER.to_owned()))
        }
        Some("sentinel") => {
            let why = "this is a sentinel, not a Redis: use a redis-sentinel:// URL";
            Err(Error::Misconfigured(why.to_owned()))
        }
        _ => Ok(()),
    }
}
