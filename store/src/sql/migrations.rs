//! The migrations, one line each, the same of all databases. The first has the number 1.

use std::sync::LazyLock;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! migrations {
    ($($name:literal,)+) => {
        /// Of SQLite.
        pub(crate) static SQLITE: LazyLock<Migrator> =
            LazyLock::new(|| migrator(&[$(($name, text!("sqlite", $name)),)+]));
        /// Of MariaDB and MySQL.
        pub(crate) static MYSQL: LazyLock<Migrator> =
            LazyLock::new(|| migrator(&[$(($name, text!("mysql", $name)),)+]));
    };
}

/// What the file of a migration says. Not by `sqlx::migrate!`: its crate needs both databases' clients a second time, for
/// the machine that builds.
macro_rules! text {
    ($database:literal, $name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/migrations/",
            $database,
            "/",
            $name,
            ".sql"
        ))
    };
}

migrations! {
    "0001_init",
    "0002_chat_workers",
    "0003_readiness_and_upgrades",
    "0004_names",
    "0005_networks_and_invitations",
    "0006_gateways",
    "0007_content_hash",
    "0008_groups_and_blocks",
    "0009_messages",
    "0010_search",
    "0011_files",
    "0012_bots",
    "0013_reports",
}

fn migrator(texts: &[(&str, &'static str)]) -> Migrator {
    let migrations = texts.iter().zip(1..).map(|((name, text), version)| {
        let description = name.split_once('_').map_or(*name, |(_number, rest)| rest);
        let description = description.replace('_', " ").into();
        let text = SqlStr::from_static(text);
        Migration::new(version, description, MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(migrations.collect())
}
