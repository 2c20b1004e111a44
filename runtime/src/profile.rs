//! `/debug/pprof/` on the internal port: where the CPU's time goes, readable by `go tool pprof`.

mod encoding;

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::ops::RangeInclusive;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};
use prost::Message;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::shutdown::Shutdown;

const SECONDS: RangeInclusive<i32> = 1..=300;
const DEFAULT_SECONDS: i32 = 30;
const FREQUENCY: RangeInclusive<i32> = 1..=1000;
/// Not 100, which would beat in time with what happens every 10 ms.
const DEFAULT_FREQUENCY: i32 = 99;
/// Samples whose innermost frame is in one of these are dropped: unwinding from inside of them may crash or deadlock.
const NOT_UNWOUND: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// The timer signal that samples are taken by exists once in a process.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

const INDEX: &str = "\
/debug/pprof/

profile?seconds=30&frequency=99
    Where the CPU's time goes from now on, sampled `frequency` times (1-1000) in each second of CPU time,
    for `seconds` (1-300). One at a time. Time inside of the C library is not seen. To look at it:
    go tool pprof -http=: 'http://127.0.0.1:9080/debug/pprof/profile?seconds=30'
";

pub(crate) fn router(shutdown: Shutdown) -> Router {
    Router::new()
        .route("/debug/pprof/", get(|| async { INDEX }))
        .route("/debug/pprof/profile", get(profile))
        .with_state(shutdown)
}

async fn profile(
    State(shutdown): State<Shutdown>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let seconds = number(&asked, "seconds", DEFAULT_SECONDS, SECONDS);
    let frequency = number(&asked, "frequency", DEFAULT_FREQUENCY, FREQUENCY);
    let (seconds, frequency) = match (seconds, frequency) {
        (Ok(seconds), Ok(frequency)) => (seconds, frequency),
        (Err(why), _) | (_, Err(why)) => return (StatusCode::BAD_REQUEST, why).into_response(),
    };
    let Ok(permit) = ONE_AT_A_TIME.try_acquire() else {
        let why = "another profile is being taken; try again when it is done\n";
        return (StatusCode::CONFLICT, why).into_response();
    };
    // The first time, this reads the program's symbols.
    let begun = tokio::task::spawn_blocking(move || Sampling::begin(frequency, permit));
    let sampling = match begun.await {
        Ok(Ok(sampling)) => sampling,
        Ok(Err(error)) => return failed(error),
        Err(error) => return failed(error),
    };
    // Who hangs up ends it: the guard goes with this future. So does a process that is about to end, with what there is.
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs().into())) => {}
        () = shutdown.drained() => {}
    }
    // Names of functions are looked up now, which takes a while.
    let report = tokio::task::spawn_blocking(move || sampling.end());
    match report.await {
        Ok(Ok(body)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"profile\"",
                ),
            ];
            (headers, body).into_response()
        }
        Ok(Err(error)) => failed(error),
        Err(error) => failed(error),
    }
}

/// The timer while it runs. The permit comes last: nobody may begin before this one has ended.
struct Sampling {
    guard: ProfilerGuard<'static>,
    _permit: SemaphorePermit<'static>,
}

impl Sampling {
    fn begin(frequency: i32, permit: SemaphorePermit<'static>) -> pprof::Result<Self> {
        let guard = ProfilerGuardBuilder::default()
            .frequency(frequency)
            .blocklist(&NOT_UNWOUND)
            .build()?;
        Ok(Self {
            guard,
            _permit: permit,
        })
    }

    /// The gzipped protobuf of what was seen.
    fn end(self) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let report = self.guard.report().build()?;
        drop(self);
        let mut body = GzEncoder::new(Vec::new(), Compression::default());
        body.write_all(&encoding::encode(&report).encode_to_vec())?;
        Ok(body.finish()?)
    }
}

fn failed(error: impl Display) -> Response {
    tracing::error!(%error, "a CPU profile could not be taken");
    let why = format!("the profile could not be taken: {error}\n");
    (StatusCode::INTERNAL_SERVER_ERROR, why).into_response()
}

fn number(
    asked: &HashMap<String, String>,
    name: &str,
    default: i32,
    allowed: RangeInclusive<i32>,
) -> Result<i32, String> {
    let Some(text) = asked.get(name) else {
        return Ok(default);
    };
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        let (least, most) = allowed.into_inner();
        format!("{name} must be a whole number from {least} to {most}\n")
    })
}

#[cfg(test)]
mod tests;
