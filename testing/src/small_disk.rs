//! A real file system with little room, to be filled.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in a file. It needs root to be mounted, and is unmounted when this is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Makes one of that many megabytes and mounts it.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn mount(folder: PathBuf, megabytes: u64) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder to mount on");
        let image = folder.with_extension("img");
        let file = std::fs::File::create(&image).expect("a file");
        file.set_len(megabytes << 20).expect("a length");
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m", "0"])
            .arg(&image));
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(&image)
            .arg(&folder));
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

fn run(command: &mut Command) {
    let output = command.output().expect("a command of every Linux");
    assert!(
        output.status.success(),
        "a small disk needs root: {command:?}: {output:?}"
    );
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may hold a file.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
