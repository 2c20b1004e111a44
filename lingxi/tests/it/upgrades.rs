//! `lingxi migrate` on a schema that a newer build has made.

use lingxi_store::conformance::mysql::{self, FreshDatabase};

use crate::harness::lingxi;

/// A migration that no build of today has, which suits builds that know `compatible_from`.
async fn newer(database: &FreshDatabase, version: i64, compatible_from: i64) {
    let name = database.options().dbname;
    let sql = format!(
        "INSERT INTO `{name}`._sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES ({version}, 'future', 1, 'abc', 1); \
         INSERT INTO `{name}`.schema_compatibility VALUES ({version}, {compatible_from})"
    );
    database.run(&sql).await.expect("a newer schema");
}

/// Whether `lingxi migrate` succeeds, and what it says.
async fn migrate(database: &FreshDatabase) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("{}/{}", mysql::server(), database.options().dbname);
    let env = [
        ("LINGXI__DATABASE_URL".to_owned(), url),
        ("LINGXI__LOG".to_owned(), "error".to_owned()),
        (
            "LINGXI__NATS_URL".to_owned(),
            "nats://127.0.0.1:1".to_owned(),
        ),
        (
            "LINGXI__REDIS_URL".to_owned(),
            "redis://127.0.0.1:1".to_owned(),
        ),
        (
            "LINGXI__JWT_SECRET".to_owned(),
            "0123456789abcdef".repeat(3),
        ),
        (
            "LINGXI__CLUSTER_TOKEN".to_owned(),
            "fedcba9876543210".repeat(3),
        ),
    ];
    let log = folder.path().join("log");
    let process = lingxi(&["migrate"], &env, &[], folder.path(), &log);
    let status = process.exit().await;
    let said = std::fs::read_to_string(&log).expect("a log");
    (status.success(), said)
}

#[tokio::test]
async fn migrate_says_whether_a_newer_schema_suits() {
    let database = mysql::fresh().await;
    let (well, said) = migrate(&database).await;
    assert!(well && said.contains("up to date"), "{said}");
    newer(&database, 9_001, 1).await;
    let (well, said) = migrate(&database).await;
    assert!(
        well && said.contains("newer than this lingxi and suits it"),
        "{said}"
    );
    newer(&database, 9_002, 9_002).await;
    let (well, said) = migrate(&database).await;
    assert!(!well && said.contains("run a newer lingxi"), "{said}");
}
