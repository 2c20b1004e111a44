//! A real file system with little room, to be filled.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory. It needs root to be mounted; it is gone when this is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of that many megabytes.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn mount(folder: PathBuf, megabytes: u32) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder to mount on");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={megabytes}m"))
            .arg("lingxi-it")
            .arg(&folder)
            .output()
            .expect("mount");
        assert!(
            mounted.status.success(),
            "a small disk needs root: {mounted:?}"
        );
        Self { folder }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Takes all the room that is left.
    ///
    /// # Panics
    /// When the file cannot be made.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).expect("a file");
        // The last bytes, too.
        for piece in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Gives it back.
    ///
    /// # Panics
    /// When the file cannot be removed.
    pub fn free(&self) {
        std::fs::remove_file(self.ballast()).expect("the file that took the room");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may hold a file.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
