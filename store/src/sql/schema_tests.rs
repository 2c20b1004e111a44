//! The schemas of all databases are the same: numbers, tables, columns.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::migrate::Migrator;

use super::migrations::{MYSQL, SQLITE};

/// Tables and their columns, as the texts make them.
fn tables(migrations: &Migrator) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for migration in migrations.iter() {
        let mut table = None;
        for line in migration.sql.as_str().lines().map(str::trim) {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                let name = rest.trim_end_matches([' ', '(']).to_owned();
                assert!(
                    found.insert(name.clone(), Vec::new()).is_none(),
                    "{name} twice"
                );
                table = Some(name);
            } else if line.starts_with(')') {
                table = None;
            } else if let Some(columns) = table.as_ref().and_then(|t| found.get_mut(t)) {
                let keyword = ["PRIMARY", "CONSTRAINT", "KEY", "--", ""].contains(&first);
                if !keyword {
                    columns.push(first.to_owned());
                }
            }
            if let Some((name, column)) = line
                .strip_prefix("ALTER TABLE ")
                .and_then(|rest| rest.split_once(" ADD COLUMN "))
            {
                let column = column.split_whitespace().next().unwrap_or_default();
                let columns = found.get_mut(name).expect("a table that is there");
                columns.push(column.to_owned());
            } else {
                assert!(!line.starts_with("ALTER"), "teach this test: {line}");
            }
        }
    }
    found
}

#[test]
fn all_databases_have_one_schema() {
    let numbers = |m: &Migrator| {
        m.iter()
            .map(|m| (m.version, m.description.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&SQLITE), numbers(&MYSQL));
    let (one, other) = (tables(&SQLITE), tables(&MYSQL));
    assert!(
        one["entries"].contains(&"recalled_at".to_owned()),
        "{one:?}"
    );
    assert_eq!(one, other);
}

#[test]
fn every_migration_is_listed() {
    for (database, migrations) in [("sqlite", &SQLITE), ("mysql", &MYSQL)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let files = std::fs::read_dir(folder.join(database)).expect("a folder");
        let mut files: Vec<String> = files
            .map(|file| file.expect("a file").file_name().into_string())
            .collect::<Result<_, _>>()
            .expect("UTF-8");
        files.sort();
        let listed = migrations.iter().map(|migration| {
            let name = migration.description.replace(' ', "_");
            format!("{:04}_{name}.sql", migration.version)
        });
        assert_eq!(files, listed.collect::<Vec<_>>(), "{database}");
    }
}
