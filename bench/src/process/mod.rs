//! What the kernel says about a process: memory and CPU time, from `/proc`.

mod fleet;

use std::{fs, path::PathBuf};

use anyhow::Context as _;

pub use fleet::{Fleet, Machine, Named, Sample, Share};

/// A process whose use is looked at.
#[derive(Debug, Clone)]
pub struct Usage {
    folder: PathBuf,
}

impl Usage {
    /// Clock ticks a second in `/proc/PID/stat`; 100 on every Linux that matters.
    const TICKS: f64 = 100.0;

    /// A process by its id.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let usage = Self {
            folder: format!("/proc/{pid}").into(),
        };
        usage
            .rss_kib()
            .with_context(|| format!("no process {pid} to look at"))?;
        Ok(usage)
    }

    /// This process.
    #[must_use]
    pub fn of_self() -> Self {
        Self {
            folder: "/proc/self".into(),
        }
    }

    /// Seconds of CPU time so far, user and system; 0 when the process is gone.
    #[must_use]
    pub fn sample(&self) -> f64 {
        let stat = fs::read_to_string(self.folder.join("stat")).unwrap_or_default();
        // The name in brackets may hold spaces; the fields behind it do not.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks = |at: usize| {
            fields
                .get(at)
                .and_then(|field| field.parse::<f64>().ok())
                .unwrap_or(0.0)
        };
        (ticks(11) + ticks(12)) / Self::TICKS
    }

    /// Resident memory in KiB: `Rss` of `smaps_rollup`, which is exact, else `VmRSS` of `status`.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn rss_kib(&self) -> anyhow::Result<u64> {
        for (file, name) in [("smaps_rollup", "Rss:"), ("status", "VmRSS:")] {
            let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            let value = text.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_suffix("kB")?
                    .trim()
                    .parse()
                    .ok()
            });
            if let Some(value) = value {
                return Ok(value);
            }
        }
        anyhow::bail!("{} has no memory to read", self.folder.display())
    }
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn this_process_has_memory_and_time() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss_kib().unwrap() > 500);
        assert!(usage.sample() >= 0.0);
        assert!(Usage::of(u32::MAX).is_err());
    }
}
