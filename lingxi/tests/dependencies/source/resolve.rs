//! From a path to the file that defines what it names.

use std::path::Path;

use super::{Crate, Names, Uses};

/// Imports that are followed for one path.
const DEPTH: usize = 16;

impl Crate {
    /// Which file uses what another one defines. A module by itself is nothing that is defined; neither is a name that is
    /// only handed on.
    pub(crate) fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (name, module) in &self.modules {
            let Some(file) = &module.file else { continue };
            for path in module.paths.iter().chain(&module.private_imports) {
                if let Some(used) = self.resolve(name, path, 0)
                    && used != file
                {
                    let of_file = uses.entry(file.clone()).or_default();
                    of_file
                        .entry(used.to_path_buf())
                        .or_insert_with(|| path.join("::"));
                }
            }
        }
        uses
    }

    /// The file that defines what a path leads to: `None` for a module, and for what is not of this crate.
    fn resolve(&self, from: &Names, path: &[String], depth: usize) -> Option<&Path> {
        if depth > DEPTH {
            return None;
        }
        let mut at = from.clone();
        for (n, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop();
                }
                name => {
                    let module = self.modules.get(&at)?;
                    let last = n + 1 == path.len();
                    let named = module.items.contains(name) || module.imports.contains_key(name);
                    // A module and a function may have one name; by itself it is the function's that is used.
                    if module.children.contains(name) && !(last && named) {
                        at.push(name.to_owned());
                        continue;
                    }
                    if module.items.contains(name) {
                        return module.file.as_deref();
                    }
                    let rest = &path[n + 1..];
                    if let Some(import) = module.imports.get(name) {
                        let whole: Names = import.iter().chain(rest).cloned().collect();
                        return self.resolve(&at, &whole, depth + 1);
                    }
                    for glob in &module.globs {
                        let whole: Names = glob.iter().chain(&path[n..]).cloned().collect();
                        if let Some(file) = self.resolve(&at, &whole, depth + 1)
                            && self.defines(file, name)
                        {
                            return Some(file);
                        }
                    }
                    // Behind a module's name: made by a macro there.
                    return if n == 0 { None } else { module.file.as_deref() };
                }
            }
        }
        None
    }

    /// Whether a file visibly defines this name.
    fn defines(&self, file: &Path, name: &str) -> bool {
        let mut of_file = self.modules.values();
        of_file.any(|m| m.file.as_deref() == Some(file) && m.items.contains(name))
    }
}
