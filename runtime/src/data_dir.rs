//! The data folder of embedded mode: one process at a time, and the secret it keeps there.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::config::Secret;

/// Why the data folder cannot be used, in one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the folder.
    #[error(
        "another process{pid} runs on {}: stop it, or give this one a folder of its own with LINGXI__DATA_DIR", path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// ` (pid N)`, or nothing when it is not known.
        pid: String,
    },
    /// The file system refused.
    #[error("{}: {source}; LINGXI__DATA_DIR must be a folder that this user may write", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The kept secret is not usable.
    #[error("{}: holds no secret of 32 bytes or more; restore it, or delete it to log everyone out", path.display())]
    BadSecret {
        /// The file.
        path: PathBuf,
    },
}

/// The folder, held by this process until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DataDirLock {
    path: PathBuf,
    _file: File,
}

impl DataDirLock {
    /// Makes the folder when it is missing (for this user alone) and takes it.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it.
    pub fn acquire(path: &Path) -> Result<Self, Error> {
        let mut folder = DirBuilder::new();
        folder
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io_error(path))?;
        let name = path.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&name)
            .map_err(io_error(&name))?;
        // Also one that was made with another mode.
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(io_error(&name))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse {
                    path: path.to_owned(),
                    pid: pid_in(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(Error::Io { path: name, source }),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(io_error(&name))?;
        Ok(Self {
            path: path.to_owned(),
            _file: file,
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The token secret kept in the folder: read, or made from 32 random bytes at the first start. Only its owner may read
/// the file, and a crash leaves either all of it or none.
///
/// # Errors
/// When the file cannot be read or written, or holds something else.
pub fn embedded_secret(folder: &DataDirLock) -> Result<Secret, Error> {
    let path = folder.path().join("jwt_secret");
    match fs::read_to_string(&path) {
        Ok(kept) => {
            fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(io_error(&path))?;
            let kept = kept.trim();
            if kept.len() < 32 {
                return Err(Error::BadSecret { path });
            }
            Ok(Secret::new(kept))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_secret(folder.path(), &path),
        Err(source) => Err(Error::Io { path, source }),
    }
}

fn make_secret(folder: &Path, path: &Path) -> Result<Secret, Error> {
    let bytes: [u8; 32] = rand::random();
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let unfinished = folder.join("jwt_secret.new");
    let write = || {
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(secret.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(io_error(path))?;
    Ok(Secret::new(secret))
}

fn pid_in(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!(" (pid {pid})"),
        _ => String::new(),
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_has_one_process_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let lock = DataDirLock::acquire(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("lock")), 0o600);
        let text = DataDirLock::acquire(&path).unwrap_err().to_string();
        assert!(
            text.contains(&format!("pid {}", std::process::id())),
            "{text}"
        );
        assert!(text.contains("LINGXI__DATA_DIR"), "{text}");
        drop(lock);
        // A folder and a lock that were made by hand, or under another umask.
        let loose = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        loose(&path);
        loose(&path.join("lock"));
        DataDirLock::acquire(&path).unwrap();
        assert_eq!(mode(&path.join("lock")), 0o600);
    }

    #[test]
    fn the_secret_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let lock = DataDirLock::acquire(folder.path()).unwrap();
        fs::write(folder.path().join("jwt_secret.new"), "half").unwrap();
        let made = embedded_secret(&lock).unwrap();
        assert_eq!(made.expose().len(), 64);
        assert_eq!(embedded_secret(&lock).unwrap(), made);
        let path = folder.path().join("jwt_secret");
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        embedded_secret(&lock).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::write(&path, "short").unwrap();
        let text = embedded_secret(&lock).unwrap_err().to_string();
        assert!(
            text.contains("jwt_secret") && !text.contains("short"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_folder_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = DataDirLock::acquire(file.path()).unwrap_err().to_string();
        assert!(text.contains(&file.path().display().to_string()), "{text}");
    }
}
