//! Databases for tests on a real server.

use crate::MySqlOptions;
pub use crate::sql::mysql::fresh::FreshDatabase;

/// The server that tests run on.
///
/// # Panics
/// When the environment does not say which.
pub fn server() -> String {
    std::env::var("LINGXI_TEST_MYSQL_URL").unwrap_or_else(|_| {
        panic!(
            "LINGXI_TEST_MYSQL_URL is not set: run ./test, which starts a server, or point it at one of your own"
        )
    })
}

/// A new database `lingxi_test_…` on that server, with the whole schema. It is dropped with what is returned.
///
/// # Panics
/// When there is no server, or it refuses.
pub async fn fresh() -> FreshDatabase {
    FreshDatabase::make(&server()).await.unwrap()
}

/// As [`fresh`], but the database does not exist yet.
///
/// # Panics
/// When there is no server.
pub fn absent() -> FreshDatabase {
    FreshDatabase::without_schema(&server()).unwrap()
}

/// Options that reach `database` as another user.
pub fn as_user(database: &FreshDatabase, username: &str, password: &str) -> MySqlOptions {
    MySqlOptions {
        username: username.into(),
        password: password.into(),
        ..database.options()
    }
}
