//! A database of its own for a test.

use sqlx::{AssertSqlSafe, Connection as _};

use super::{MySqlOptions, connect, schema};
use crate::Location;
use crate::error::{Error, Result};

/// An empty database with the whole schema, dropped with this.
pub struct FreshDatabase {
    options: MySqlOptions,
}

impl FreshDatabase {
    pub(crate) async fn make(server: &str) -> Result<Self> {
        let fresh = Self::without_schema(server)?;
        schema::migrate(&fresh.options).await?;
        Ok(fresh)
    }

    /// A name that no database has yet.
    pub(crate) fn without_schema(server: &str) -> Result<Self> {
        let mut url = url::Url::parse(server).map_err(|e| Error::Setup(e.to_string()))?;
        url.set_path(&format!("lingxi_test_{}", uuid::Uuid::new_v4().simple()));
        let options = MySqlOptions::from_url(url.as_str())?;
        Ok(Self { options })
    }

    /// How it is reached.
    pub fn options(&self) -> MySqlOptions {
        self.options.clone()
    }

    /// How it is reached, as [`crate::Store::open`] takes it.
    pub fn location(&self) -> Location {
        Location::MySql(self.options())
    }

    /// Runs statements as the test's user, on a connection of their own, apart from every store.
    ///
    /// # Errors
    /// As the server says.
    pub async fn run(&self, statements: &str) -> Result<()> {
        run(&self.options, statements.to_owned()).await
    }

    /// Ends all connections to this database, as a restart of the server would; answers how many there were.
    ///
    /// # Errors
    /// As the server says.
    pub async fn cut_connections(&self) -> Result<usize> {
        cut(&self.options).await
    }
}

async fn cut(options: &MySqlOptions) -> Result<usize> {
    let mut conn = connect::connect(options, false).await?;
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = ?",
    )
    .bind(&options.dbname)
    .fetch_all(&mut conn)
    .await?;
    for id in &ids {
        // One that has ended meanwhile is no failure.
        let _ = sqlx::raw_sql(AssertSqlSafe(format!("KILL CONNECTION {id}")))
            .execute(&mut conn)
            .await;
    }
    conn.close().await?;
    Ok(ids.len())
}

async fn run(options: &MySqlOptions, statements: String) -> Result<()> {
    let mut conn = connect::connect(options, false).await?;
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut conn)
        .await?;
    Ok(conn.close().await?)
}

impl Drop for FreshDatabase {
    /// Waits for it, also where a test has failed: on a thread, since the test's runtime may be going down.
    fn drop(&mut self) {
        let options = self.options();
        let dropping = std::thread::spawn(move || {
            let sql = format!("DROP DATABASE IF EXISTS `{}`", options.dbname);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                // What a failed test left open would keep the tables.
                let _ = runtime.block_on(cut(&options));
                let _ = runtime.block_on(run(&options, sql));
            }
        });
        let _ = dropping.join();
    }
}
