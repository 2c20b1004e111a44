//! No file of the product imports in a circle.
//!
//! A file *uses* another one of its crate when its code (tests apart) names something that the other one defines: by an
//! import, by a path, or by a macro's arguments. Names are followed to where they are defined, so it does not matter by
//! which way they come: a `mod.rs` that declares modules and hands names on defines nothing of them, and is used by nobody
//! for it. Declaring a child and handing its names on (`pub use`) is no use of it either. What a `mod.rs` defines itself,
//! or does with a child's names, counts as in any other file: "it is only my parent" is no excuse.
//!
//! Files that reach each other over such uses, directly or over others, are a circle. They cannot be understood one after
//! the other. What both need mostly belongs into a third file.
//!
//! Calls of methods on values are not seen (see [`crate::source`]).

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::members::product;
use crate::source::{Crate, Uses};

#[test]
fn no_file_imports_in_a_circle() {
    let mut found = Vec::new();
    for (name, source) in product() {
        let circles = circles(&source.uses()).into_iter();
        found.extend(circles.map(|circle| format!("{name}:\n{circle}")));
    }
    assert!(found.is_empty(), "files in circles:\n{}", found.join("\n"));
}

/// Each circle, as the uses in it.
fn circles(uses: &Uses) -> Vec<String> {
    let reached: Vec<(&PathBuf, BTreeSet<&PathBuf>)> = uses
        .keys()
        .map(|file| (file, reached_from(file, uses)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, from_file) in &reached {
        if !from_file.contains(file) || !seen.insert(*file) {
            continue;
        }
        let back = reached.iter().filter(|(_, from)| from.contains(file));
        let circle: BTreeSet<&PathBuf> = back
            .map(|(other, _)| *other)
            .filter(|other| from_file.contains(other))
            .collect();
        seen.extend(&circle);
        let within = circle.iter().flat_map(|file| {
            let used = uses[*file].iter().filter(|(used, _)| circle.contains(used));
            used.map(|(used, path)| {
                format!("  {} uses {path} of {}", file.display(), used.display())
            })
        });
        circles.push(within.collect::<Vec<_>>().join("\n"));
    }
    circles
}

fn reached_from<'u>(file: &PathBuf, uses: &'u Uses) -> BTreeSet<&'u PathBuf> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&PathBuf> = uses
        .get(file)
        .into_iter()
        .flat_map(|used| used.keys())
        .collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(uses.get(next).into_iter().flat_map(|used| used.keys()));
        }
    }
    reached
}

/// The circles of a crate of these files.
fn of(files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
    circles(&Crate::of(files).uses())
}

#[test]
fn a_parent_that_declares_and_hands_on_is_in_no_circle() {
    let files = [
        ("lib.rs", "mod shop; pub use shop::Shop;"),
        (
            "shop/mod.rs",
            "mod list; mod price; mod till; pub use till::Shop; pub(crate) use price::Price;",
        ),
        ("shop/price.rs", "pub struct Price;"),
        (
            "shop/till.rs",
            "use super::{Price, list}; use crate::Shop as Own; pub struct Shop(Price); fn f(_: Own) { list::all() }",
        ),
        (
            "shop/list.rs",
            "use super::Price; pub fn all() -> Vec<Price> { vec![] }",
        ),
    ];
    assert_eq!(of(&files), [""; 0]);
}

#[test]
fn a_parent_that_defines_what_its_child_uses_is() {
    let child = "use super::Price; pub fn sum(of: &[Price]) -> Price { Price }";
    for parent in [
        "mod till; pub struct Price; pub fn pay() { till::sum(&[]); }",
        "mod till; use till::sum; pub struct Price; pub fn pay() { sum(&[]); }",
        "mod till; use till::*; pub struct Price; pub fn pay() { sum(&[]); }",
        "mod till; pub struct Price; pub fn pay() { use self::till::sum as add; add(&[]); }",
        "mod till; pub struct Price; pay! { till::sum }",
        "mod till; pub struct Price; pub fn pay() { pay!(if x { crate::till::sum(&[]) }); }",
    ] {
        let found = of(&[("lib.rs", parent), ("till.rs", child)]);
        assert_eq!(found.len(), 1, "{parent}");
        assert!(
            found[0].contains("till.rs uses Price of lib.rs"),
            "{found:?}"
        );
    }
    let apart =
        "mod till; pub struct Price; pub fn pay() { other::till::sum(&[]); self.till.sum(); }";
    assert_eq!(of(&[("lib.rs", apart), ("till.rs", child)]), [""; 0]);
}

#[test]
fn a_circle_over_others_is_one_circle_and_tests_are_in_none() {
    let root = "mod a; mod b; mod c; #[cfg(test)] mod tests;";
    let c = |rest: &str| format!("pub const fn c() {{}} {rest}");
    let files = |c: &str| {
        of(&[
            ("lib.rs", root),
            (
                "a.rs",
                "pub(crate) static A: u8 = { 1 }; impl X { fn a() { crate::b::b() } }",
            ),
            (
                "b.rs",
                "pub fn b() { <X as crate::c::Trait>::b(super::c::c()) }",
            ),
            ("c.rs", c),
            ("tests.rs", "fn t() { crate::a::A }"),
        ])
    };
    let found = files(&c("fn f() { crate::a::A; }"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].lines().count(), 3, "{found:?}");
    for tests in [
        "#[cfg(test)] mod tests { use crate::a::A; }",
        "#[cfg(any(test, feature = \"conformance\"))] pub fn f() { crate::a::A }",
        "fn f() { #[cfg(test)] crate::a::A; }",
        "struct S { #[cfg(test)] a: crate::a::A, }",
    ] {
        assert_eq!(files(&c(tests)), [""; 0], "{tests}");
    }
}
