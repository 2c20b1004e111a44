//! Where results go: tables to standard output, progress to standard error, JSON to a file.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use serde::Serialize;

/// Prints one line of a result.
#[expect(clippy::print_stdout, reason = "the result of a command line tool")]
pub fn line(text: &str) {
    println!("{text}");
}

/// Prints one line of progress or trouble, beside the results.
#[expect(clippy::print_stderr, reason = "progress of a command line tool")]
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// Writes `value` as JSON to `path`; `-` is standard output.
///
/// # Errors
/// When the file cannot be written.
pub fn json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    if path.as_os_str() == "-" {
        line(&text);
        return Ok(());
    }
    std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
}

/// Counts by cause, each behind two spaces; empty when there are none.
pub(crate) fn causes(counts: &BTreeMap<String, u64>) -> String {
    counts
        .iter()
        .map(|(cause, count)| format!("  {cause} {count}"))
        .collect()
}
