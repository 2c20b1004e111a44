//! What a test asks for.

use super::mode::Mode;

/// What a deployment is started with, beyond the defaults of every test.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(super) mode: Mode,
    pub(super) roles: Vec<&'static str>,
    pub(super) env: Vec<(String, String)>,
    pub(super) wrapper: Vec<String>,
    pub(super) descriptors: Option<u32>,
    pub(super) own_servers: bool,
    pub(super) proxied: bool,
    pub(super) disk: Option<u64>,
    pub(super) failing_disk: bool,
}

impl Options {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            roles: mode.roles().to_vec(),
            env: Vec::new(),
            wrapper: Vec::new(),
            descriptors: None,
            own_servers: false,
            proxied: false,
            disk: None,
            failing_disk: false,
        }
    }

    /// Sets an environment variable of every process.
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.env.push((key.to_owned(), value.to_string()));
        self
    }

    /// Puts a command (strace, say) before the process that writes to the disk: the server itself, or the database.
    pub(crate) fn wrapped(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Processes that may have only so many descriptors open.
    pub(crate) fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// Other processes than the mode's usual ones; the gateways first.
    pub(crate) fn roles(mut self, roles: &[&'static str]) -> Self {
        self.roles = roles.to_vec();
        self
    }

    /// These processes besides.
    pub(crate) fn also(mut self, roles: &[&'static str]) -> Self {
        self.roles.extend(roles);
        self
    }

    /// Database, bus and cache servers of its own, to be killed and paused.
    pub(crate) fn own_servers(mut self) -> Self {
        self.own_servers = true;
        self
    }

    /// Servers of its own, each reached by each process through a proxy, and proxies before the gateways.
    pub(crate) fn proxied(mut self) -> Self {
        self.proxied = true;
        self.own_servers()
    }

    /// Keeps what is stored on a disk of its own of that many megabytes: the data folder, or the database's.
    pub(crate) fn small_disk(mut self, megabytes: u64) -> Self {
        self.disk = Some(megabytes);
        self.own_servers()
    }

    /// Puts a disk that can be made to fail below what is stored: the data folder, or the database's.
    pub(crate) fn failing_disk(mut self) -> Self {
        self.failing_disk = true;
        self.own_servers()
    }
}
