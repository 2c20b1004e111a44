//! The migrations, one line each, the same of all databases. The number is what the name begins with.

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
    "0012_bots",
}

fn migrator(texts: &[(&str, &'static str)]) -> Migrator {
    let migrations = texts.iter().map(|(name, text)| {
        let (number, description) = name.split_once('_').unwrap_or((name, name));
        let version = number.parse().unwrap_or(i64::MAX);
        let description = description.replace('_', " ").into();
        let text = SqlStr::from_static(text);
        Migration::new(version, description, MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(migrations.collect())
}
