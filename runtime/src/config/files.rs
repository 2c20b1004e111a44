//! Secrets that are kept in files, as orchestrators hand them over: `LINGXI__JWT_SECRET_FILE=/run/secrets/jwt`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::{Error, text};

/// No secret is longer, and a device or a log given by mistake must not be read for ever.
const MOST: u64 = 64 * 1024;

/// The secret in a file, without the line break behind it. `name` is the variable that names the file.
pub(super) fn secret(name: &str, path: &str) -> Result<String, Error> {
    let refused = |problem: String| Error::SecretFile {
        name: name.to_owned(),
        path: path.into(),
        problem,
    };
    let mut bytes = Vec::new();
    let file = File::open(Path::new(path)).map_err(|error| refused(error.to_string()))?;
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refused(error.to_string()))?;
    if bytes.len() as u64 > MOST {
        return Err(refused("it is longer than 64 KiB".to_owned()));
    }
    let secret = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    let secret = text::trimmed(&secret);
    if secret.is_empty() {
        return Err(refused("it holds nothing".to_owned()));
    }
    Ok(secret.to_owned())
}
