//! Reading a file's tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Module, Names, module_of};

type Modules = BTreeMap<Names, Module>;

/// Words that name what they define.
const DEFINES: &[&str] = &[
    "fn", "struct", "enum", "trait", "type", "const", "static", "union",
];
/// Words before those.
const BEFORE: &[&str] = &["pub", "async", "unsafe", "extern", "default"];

/// Reads one file: what it has goes to `modules`, the names of modules that only tests see to `tests`.
pub(super) fn file(file: &Path, text: &str, modules: &mut Modules, tests: &mut BTreeSet<Names>) {
    let tokens: TokenStream = match text.parse() {
        Ok(tokens) => tokens,
        Err(error) => panic!("{}: {error}", file.display()),
    };
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    module(file, &module_of(file), &tokens, modules, tests);
}

/// Reads the items of a module, in its own file or inline.
fn module(
    file: &Path,
    name: &Names,
    tokens: &[TokenTree],
    modules: &mut Modules,
    tests: &mut BTreeSet<Names>,
) {
    let mut here = Module {
        file: Some(file.to_path_buf()),
        ..Module::default()
    };
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        if let Some((inside, after)) = attribute(rest) {
            if is_for_tests(&inside) {
                rest = skip(after, tests, name);
            } else {
                here.name_all(&inside);
                rest = after;
            }
            continue;
        }
        let word = word(first);
        let public = word == "pub";
        if BEFORE.contains(&word.as_str()) || matches!(first, TokenTree::Literal(_)) {
            rest = &rest[1..];
            if let Some(TokenTree::Group(_)) = rest.first()
                && public
            {
                rest = &rest[1..];
            }
            if rest.first().is_some_and(|next| self::word(next) == "use") {
                rest = here.import(&rest[1..], public);
            }
            continue;
        }
        match word.as_str() {
            "use" => rest = here.import(&rest[1..], false),
            "mod" => {
                let child = self::word(&rest[1]);
                if let Some(TokenTree::Group(body)) = rest.get(2) {
                    let body: Vec<TokenTree> = body.stream().into_iter().collect();
                    let mut inner = name.clone();
                    inner.push(child.clone());
                    module(file, &inner, &body, modules, tests);
                }
                here.children.insert(child);
                rest = &rest[3..];
            }
            "macro_rules" => {
                here.items.insert(self::word(&rest[2]));
                rest = &rest[item(rest)..];
            }
            _ => {
                let end = item(rest);
                here.define(&rest[..end]);
                here.name_all(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    let children = modules.remove(name).map(|known| known.children);
    here.children.extend(children.into_iter().flatten());
    modules.insert(name.clone(), here);
}

impl Module {
    /// Takes note of what an item defines.
    fn define(&mut self, item: &[TokenTree]) {
        let words: Vec<String> = item.iter().map(word).collect();
        let mut words = words
            .iter()
            .filter(|word| !BEFORE.contains(&word.as_str()) && *word != "mut");
        let (kind, name) = match (words.next(), words.next()) {
            (Some(kind), Some(name)) if kind == "const" && name == "fn" => (name, words.next()),
            (Some(kind), name) => (kind, name),
            _ => return,
        };
        if DEFINES.contains(&kind.as_str()) {
            self.items.extend(name.cloned());
        }
    }

    /// Takes note of the paths that code names, and of what it imports inside.
    fn name_all(&mut self, tokens: &[TokenTree]) {
        let mut rest = tokens;
        let mut before = String::new();
        while let Some(first) = rest.first() {
            if let Some((inside, after)) = attribute(rest) {
                if is_for_tests(&inside) {
                    rest = &after[part(after)..];
                } else {
                    self.name_all(&inside);
                    rest = after;
                }
                before.clear();
                continue;
            }
            match first {
                TokenTree::Group(group) => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    self.name_all(&inside);
                    rest = &rest[1..];
                }
                TokenTree::Ident(_) if word(first) == "use" => {
                    rest = self.import(&rest[1..], false);
                }
                TokenTree::Ident(_) => {
                    let (path, after) = path(rest);
                    // No fields, methods, lifetimes, or variables of macros.
                    if !matches!(before.as_str(), "." | "'" | "$" | "::") {
                        self.paths.insert(path);
                    }
                    rest = after;
                }
                _ => rest = &rest[1..],
            }
            before = punctuation(first, &before);
        }
    }

    /// Takes note of a `use`, whose word was read; returns what is behind it.
    fn import<'t>(&mut self, tokens: &'t [TokenTree], public: bool) -> &'t [TokenTree] {
        let end = tokens.iter().position(|token| word(token) == ";");
        let end = end.unwrap_or(tokens.len());
        self.import_tree(&tokens[..end], &Names::new(), public);
        &tokens[(end + 1).min(tokens.len())..]
    }

    fn import_tree(&mut self, tree: &[TokenTree], prefix: &Names, public: bool) {
        let mut path = prefix.clone();
        let mut name = None;
        let mut tokens = tree.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in inside.split(|token| word(token) == ",") {
                        if !branch.is_empty() {
                            self.import_tree(branch, &path, public);
                        }
                    }
                    return;
                }
                TokenTree::Ident(_) if word(token) == "as" => name = tokens.next().map(word),
                TokenTree::Ident(_) => path.push(word(token)),
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    self.globs.push(path);
                    return;
                }
                _ => {}
            }
        }
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let Some(name) = name.or_else(|| path.last().cloned()) else {
            return;
        };
        if !public {
            self.private_imports.push(path.clone());
        }
        self.imports.insert(name, path);
    }
}

