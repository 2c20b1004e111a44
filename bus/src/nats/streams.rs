//! The streams, as data, and how they come to be on the server.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};
use serde::Deserialize;
use serde_json::json;

use super::api::{self, Failure, code};
use super::link::Link;
use super::names::StreamName;
use super::queue;
use crate::{Error, Lane, Result};

/// Nothing here uses message ids, so the server need not remember any: the shortest time it takes.
const NO_DUPLICATES: Duration = Duration::from_millis(100);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often a declaration is tried when others declare at the same time.
const ATTEMPTS: usize = 3;

struct Declared {
    stream: StreamName,
    retention: RetentionPolicy,
    /// The server sets this much aside, whether it is used or not; `None`: the number of messages is limit enough.
    max_bytes: Option<u64>,
    max_messages: u64,
    /// 0: no such limit.
    max_messages_per_subject: i64,
    max_age: Duration,
    purpose: &'static str,
}

/// Every stream. All are files, and full ones refuse what is new: what was taken is not thrown away.
fn table(link: &Link) -> [Declared; 3] {
    [
        Declared {
            stream: StreamName::Chat,
            retention: RetentionPolicy::Limits,
            max_bytes: Some(link.options.max_log_bytes),
            max_messages: link.options.max_log_messages,
            max_messages_per_subject: 0,
            max_age: Duration::ZERO,
            purpose: "Lingxi: messages on their way to the store",
        },
        Declared {
            stream: StreamName::Ai,
            retention: RetentionPolicy::WorkQueue,
            max_bytes: None,
            max_messages: 200_000,
            max_messages_per_subject: 0,
            max_age: DAY,
            purpose: "Lingxi: AI runs waiting for a worker; their rows in the store are what counts",
        },
        Declared {
            stream: StreamName::Agent,
            retention: RetentionPolicy::WorkQueue,
            max_bytes: None,
            max_messages: 60_000,
            // Each of its three subjects for itself: results that nobody fetches must not keep tasks out.
            max_messages_per_subject: 20_000,
            max_age: 7 * DAY,
            purpose: "Lingxi: tasks of other services and their results",
        },
    ]
}

impl Declared {
    fn config(&self, link: &Link) -> Config {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Config {
            name: link.names.stream(self.stream),
            subjects: link.names.kept(self.stream),
            retention: self.retention,
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            discard_new_per_subject: self.max_messages_per_subject > 0,
            max_bytes: self.max_bytes.map_or(-1, number),
            max_messages: number(self.max_messages),
            max_messages_per_subject: match self.max_messages_per_subject {
                0 => -1,
                most => most,
            },
            max_age: self.max_age,
            num_replicas: usize::try_from(link.options.replicas).unwrap_or(1),
            duplicate_window: NO_DUPLICATES,
            description: Some(self.purpose.to_owned()),
            ..Config::default()
        }
    }
}

/// Makes every stream and consumer be there as declared, and reads back what is there.
///
/// # Errors
/// [`Error::Setup`] for what an operator must decide; [`Error::Unavailable`] for what may pass.
pub(super) async fn declare(link: &Link) -> Result<Vec<Info>> {
    let mut infos = Vec::new();
    for declared in table(link) {
        infos.push(stream(link, &declared).await?);
    }
    for lane in Lane::ALL {
        queue::declare(link, lane).await?;
    }
    Ok(infos)
}

async fn stream(link: &Link, declared: &Declared) -> Result<Info> {
    let wanted = declared.config(link);
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        let call = match api::info(link, declared.stream).await {
            Ok(info) => {
                require_same_kind(&info.config, &wanted)?;
                if is_as_wanted(&info.config, &wanted) {
                    return Ok(info);
                }
                tracing::info!(stream = wanted.name, "updating a stream's settings");
                "UPDATE"
            }
            Err(Failure::Refused {
                code: code::STREAM_NOT_FOUND,
                ..
            }) => "CREATE",
            Err(other) => return Err(explain(link, &wanted, other).await),
        };
        let call = format!("STREAM.{call}.{}", wanted.name);
        match api::call::<Info>(link, &call, Some(&wanted)).await {
            Ok(info) => return Ok(info),
            // Somebody else was faster, or removed it just now: looked at once more.
            Err(
                other @ Failure::Refused {
                    code: code::STREAM_NAME_IN_USE | code::STREAM_NOT_FOUND,
                    ..
                },
            ) => failure = Some(other),
            Err(other) => return Err(explain(link, &wanted, other).await),
        }
    }
    let failure = failure.unwrap_or(Failure::Nobody);
    Err(explain(link, &wanted, failure).await)
}

