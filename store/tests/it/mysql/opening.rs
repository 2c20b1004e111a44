//! What can be wrong with a server or its schema is told in one line that says what to do.

use std::time::Duration;

use lingxi_store::conformance::mysql::{absent, as_user, fresh};
use lingxi_store::{Error, Location, Migrated, MySqlOptions, Store};
use tokio::io::AsyncWriteExt;

async fn refused(options: MySqlOptions) -> String {
    match Store::open(&Location::MySql(options)).await {
        Err(Error::Setup(text)) => {
            assert!(!text.contains('\n'), "{text}");
            text
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("opened"),
    }
}

async fn unavailable(options: MySqlOptions) -> String {
    match Store::open(&Location::MySql(options)).await {
        Err(Error::Unavailable(outage)) => outage.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("opened"),
    }
}

#[tokio::test]
async fn the_schema_is_made_only_when_asked_for() {
    let database = absent();
    let text = refused(database.options()).await;
    assert!(
        text.contains("there is no database lingxi_test_") && text.contains("`lingxi migrate`"),
        "{text}"
    );
    let location = database.location();
    let (one, two) = tokio::join!(Store::migrate(&location), Store::migrate(&location));
    let mut applied = [one.unwrap().applied, two.unwrap().applied].concat();
    applied.sort_unstable();
    assert_eq!(applied, all_migrations(), "each once, whoever does it");
    assert_eq!(
        Store::migrate(&location).await.unwrap(),
        Migrated::default()
    );
    Store::open(&location).await.unwrap();

    let name = database.options().dbname;
    let table = format!("`{name}`._sqlx_migrations");
    let run = async |sql: String| database.run(&sql).await.unwrap();
    run(format!("UPDATE {table} SET success = 0 WHERE version = 2")).await;
    assert!(
        refused(database.options())
            .await
            .contains("migration 2 of the database")
    );
    let Err(Error::Setup(text)) = Store::migrate(&location).await else {
        panic!("went over a migration that was cut off")
    };
    assert!(text.contains("was cut off"), "{text}");
    run(format!("DELETE FROM {table} WHERE version = 2")).await;
    let text = refused(database.options()).await;
    assert!(
        text.contains("lacks migration 2: run `lingxi migrate`"),
        "{text}"
    );
    run(format!("DELETE FROM {table}")).await;
    assert!(
        refused(database.options())
            .await
            .contains("has no Lingxi schema: run `lingxi migrate`")
    );
    run(format!("DROP TABLE {table}")).await;
    let text = refused(database.options()).await;
    assert!(
        text.contains("has no Lingxi schema: run `lingxi migrate`"),
        "{text}"
    );
}

#[tokio::test]
async fn a_newer_schema_is_told() {
    let database = fresh().await;
    let table = format!("`{}`._sqlx_migrations", database.options().dbname);
    let sql = format!(
        "INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES (999, '', 1, '', 0)"
    );
    database.run(&sql).await.unwrap();
    let text = refused(database.options()).await;
    assert!(
        text.contains("has migration 999, which this build does not know: run a newer lingxi"),
        "{text}"
    );
    assert!(matches!(
        Store::migrate(&database.location()).await,
        Err(Error::Setup(_))
    ));
    let sql = format!("UPDATE {table} SET checksum = 'x' WHERE version = 1");
    database.run(&sql).await.unwrap();
    assert!(
        refused(database.options())
            .await
            .contains("migration 1 of the database")
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let database = fresh().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let text = unavailable(MySqlOptions {
        port,
        ..database.options()
    })
    .await;
    assert!(
        text.contains(&format!("127.0.0.1:{port} cannot be reached")),
        "{text}"
    );
    let host = "no-such-host.invalid".into();
    let text = refused(MySqlOptions {
        host,
        ..database.options()
    })
    .await;
    assert!(
        text.contains("there is no host no-such-host.invalid"),
        "{text}"
    );

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect_timeout = Duration::from_millis(200);
    let port = silent.local_addr().unwrap().port();
    let options = MySqlOptions {
        port,
        connect_timeout,
        ..database.options()
    };
    let text = unavailable(options.clone()).await;
    assert!(text.contains("did not answer within 200ms"), "{text}");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = silent.accept().await {
            client
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
        }
    });
    let other = Store::open(&Location::MySql(options))
        .await
        .err()
        .map(|e| e.to_string());
    assert!(
        other.is_some(),
        "another kind of server was taken for a database"
    );
}

#[tokio::test]
async fn users_and_their_passwords() {
    let database = fresh().await;
    let name = database.options().dbname;
    let user = &name[name.len() - 20..];
    let password = r#"p@#%:/?&='"!\ 灵😀"#;
    let quoted = password.replace('\\', r"\\").replace('\'', r"\'");
    let create = format!(
        "CREATE USER `{user}`@`%` IDENTIFIED BY '{quoted}'; GRANT ALL ON `{name}`.* TO `{user}`@`%`"
    );
    database.run(&create).await.unwrap();
    let store = Store::open(&Location::MySql(as_user(&database, user, password)))
        .await
        .unwrap();
    store.ping().await.unwrap();
    store.create_leases(1).await.unwrap();
    // A user needs no privilege to end connections of its own.
    store.take_leases("a", -1, 1, false).await.unwrap();
    let committer = store.committer("a");
    let open = committer.begin().await.unwrap();
    assert_eq!(
        store
            .take_leases("b", 60_000, 1, false)
            .await
            .unwrap()
            .len(),
        1
    );
    assert!(open.commit().await.is_err());

    let encoded: String = password.bytes().map(|b| format!("%{b:02X}")).collect();
    let MySqlOptions { host, port, .. } = database.options();
    let url = format!("mysql://{user}:{encoded}@{host}:{port}/{name}");
    let options = MySqlOptions::from_url(&url).unwrap();
    assert_eq!(options, as_user(&database, user, password));

    let text = refused(as_user(&database, user, "wrong")).await;
    assert!(
        text.contains("check the database's username and password"),
        "{text}"
    );
    let foreign = MySqlOptions {
        dbname: "mysql".into(),
        ..options.clone()
    };
    let text = refused(foreign).await;
    assert!(
        text.contains("may not use the database mysql") && text.contains("GRANT"),
        "{text}"
    );
    let elsewhere = MySqlOptions {
        dbname: format!("{name}x"),
        ..options
    };
    let Err(Error::Setup(text)) = Store::migrate(&Location::MySql(elsewhere)).await else {
        panic!("made a database that it may not make")
    };
    assert!(text.contains("may not create it"), "{text}");
    database
        .run(&format!("DROP USER `{user}`@`%`"))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_commit_is_worth_is_read_back() {
    let database = fresh().await;
    let store = Store::open(&database.location()).await.unwrap();
    let durability = store.durability();
    assert!(durability.safe, "{durability:?}");
    assert!(
        durability
            .summary
            .contains("innodb_flush_log_at_trx_commit=1"),
        "{durability:?}"
    );
}

/// The numbers of the migrations that this version brings.
fn all_migrations() -> Vec<i64> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/mysql");
    let number = |file: std::io::Result<std::fs::DirEntry>| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.split_once('_').unwrap().0.parse().unwrap()
    };
    let mut numbers: Vec<i64> = std::fs::read_dir(folder).unwrap().map(number).collect();
    numbers.sort_unstable();
    numbers
}