/// An attribute's inside, and what is behind it.
fn attribute(tokens: &[TokenTree]) -> Option<(Vec<TokenTree>, &[TokenTree])> {
    if word(tokens.first()?) != "#" {
        return None;
    }
    let at = if word(tokens.get(1)?) == "!" { 2 } else { 1 };
    match tokens.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some((group.stream().into_iter().collect(), &tokens[at + 1..]))
        }
        _ => None,
    }
}

/// Whether an attribute keeps something for tests: `cfg(test)`, and the conformance suites.
fn is_for_tests(attribute: &[TokenTree]) -> bool {
    if word(&attribute[0]) != "cfg" {
        return false;
    }
    let text: String = attribute.iter().map(ToString::to_string).collect();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    !text.contains("not(")
        && (text.contains("\"conformance\"")
            || text
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == "test"))
}

/// Leaves out the item that begins here; a module of its own file is written down.
fn skip<'t>(tokens: &'t [TokenTree], tests: &mut BTreeSet<Names>, name: &Names) -> &'t [TokenTree] {
    let end = item(tokens);
    let words: Vec<String> = tokens[..end].iter().map(word).collect();
    if let Some(at) = words.iter().position(|word| word == "mod")
        && words.last().is_some_and(|last| last == ";")
    {
        let mut child = name.clone();
        child.push(words[at + 1].clone());
        tests.insert(child);
    }
    &tokens[end..]
}

/// Where an item ends: behind its braces, or behind its semicolon where it has a value.
fn item(tokens: &[TokenTree]) -> usize {
    let begin = behind_attributes(tokens);
    let words = tokens[begin..].iter().map(word);
    let mut words = words.filter(|word| !word.is_empty() && !BEFORE.contains(&word.as_str()));
    let has_value = match words.next().as_deref() {
        Some("static" | "type" | "use") => true,
        Some("const") => words.next().is_some_and(|next| next != "fn"),
        _ => false,
    };
    end(tokens, begin, |token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !has_value,
        token => word(token) == ";",
    })
}

/// Where a part of a body ends: a field, a method, a statement.
fn part(tokens: &[TokenTree]) -> usize {
    end(tokens, behind_attributes(tokens), |token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => matches!(word(token).as_str(), ";" | ","),
    })
}

fn behind_attributes(tokens: &[TokenTree]) -> usize {
    let mut rest = tokens;
    while let Some((_, after)) = attribute(rest) {
        rest = after;
    }
    tokens.len() - rest.len()
}

fn end(tokens: &[TokenTree], begin: usize, ends: impl Fn(&TokenTree) -> bool) -> usize {
    let end = tokens[begin..].iter().position(ends);
    end.map_or(tokens.len(), |end| begin + end + 1)
}

/// The path that begins here, and what is behind it.
fn path(tokens: &[TokenTree]) -> (Names, &[TokenTree]) {
    let mut names = vec![word(&tokens[0])];
    let mut rest = &tokens[1..];
    while let [a, b, name @ TokenTree::Ident(_), after @ ..] = rest
        && word(a) == ":"
        && word(b) == ":"
    {
        names.push(word(name));
        rest = after;
    }
    (names, rest)
}

/// A token as text; nothing for groups and literals.
fn word(token: &TokenTree) -> String {
    match token {
        TokenTree::Ident(ident) => ident.to_string(),
        TokenTree::Punct(punct) => punct.as_char().to_string(),
        TokenTree::Group(_) | TokenTree::Literal(_) => String::new(),
    }
}

/// What stands before the next token: `::` behind a second colon, since what follows belongs to a path that was begun
/// with something else (`<T as Trait>::name`).
fn punctuation(token: &TokenTree, before: &str) -> String {
    match (word(token).as_str(), before) {
        (":", ":") => "::".to_owned(),
        (other, _) => other.to_owned(),
    }
}
