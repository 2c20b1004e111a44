//! A real file system with little room, to be filled.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs; unmounted when dropped. Needs root.
#[derive(Debug)]
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one of `mib` MiB.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn mount(mib: u32) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("lingxi-disk-")
            .tempdir()
            .expect("a folder");
        let size = format!("size={mib}m,mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(folder.path())
            .status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "cannot mount a tmpfs: this test runs as root"
        );
        Self { folder }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// When the file cannot be made.
    pub fn fill(&self) {
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .expect("a file to fill the disk with");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Frees what [`Self::fill`] took.
    ///
    /// # Panics
    /// When the file cannot be removed.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("what filled the disk");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
