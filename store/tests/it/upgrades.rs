//! A schema that is newer than this build is used when it says that it suits it, and refused in one line otherwise: so
//! that processes are upgraded one after the other, and there is a way back.

use lingxi_store::conformance::mysql::fresh;
use lingxi_store::{Error, Location, Migrated, Store};
use sqlx::{Connection as _, SqliteConnection};

/// A migration that no build of today has, applied; it adds a table that nobody here asks for.
fn newer(version: i64, compatible_from: Option<i64>) -> Vec<String> {
    let mut statements = vec![
        format!("CREATE TABLE from_the_future_{version} (x INTEGER)"),
        format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, 'future', 1, 'abc', 1)"
        ),
    ];
    if let Some(from) = compatible_from {
        statements.push(format!(
            "INSERT INTO schema_compatibility (version, compatible_from) VALUES ({version}, {from})"
        ));
    }
    statements
}

async fn is_used(location: &Location, version: i64) {
    let migrated = Store::migrate(location).await.unwrap();
    let untouched = Migrated {
        applied: vec![],
        newer: Some(version),
    };
    assert_eq!(migrated, untouched);
    let store = Store::open(location).await.unwrap();
    store.install_setting("used", "yes").await.unwrap();
    store.check_write().await.unwrap();
    store.close().await;
}

async fn is_refused(location: &Location, what: &str) {
    let opened = Store::open(location).await.map(|_| ());
    let migrated = Store::migrate(location).await.map(|_| ());
    for outcome in [opened, migrated] {
        let Err(Error::Setup(text)) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(
            text.contains(what) && text.contains("run a newer lingxi"),
            "{text}"
        );
        assert!(!text.contains('\n'), "one line: {text}");
    }
}

#[tokio::test]
async fn a_newer_file_says_whom_it_suits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lingxi.db");
    let location = Location::Sqlite(path.clone());
    Store::open(&location).await.unwrap().close().await;
    let run = async |statements: Vec<String>| {
        let url = format!("sqlite:{}", path.display());
        let mut conn = SqliteConnection::connect(&url).await.unwrap();
        for sql in statements {
            let sql = sqlx::AssertSqlSafe(sql);
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        }
        conn.close().await.unwrap();
    };
    run(newer(9_001, Some(1))).await;
    is_used(&location, 9_001).await;
    run(newer(9_002, Some(9_002))).await;
    is_refused(&location, "needs a lingxi that knows schema 9002").await;
    run(vec![
        "DELETE FROM schema_compatibility WHERE version = 9002".into(),
    ])
    .await;
    is_refused(&location, "migration 9002").await;
}

#[tokio::test]
async fn a_newer_server_says_whom_it_suits() {
    let database = fresh().await;
    let location = database.location();
    let name = database.options().dbname;
    let run = async |mut statements: Vec<String>| {
        statements.insert(0, format!("USE `{name}`"));
        database.run(&statements.join(";")).await.unwrap();
    };
    run(newer(9_001, Some(1))).await;
    is_used(&location, 9_001).await;
    run(newer(9_002, Some(9_002))).await;
    is_refused(&location, "needs a lingxi that knows schema 9002").await;
    run(vec![
        "DELETE FROM schema_compatibility WHERE version = 9002".into(),
    ])
    .await;
    is_refused(&location, "migration 9002").await;
}
