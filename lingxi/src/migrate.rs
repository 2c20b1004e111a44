//! `lingxi migrate`: brings the schema of a cluster's database up to date, once, before its processes start.

use std::time::Duration;

use anyhow::{Context as _, bail};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{Error, Migrated, Store};
use tokio::time::Instant;

use crate::config::Config;
use crate::foundation::{location, patiently};

/// Applies what is missing. Several may run at once; one of them does it.
#[expect(clippy::print_stdout, reason = "what the command is asked for")]
pub(crate) async fn run(config: Config, wait_for: Duration) -> anyhow::Result<()> {
    let location = location(&config)?;
    let signal = Shutdown::new();
    signal.on_signals().context("cannot listen for signals")?;
    let migrating = patiently(Instant::now() + wait_for, "database", async || {
        Store::migrate(&location).await.map_err(|error| {
            let away = matches!(error, Error::Unavailable(_));
            (error, away)
        })
    });
    let Migrated { applied, newer } = tokio::select! {
        migrated = migrating => migrated?,
        () = signal.cancelled() => bail!("stopped before the schema was up to date"),
    };
    match (applied.as_slice(), newer) {
        ([], None) => println!("the schema is up to date"),
        ([], Some(newer)) => println!(
            "the schema is newer than this lingxi and suits it (migration {newer}): nothing to do"
        ),
        (applied, _) => println!("applied: {applied:?}"),
    }
    Ok(())
}
