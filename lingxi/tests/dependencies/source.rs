//! What a crate's source says of itself: which file defines what, and which file names what of another.
//!
//! This is no compiler. It reads tokens, and resolves paths through modules, imports, re-exports and globs, within one
//! crate. What it cannot see: which method is called on a value, and what a macro's own body names. A name that a module
//! does not visibly define (a macro made it) counts as defined in that module's file.

mod read;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Names from the crate's root on.
pub(crate) type Names = Vec<String>;

/// One module.
#[derive(Default)]
struct Module {
    file: Option<PathBuf>,
    /// What is defined here.
    items: BTreeSet<String>,
    children: BTreeSet<String>,
    /// Name here → what it stands for.
    imports: BTreeMap<String, Names>,
    /// What is brought in and not handed on.
    private_imports: Vec<Names>,
    globs: Vec<Names>,
    /// Every path that its code names.
    paths: BTreeSet<Names>,
}

/// The product's part of a crate: what only tests see is left out.
pub(crate) struct Crate {
    modules: BTreeMap<Names, Module>,
    /// How many lines each file has.
    pub(crate) lines: BTreeMap<PathBuf, usize>,
}

/// File → file that it uses → for instance by this path.
pub(crate) type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, String>>;

impl Crate {
    /// Reads files, by their place below `src`.
    pub(crate) fn of(files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let mut modules = BTreeMap::new();
        let mut tests = BTreeSet::new();
        let mut lines = BTreeMap::new();
        for (file, text) in files {
            read::file(&file, &text, &mut modules, &mut tests);
            lines.insert(file, text.lines().count());
        }
        let for_tests =
            |module: &[String]| (1..=module.len()).any(|n| tests.contains(&module[..n]));
        lines.retain(|file, _| !for_tests(&module_of(file)));
        modules.retain(|module, _| !for_tests(module));
        // Files that a macro's list declares.
        let all: Vec<Names> = modules.keys().cloned().collect();
        for module in all {
            for n in 0..module.len() {
                let parent: &mut Module = modules.entry(module[..n].to_vec()).or_default();
                parent.children.insert(module[n].clone());
            }
        }
        Self { modules, lines }
    }

    /// Whether its code names something of this other crate.
    pub(crate) fn names_crate(&self, name: &str) -> bool {
        self.modules.values().any(|module| {
            let imported = module.imports.values().chain(&module.globs);
            let mut named = imported.chain(&module.paths);
            named.any(|path| path.first().is_some_and(|first| first == name))
        })
    }
}

/// The module that a file is.
fn module_of(file: &Path) -> Names {
    let mut names: Names = file
        .with_extension("")
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let last = names.last().map(String::as_str);
    if last == Some("mod") || names.len() == 1 && matches!(last, Some("lib" | "main")) {
        names.pop();
    }
    names
}