/// What cannot be changed on a stream that holds something.
fn require_same_kind(is: &Config, wanted: &Config) -> Result<()> {
    let differs = |field: &str, is: String, wanted_is: String| {
        let name = &wanted.name;
        Err(Error::Setup(format!(
            "stream {name}: its {field} is {is}, but must be {wanted_is}: delete it with `nats stream rm {name}` while no \
             worker runs, or set namespace to share the server with whatever made it"
        )))
    };
    if is.retention != wanted.retention {
        return differs("retention", text(&is.retention), text(&wanted.retention));
    }
    if is.storage != wanted.storage {
        return differs("storage", text(&is.storage), text(&wanted.storage));
    }
    let sorted = |config: &Config| {
        let mut subjects = config.subjects.clone();
        subjects.sort_unstable();
        subjects
    };
    if sorted(is) != sorted(wanted) {
        return differs(
            "list of subjects",
            format!("[{}]", is.subjects.join(", ")),
            format!("[{}]", wanted.subjects.join(", ")),
        );
    }
    Ok(())
}

fn is_as_wanted(is: &Config, wanted: &Config) -> bool {
    is.max_bytes == wanted.max_bytes
        && is.max_messages == wanted.max_messages
        && is.max_messages_per_subject == wanted.max_messages_per_subject
        && is.discard == wanted.discard
        && is.discard_new_per_subject == wanted.discard_new_per_subject
        && is.max_age == wanted.max_age
        && is.num_replicas == wanted.num_replicas
        && is.duplicate_window == wanted.duplicate_window
}

/// As the server's tools write it.
fn text(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "?".to_owned(),
    }
}

#[derive(Default, Deserialize)]
struct StreamNames {
    streams: Option<Vec<String>>,
}

/// An error as one line that says what to do.
async fn explain(link: &Link, wanted: &Config, failure: Failure) -> Error {
    let name = &wanted.name;
    let (code, description) = match failure {
        Failure::Refused { code, description } => (code, description),
        Failure::Nobody => {
            return Error::Setup(
                "JetStream is not enabled on the NATS server: start it with `-js`, or with a `jetstream` block in its configuration"
                    .to_owned(),
            );
        }
        Failure::Unanswered(why) => return Error::Unavailable(why),
    };
    match code {
        code::SYSTEM_UNAVAILABLE => Error::Unavailable(format!("JetStream says: {description}")),
        code::NOT_ENABLED | code::NOT_ENABLED_FOR_ACCOUNT => Error::Setup(format!(
            "JetStream is not enabled for the account that nats_url logs in to ({description}): enable it in the server's configuration"
        )),
        code::SUBJECTS_OVERLAP => {
            let owner = match taken_by(link, wanted).await {
                Some(owner) => format!("stream {owner}"),
                None => "another stream".to_owned(),
            };
            Error::Setup(format!(
                "stream {name}: its subjects [{}] are taken by {owner}: delete that, or set namespace to share the server",
                wanted.subjects.join(", ")
            ))
        }
        code::REPLICAS_NOT_SUPPORTED | code::NO_PEERS => Error::Setup(format!(
            "stream {name}: {} copies are not possible on this NATS ({description}): set nats.replicas to 1, or connect to a cluster of at least that many servers with JetStream",
            wanted.num_replicas
        )),
        code::INSUFFICIENT_RESOURCES | code::STORAGE_EXCEEDED => Error::Setup(format!(
            "stream {name}: the NATS server has no room for {} bytes ({description}): raise its `max_file_store`, or lower nats.max_log_bytes",
            wanted.max_bytes
        )),
        _ => Error::Setup(format!(
            "stream {name}: NATS refuses it: {description} ({code}); compare it with `nats stream info {name}`"
        )),
    }
}

async fn taken_by(link: &Link, wanted: &Config) -> Option<String> {
    for subject in &wanted.subjects {
        let request = json!({ "subject": subject });
        let found: StreamNames = api::call(link, "STREAM.NAMES", Some(&request)).await.ok()?;
        let foreign = |name: &String| *name != wanted.name;
        if let Some(owner) = found.streams.into_iter().flatten().find(foreign) {
            return Some(owner);
        }
    }
    None
}

/// What was read back, for people.
pub(super) fn describe(link: &Link, infos: &[Info]) -> String {
    let server = link.client.server_info();
    let mut line = format!("NATS {}", server.version);
    if let Some(cluster) = &server.cluster {
        line.push_str(&format!(", cluster {cluster}"));
    }
    for Info { config, .. } in infos {
        line.push_str(&format!(
            "; {}: {}, {}, replicas {}, at most {} messages",
            config.name,
            text(&config.storage),
            text(&config.retention),
            config.num_replicas,
            config.max_messages
        ));
        if config.max_bytes > 0 {
            line.push_str(&format!(" and {} MiB", config.max_bytes >> 20));
        }
    }
    line
}
