//! A disk that fails when it is told to, below whatever stores: the one process, or the cluster's database server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::mode::Mode;

/// What becomes of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskFault {
    /// No file can grow; what has its place can be written.
    Full,
    /// Every write fails for want of room, in place too: a volume that promised more than there is.
    NoRoom,
    /// What may be stored by this user is used up.
    Quota,
    ReadOnly,
    /// Every write and every sync fails.
    Errors,
    /// Every sync, and every write that waits for the disk, takes so many milliseconds longer.
    Slow(u32),
}

impl fmt::Display for DiskFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(out, "full"),
            Self::NoRoom => write!(out, "28"),
            Self::Quota => write!(out, "122"),
            Self::ReadOnly => write!(out, "30"),
            Self::Errors => write!(out, "5"),
            Self::Slow(more) => write!(out, "slow {more}"),
        }
    }
}

/// Files that are written through `failing_disk.c`.
#[derive(Debug)]
pub(crate) struct FailingDisk {
    library: PathBuf,
    /// Of paths.
    files: String,
    control: PathBuf,
}

impl FailingDisk {
    /// Where a deployment in this folder stores; well, until it is struck.
    pub(super) fn below(folder: &Path, mode: Mode) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/failing_disk.c");
        let library = folder.join("failing_disk.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(compiled.is_ok_and(|status| status.success()), "cc");
        let files = match mode {
            Mode::Embedded => "data/*",
            // Not what the server logs.
            Mode::Cluster => "mariadb-*/data/*",
        };
        Self {
            library,
            files: folder.join(files).display().to_string(),
            control: folder.join("disk"),
        }
    }

    /// What the process that stores is started with.
    pub(super) fn env(&self) -> [(&'static str, String); 3] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAILING_DISK", self.files.clone()),
            ("FAILING_DISK_CONTROL", self.control.display().to_string()),
        ]
    }

    /// The same, as a command before its own.
    pub(super) fn wrapper(&self) -> Vec<String> {
        let set = self.env().map(|(key, value)| format!("{key}={value}"));
        std::iter::once("env".to_owned()).chain(set).collect()
    }

    pub(crate) fn strike(&self, fault: DiskFault) {
        let _ = std::fs::remove_file(self.met());
        // At once, not in two steps: the file is read in the middle of everything.
        let next = self.control.with_extension("next");
        let written = std::fs::write(&next, fault.to_string());
        let there = written.and_then(|()| std::fs::rename(&next, &self.control));
        there.expect("the control file");
    }

    /// Whether anything has met the last fault.
    pub(crate) fn was_met(&self) -> bool {
        self.met().exists()
    }

    fn met(&self) -> PathBuf {
        self.control.with_extension("met")
    }

    pub(crate) fn mend(&self) {
        std::fs::remove_file(&self.control).expect("the control file");
    }
}
