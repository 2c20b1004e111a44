//! Several processes of one system under load: what each spends, and all together.

use std::{str::FromStr, time::Instant};

use anyhow::Context as _;
use serde::Serialize;

use super::Usage;
use crate::output::line;

/// A process to watch, as a command line names it: `PID` or `NAME=PID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is called in a report; `None` for a bare id.
    pub name: Option<String>,
    /// Its process id.
    pub pid: u32,
}

impl FromStr for Named {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, pid) = match text.split_once('=') {
            Some((name, pid)) => (Some(name.trim()), pid),
            None => (None, text),
        };
        anyhow::ensure!(name != Some(""), "{text}: the name before = is empty");
        let pid = pid.trim().parse();
        Ok(Self {
            name: name.map(str::to_owned),
            pid: pid.with_context(|| format!("{text}: give PID or NAME=PID"))?,
        })
    }
}

/// This generator and the processes of a system under load.
#[derive(Debug)]
pub struct Fleet {
    own: Usage,
    servers: Vec<(Named, Usage)>,
}

/// CPU time of a fleet at one moment.
#[derive(Debug)]
pub struct Sample {
    at: Instant,
    own: f64,
    servers: Vec<f64>,
}

/// What one process spent.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    /// Its name; `None` when it was given by its id alone.
    pub name: Option<String>,
    /// Its process id.
    pub pid: u32,
    /// Cores that it used; `None` when it has gone.
    pub cores: Option<f64>,
    /// Its resident memory in KiB at the end; `None` when it has gone.
    pub rss_kib: Option<u64>,
}

/// What the machine spent between two samples.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Cores that this generator used.
    pub client_cores: f64,
    /// Each watched process, in the order given.
    pub servers: Vec<Share>,
}

impl Fleet {
    /// Watches these processes and this one.
    ///
    /// # Errors
    /// When one of them does not exist.
    pub fn of(named: &[Named]) -> anyhow::Result<Self> {
        let watch = |named: &Named| Ok((named.clone(), Usage::of(named.pid)?));
        Ok(Self {
            own: Usage::of_self(),
            servers: named.iter().map(watch).collect::<anyhow::Result<_>>()?,
        })
    }

    /// CPU times now.
    #[must_use]
    pub fn sample(&self) -> Sample {
        Sample {
            at: Instant::now(),
            own: self.own.sample(),
            servers: self.servers.iter().map(|(_, u)| u.sample()).collect(),
        }
    }

    /// What was spent from one sample to the other; memory as it is now.
    #[must_use]
    pub fn spent(&self, from: &Sample, to: &Sample) -> Machine {
        let seconds = (to.at - from.at).as_secs_f64().max(f64::EPSILON);
        let times = from.servers.iter().zip(&to.servers);
        let share = |((named, usage), (from, to)): (&(Named, Usage), (&f64, &f64))| Share {
            name: named.name.clone(),
            pid: named.pid,
            // A process that has gone reads as 0, below what it was.
            cores: (to >= from && *to > 0.0).then(|| (to - from) / seconds),
            rss_kib: usage.rss_kib().ok(),
        };
        Machine {
            client_cores: (to.own - from.own) / seconds,
            servers: self.servers.iter().zip(times).map(share).collect(),
        }
    }
}

impl Machine {
    /// Cores of all watched processes together; `None` when none is there.
    #[must_use]
    pub fn server_cores(&self) -> Option<f64> {
        let known = self.servers.iter().filter_map(|share| share.cores);
        known.reduce(|sum, cores| sum + cores)
    }

    /// Resident memory of all watched processes together, in KiB; `None` when none is there.
    #[must_use]
    pub fn server_rss_kib(&self) -> Option<u64> {
        let known = self.servers.iter().filter_map(|share| share.rss_kib);
        known.reduce(|sum, rss| sum + rss)
    }

    /// Prints one line for one nameless server, a table for named or several ones.
    pub fn print(&self) {
        for text in self.lines() {
            line(&text);
        }
    }

    fn lines(&self) -> Vec<String> {
        let generator = format!("generator {:.2} cores", self.client_cores);
        let named = self.servers.iter().any(|share| share.name.is_some());
        if self.servers.len() < 2 && !named {
            return vec![match (self.server_cores(), self.server_rss_kib()) {
                (Some(cores), Some(rss)) => {
                    format!("{generator}  server {cores:.2} cores, {} MiB", mib(rss))
                }
                _ => generator,
            }];
        }
        let row = |name: &str, cores: Option<f64>, rss: Option<u64>| {
            let cores = cores.map_or("gone".to_owned(), |cores| format!("{cores:.2}"));
            let rss = rss.map(mib).unwrap_or_default();
            format!("{name:<22}{cores:>10}{rss:>12}")
        };
        let mut lines = vec![generator, format!("{:<22}{:>10}{:>12}", "", "cores", "MiB")];
        lines.extend(self.servers.iter().map(|share| {
            let name = share.name.clone();
            let name = name.unwrap_or_else(|| format!("process {}", share.pid));
            row(&name, share.cores, share.rss_kib)
        }));
        lines.push(row("in sum", self.server_cores(), self.server_rss_kib()));
        lines
    }
}

fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{Fleet, Machine, Named, Share};

    fn share(name: Option<&str>, cores: Option<f64>, rss_kib: Option<u64>) -> Share {
        Share {
            name: name.map(str::to_owned),
            pid: 7,
            cores,
            rss_kib,
        }
    }

    fn lines(servers: Vec<Share>) -> Vec<String> {
        let client_cores = 0.25;
        Machine {
            client_cores,
            servers,
        }
        .lines()
    }

    #[test]
    fn processes_are_named_or_not() {
        let parse = |text: &str| text.parse::<Named>().ok().map(|n| (n.name, n.pid));
        assert_eq!(parse("12"), Some((None, 12)));
        assert_eq!(parse("nats=12"), Some((Some("nats".to_owned()), 12)));
        for wrong in ["", "=1", "a=", "a=b", "-1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_nameless_server_is_one_line() {
        assert_eq!(lines(vec![]), ["generator 0.25 cores"]);
        assert_eq!(
            lines(vec![share(None, Some(0.5), Some(2048))]),
            ["generator 0.25 cores  server 0.50 cores, 2.0 MiB"]
        );
    }

    #[test]
    fn several_are_listed_and_summed() {
        let gateway = share(Some("gateway-1"), Some(0.5), Some(1024));
        let dead = share(Some("gateway-2"), None, None);
        let table = lines(vec![gateway, dead, share(None, Some(0.25), Some(2048))]);
        let words: Vec<Vec<&str>> = table
            .iter()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(words[2], ["gateway-1", "0.50", "1.0"]);
        assert_eq!(words[3], ["gateway-2", "gone"]);
        assert_eq!(words[4], ["process", "7", "0.25", "2.0"]);
        assert_eq!(words[5], ["in", "sum", "0.75", "3.0"]);
    }

    #[test]
    fn the_spending_of_a_live_process_is_seen() {
        let own = Named {
            name: Some("own".to_owned()),
            pid: std::process::id(),
        };
        let fleet = Fleet::of(&[own]).unwrap();
        let from = fleet.sample();
        let spent = fleet.spent(&from, &fleet.sample());
        assert!(spent.server_rss_kib().unwrap() > 500);
        assert!(
            Fleet::of(&[Named {
                name: None,
                pid: u32::MAX
            }])
            .is_err()
        );
    }
}
