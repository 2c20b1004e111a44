//! What the attacked processes hold: memory, descriptors, threads, metrics' series.

use std::{
    fmt, fs,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::process::{Named, Usage};

/// The processes under attack.
#[derive(Clone)]
pub(super) struct Resident {
    processes: Arc<[(u32, Usage)]>,
    metrics: Option<String>,
}

/// What they hold in sum at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    memory_kib: u64,
    descriptors: usize,
    threads: usize,
    series: Option<usize>,
}

/// Reads the memory of the largest of the processes until it is ended.
pub(super) struct Peak {
    most: Arc<AtomicU64>,
    reading: JoinHandle<()>,
}

impl Resident {
    pub(super) fn of(named: &[Named], metrics: Option<String>) -> anyhow::Result<Self> {
        let usage = |named: &Named| Ok((named.pid, Usage::of(named.pid)?));
        let processes: Vec<_> = named.iter().map(usage).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            processes: processes.into(),
            metrics,
        })
    }

    /// Resident memory of all of them, in KiB; 0 when none was named.
    pub(super) fn memory_kib(&self) -> anyhow::Result<u64> {
        self.processes
            .iter()
            .map(|(_, usage)| usage.rss_kib())
            .sum()
    }

    pub(super) fn watch(&self) -> Peak {
        let most = Arc::new(AtomicU64::new(0));
        let (resident, seen) = (self.clone(), most.clone());
        let reading = tokio::spawn(async move {
            loop {
                seen.fetch_max(resident.memory_kib().unwrap_or(0), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Peak { most, reading }
    }

    pub(super) async fn read(&self) -> anyhow::Result<Held> {
        let count = |name: &str| {
            let folders = self
                .processes
                .iter()
                .map(|(pid, _)| format!("/proc/{pid}/{name}"));
            folders
                .filter_map(|f| fs::read_dir(f).ok())
                .map(Iterator::count)
                .sum()
        };
        let series = match &self.metrics {
            Some(url) => {
                let text = reqwest::get(url).await?.text().await?;
                Some(text.lines().filter(|line| !line.starts_with('#')).count())
            }
            None => None,
        };
        Ok(Held {
            memory_kib: self.memory_kib()?,
            descriptors: count("fd"),
            threads: count("task"),
            series,
        })
    }
}

impl Held {
    /// Whether nothing was left behind: memory within a fifth, and no more of anything else than chance moves.
    pub(super) fn came_back_to(&self, start: &Self) -> bool {
        let series = self.series.unwrap_or(0) <= start.series.unwrap_or(0) + 50;
        self.memory_kib * 5 <= start.memory_kib * 6
            && self.descriptors <= start.descriptors + 20
            && self.threads <= start.threads + 8
            && series
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} MiB, {} descriptors, {} threads",
            self.memory_kib as f64 / 1024.0,
            self.descriptors,
            self.threads
        )?;
        match self.series {
            Some(series) => write!(f, ", {series} series"),
            None => Ok(()),
        }
    }
}

impl Peak {
    /// The most that was seen, in KiB.
    pub(super) fn end(&self) -> u64 {
        self.reading.abort();
        self.most.load(Ordering::Relaxed)
    }
}
