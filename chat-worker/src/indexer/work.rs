//! The task that writes the index.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::Seq;
use lingxi_runtime::outage::Outage;
use lingxi_store::{Error, IndexPart, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::read::{Stretch, gathered, postings, read};
use super::waiting::{Texts, Waiting};
use super::walk::Walk;

/// How long texts are gathered before they go into the index.
const GATHER: Duration = Duration::from_secs(1);
/// The pause between two transactions that only catch up: the messages themselves go first.
const BREATH: Duration = Duration::from_millis(50);
/// Conversations that are behind before no more are looked for.
const BEHIND: usize = 10_000;
/// Conversations of one transaction.
const CONVERSATIONS: usize = 64;
/// Bytes of texts from which on a transaction takes no further conversation.
const BYTES: usize = 512 * 1024;

pub(super) struct Indexer {
    store: Store,
    waiting: Arc<Waiting>,
    walk: Walk,
    /// Conversations whose log is read on.
    behind: BTreeSet<String>,
    gathered: Instant,
    outage: Outage,
}

impl Indexer {
    pub(super) fn new(store: Store, waiting: Arc<Waiting>) -> Self {
        Self {
            store,
            waiting,
            walk: Walk::new(),
            behind: BTreeSet::new(),
            gathered: Instant::now(),
            outage: Outage::of("indexing messages"),
        }
    }

    /// Works until it is told to stop. What waits then is found by the next worker's walk.
    pub(super) async fn work(mut self, stop: CancellationToken) {
        loop {
            let mut next = self.gathered + GATHER;
            if !self.behind.is_empty() {
                next = next.min(Instant::now() + BREATH);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next.max(self.outage.next_try())) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                done = self.round() => match done {
                    Ok(()) => self.outage.over(Instant::now()),
                    Err(error) => self.outage.failed(Instant::now(), &error),
                }
            }
        }
    }

    async fn round(&mut self) -> Result<(), Error> {
        if self.gathered.elapsed() >= GATHER {
            self.gathered = Instant::now();
            self.add_gathered().await?;
            if self.behind.len() < BEHIND {
                let found = self.walk.step(&self.store).await?;
                self.behind.extend(found);
            }
        }
        let mut some = Vec::new();
        while some.len() < CONVERSATIONS
            && let Some(key) = self.behind.pop_first()
        {
            some.push((key, Texts::new()));
        }
        self.add(some).await
    }

    async fn add_gathered(&mut self) -> Result<(), Error> {
        let (conversations, since) = self.waiting.take();
        let mut all = conversations.into_iter();
        loop {
            let (mut some, mut bytes) = (Vec::new(), 0);
            while some.len() < CONVERSATIONS
                && bytes < BYTES
                && let Some((key, texts)) = all.next()
            {
                bytes += texts.iter().map(|(_, text)| text.len()).sum::<usize>();
                some.push((key, texts));
            }
            if some.is_empty() {
                break;
            }
            if let Err(error) = self.add(some).await {
                self.behind.extend(all.map(|(key, _)| key));
                return Err(error);
            }
        }
        let lag = since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        metrics::gauge!("lingxi_search_lag_seconds").set(lag);
        Ok(())
    }

    /// Adds what stands behind the index of these conversations, or the beginning of it.
    async fn add(&mut self, some: Vec<(String, Texts)>) -> Result<(), Error> {
        if some.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = some.iter().map(|(key, _)| key.clone()).collect();
        let added = match self.stretches(some).await {
            Err(error) if is_of_one(&error) => self.add_each(&keys).await,
            added => added,
        };
        match added {
            Ok(goes_on) => self.behind.extend(goes_on),
            Err(error) => {
                self.behind.extend(keys);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Adds these one by one, since one of them cannot be added: its index is thrown away, and the next walk makes it anew.
    pub(super) async fn add_each(&self, keys: &[String]) -> Result<Vec<String>, Error> {
        let mut goes_on = Vec::new();
        for key in keys {
            match self.stretches(vec![(key.clone(), Texts::new())]).await {
                Ok(more) => goes_on.extend(more),
                Err(error) if is_of_one(&error) => {
                    tracing::error!(%error, conversation = key, "a conversation cannot be indexed; it is begun anew");
                    self.store.forget_index(key).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(goes_on)
    }

    /// Answers which of them go on.
    async fn stretches(&self, some: Vec<(String, Texts)>) -> Result<Vec<String>, Error> {
        let keys: Vec<&str> = some.iter().map(|(key, _)| key.as_str()).collect();
        let indexed = self.store.indexed(&keys).await?;
        let mut stretches: Vec<(String, Seq, Stretch)> = Vec::with_capacity(some.len());
        for (key, texts) in some {
            let after = indexed.get(&key).copied().unwrap_or(0);
            let stretch = match gathered(after, texts) {
                Some(stretch) => stretch,
                None => read(&self.store, &key, after).await?,
            };
            if stretch.upto > after {
                stretches.push((key, after, stretch));
            }
        }
        // Texts are cut into words elsewhere: it takes its time, and messages are waiting.
        let cut = tokio::task::spawn_blocking(move || {
            let of_all = stretches
                .iter()
                .map(|(_, _, stretch)| postings(&stretch.texts));
            let of_all: Vec<_> = of_all.collect();
            (stretches, of_all)
        });
        let (stretches, of_all) = cut
            .await
            .map_err(|error| Error::Database(error.to_string()))?;
        let parts = stretches.iter().zip(of_all);
        let parts: Vec<IndexPart<'_>> = parts
            .map(|((key, after, stretch), postings)| IndexPart {
                conversation: key,
                after: *after,
                upto: stretch.upto,
                postings,
            })
            .collect();
        if !parts.is_empty() {
            self.store.index(&parts).await?;
        }
        let texts: usize = stretches
            .iter()
            .map(|(_, _, stretch)| stretch.texts.len())
            .sum();
        metrics::counter!("lingxi_search_indexed_messages_total").increment(texts as u64);
        let goes_on = stretches
            .into_iter()
            .filter(|(_, _, stretch)| stretch.has_more);
        Ok(goes_on.map(|(key, ..)| key).collect())
    }
}

/// Whether it lies with what was to be indexed, and not with the database.
fn is_of_one(error: &Error) -> bool {
    !matches!(error, Error::Unavailable(_)) && !error.timed_out()
}
