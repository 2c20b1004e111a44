//! What NATS tells on its monitoring port alone: how often it writes its streams to the disk.

use std::error::Error as _;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use url::Url;

use crate::{Error, Result};

/// A fact for people is not worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is used of a server's `/varz`.
#[derive(Deserialize)]
struct Varz {
    server_name: String,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Default, Deserialize)]
struct JetStream {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    /// In nanoseconds.
    #[serde(default)]
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
}

/// Addresses of monitoring ports, one for each server, separated by commas.
pub(super) fn urls(text: &str) -> Result<Vec<Url>> {
    let given = text.split(',').map(str::trim).filter(|url| !url.is_empty());
    given
        .map(|url| {
            let parsed = Url::parse(url).ok();
            let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
            parsed.filter(usable).ok_or_else(|| {
                let shown = url.rsplit('@').next().unwrap_or_default();
                Error::Setup(format!(
                    "nats.monitoring_url: {shown:?} is no address of a monitoring port; write http://host:8222"
                ))
            })
        })
        .collect()
}

/// How each server writes to the disk, in words; of one that does not tell, why.
pub(super) async fn sync_settings(urls: &[Url]) -> String {
    if urls.is_empty() {
        return "how often NATS syncs to the disk is not known, since nats.monitoring_url is not set".to_owned();
    }
    let told = join_all(urls.iter().map(|url| async move {
        match varz(url).await {
            Ok(varz) => in_words(varz),
            Err(why) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port_or_known_default().unwrap_or_default();
                tracing::warn!(
                    monitoring = format!("{host}:{port}"),
                    why,
                    "NATS does not tell its settings"
                );
                format!(
                    "the server monitored at {host}:{port} does not tell how often it syncs ({why})"
                )
            }
        }
    }));
    told.await.join(", ")
}

async fn varz(url: &Url) -> std::result::Result<Varz, String> {
    // Below a path too, as behind a proxy.
    let mut varz = url.clone();
    varz.set_path(&format!("{}/varz", url.path().trim_end_matches('/')));
    let asked = async {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
        let answer = http.build()?.get(varz).send().await?;
        answer.error_for_status()?.json().await
    };
    asked.await.map_err(|error: reqwest::Error| {
        let error = error.without_url();
        match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        }
    })
}

fn in_words(varz: Varz) -> String {
    let how = match varz.jetstream.config {
        None => "has no JetStream".to_owned(),
        Some(config) if config.sync_always => "syncs each write to the disk".to_owned(),
        Some(config) => {
            let every = Duration::from_nanos(config.sync_interval);
            format!("syncs to the disk every {every:?}")
        }
    };
    format!("server {} {how}", varz.server_name)
}
