//! The decision records: one number each, in order, all of them listed, and none named that does not exist.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::members::{files_below, workspace};

fn root() -> PathBuf {
    workspace().workspace_root.into_std_path_buf()
}

/// Number → file and text.
fn records() -> BTreeMap<String, (String, String)> {
    let mut records = BTreeMap::new();
    for path in files_below(&root().join("docs/adr"), "md") {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if file == "README.md" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let number = file[..4].to_owned();
        if let Some((other, _)) = records.insert(number, (file.clone(), text)) {
            panic!("{other} and {file} have one number");
        }
    }
    records
}

#[test]
fn records_are_numbered_in_the_order_of_their_days_and_listed() {
    let mut listed = String::new();
    let mut last = String::new();
    for (n, (number, (file, text))) in records().into_iter().enumerate() {
        assert_eq!(number, format!("{:04}", n + 1), "{file}");
        let mut lines = text.lines();
        let title = lines.next().unwrap_or_default();
        let title = title.strip_prefix(&format!("# {number}: "));
        let title = title.unwrap_or_else(|| panic!("{file} does not begin with `# {number}: `"));
        let day = lines.nth(1).and_then(|line| line.strip_prefix("Date: "));
        let day = day.and_then(|line| line.split_once(". Status: "));
        let (day, _) =
            day.unwrap_or_else(|| panic!("{file}: no `Date: …. Status: …` below its title"));
        assert!(last.as_str() <= day, "{file}: older than the one before");
        last = day.to_owned();
        listed += &format!("- [{number}]({file}) {title}\n");
    }
    let readme = std::fs::read_to_string(root().join("docs/adr/README.md")).unwrap();
    let (_, list) = readme.split_once("## All of them\n\n").unwrap();
    assert_eq!(list, listed, "the list in docs/adr/README.md");
}

#[test]
fn records_that_are_named_exist() {
    let records = records();
    let mut wrong = Vec::new();
    for extension in ["rs", "md", "toml"] {
        for path in files_below(&root(), extension) {
            let text = std::fs::read_to_string(&path).unwrap();
            for mark in ["adr/0", "ADR 0"] {
                for (at, _) in text.match_indices(mark) {
                    let named = &text[at + 4..];
                    let number: String = named.chars().take_while(char::is_ascii_digit).collect();
                    let exists = records.get(&number).is_some_and(|(file, _)| {
                        mark.starts_with("ADR") || named.starts_with(file.as_str())
                    });
                    let here = path.ends_with("dependencies/records.rs");
                    if !exists && !here {
                        wrong.push(format!("{}: {mark}{}", path.display(), &number[1..]));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no such record: {wrong:#?}");
}
