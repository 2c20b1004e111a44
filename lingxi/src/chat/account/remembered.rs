//! The token of the last time, in a file that its owner alone can read.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// A token, and which server gave it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Nobody knows, of a file that holds a token and nothing else.
    pub(super) url: Option<String>,
    pub(super) token: String,
}

/// The user's folder for what this client keeps.
fn folder() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let given = given.filter(|folder| folder.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".config"));
    Some(given.or_else(home)?.join("lingxi"))
}

/// Where the token is kept.
pub(super) fn location(given: Option<&Path>) -> Option<PathBuf> {
    let usual = || folder().map(|folder| folder.join("chat.json"));
    given.map(Path::to_path_buf).or_else(usual)
}

impl Remembered {
    /// None where there is no such file.
    pub(super) fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        if text.trim_start().starts_with('{') {
            let named = || format!("{} is not what --remember wrote", file.display());
            return serde_json::from_str(&text).map(Some).with_context(named);
        }
        let token = text.trim().to_owned();
        Ok(Some(Self { url: None, token }))
    }

    /// Writes it beside the file and puts it in its place, so that nobody reads a half, and no other file's rights count.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let named = || format!("cannot keep the token in {}", file.display());
        if let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            let mut made = std::fs::DirBuilder::new();
            made.recursive(true).mode(0o700);
            made.create(folder).with_context(named)?;
        }
        let mut beside = file.as_os_str().to_owned();
        beside.push(format!(".{}", uuid::Uuid::new_v4()));
        let text = serde_json::to_string(self).with_context(named)?;
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut new| new.write_all(text.as_bytes()))
            .and_then(|()| std::fs::rename(&beside, file));
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written.with_context(named)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b/chat.json");
        assert_eq!(Remembered::read(&file).unwrap(), None);
        let kept = Remembered {
            url: Some("https://chat.example".to_owned()),
            token: "t".to_owned(),
        };
        kept.write(&file).unwrap();
        // One that others could read is replaced, not written into.
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        kept.write(&file).unwrap();
        assert_eq!(Remembered::read(&file).unwrap(), Some(kept));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        assert_eq!(
            std::fs::read_dir(file.parent().unwrap()).unwrap().count(),
            1
        );
        std::fs::write(&file, "bare\n").unwrap();
        let bare = Remembered::read(&file).unwrap().unwrap();
        assert_eq!((bare.url, bare.token.as_str()), (None, "bare"));
    }
}
