//! The database's files are for their owner alone, whatever the folder and the umask allow.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const PRIVATE: u32 = 0o600;

/// Makes the file if there is none, and takes away what others may do with it and with the files that SQLite keeps beside
/// it. SQLite gives those that it makes later the mode of the database.
pub(super) fn make_private(path: &Path) -> Result<()> {
    // What SQLite takes for something else than a file of the disk.
    if path.as_os_str().is_empty() || path == Path::new(":memory:") {
        return Ok(());
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(refused(path, &error));
        }
        _ => {}
    }
    for beside in ["", "-wal", "-shm", "-journal"] {
        let file = with_suffix(path, beside);
        match restrict(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refused(&file, &error)),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn restrict(file: &Path) -> io::Result<()> {
    let now = fs::metadata(file)?;
    if now.mode() & 0o777 == PRIVATE {
        return Ok(());
    }
    tracing::warn!(
        file = %file.display(),
        mode = %format!("{:o}", now.mode() & 0o777),
        "others could read this file; from now on its owner alone can"
    );
    fs::set_permissions(file, Permissions::from_mode(PRIVATE))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn refused(path: &Path, error: &io::Error) -> Error {
    Error::Setup(format!(
        "{}: {error}; the database must be a file of this user's, in a folder that this user may write",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Location, Store};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn new_and_old_files_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().join("x.db");
        let location = Location::Sqlite(path.clone());
        let files = ["", "-wal", "-shm"].map(|beside| with_suffix(&path, beside));
        let store = Store::open(&location).await.unwrap();
        store.install_setting("a", "b").await.unwrap();
        store.ping().await.unwrap();
        for file in &files {
            assert_eq!(mode(file), PRIVATE, "{}", file.display());
            fs::set_permissions(file, Permissions::from_mode(0o664)).unwrap();
        }
        // Another one on the same files, as after a process that left its log behind.
        let second = Store::open(&location).await.unwrap();
        second.ping().await.unwrap();
        for file in &files {
            assert_eq!(mode(file), PRIVATE, "{}", file.display());
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_named() {
        let path = Path::new("/nowhere/at/all/x.db");
        let Err(Error::Setup(text)) = Store::open(&Location::Sqlite(path.into())).await else {
            panic!("opened")
        };
        assert!(text.contains("/nowhere/at/all/x.db"), "{text}");
    }
}
