//! The members of the workspace, and the files of the product.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::source::Crate;

/// Members that do not ship.
const TOOLS: &[&str] = &["bench", "testing"];

pub(crate) fn workspace() -> Metadata {
    match MetadataCommand::new().no_deps().exec() {
        Ok(metadata) => metadata,
        Err(error) => panic!("cargo metadata: {error}"),
    }
}

/// A member's folder is its name without the prefix.
pub(crate) fn short(name: &str) -> &str {
    name.strip_prefix("lingxi-").unwrap_or(name)
}

/// The names of a package's dependencies that end up in the product.
pub(crate) fn shipped(package: &Package) -> BTreeSet<&str> {
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|d| d.kind != DependencyKind::Development)
        .map(|d| d.name.as_str())
        .collect()
}

/// The crates of the product, as their source says.
pub(crate) fn product() -> Vec<(String, Crate)> {
    let packages = workspace().packages.into_iter();
    packages
        .filter(|package| !TOOLS.contains(&short(&package.name)))
        .map(|package| {
            let name = short(&package.name).to_owned();
            let source = package.manifest_path.with_file_name("src");
            let files = files_below(source.as_std_path(), "rs").into_iter();
            let texts = files.map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                let within = path.strip_prefix(&source).unwrap().to_path_buf();
                (within, text)
            });
            (name, Crate::of(texts))
        })
        .collect()
}

/// The files below a folder whose names end so, in order. What is generated is left out, and what is built.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "gen" && name != "target" {
                found.extend(files_below(&path, extension));
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
