//! The database, bus and cache of one cluster under test: a corner of the shared servers, or servers of its own.

use std::path::Path;

use lingxi_store::conformance::mysql::{self, FreshDatabase};
use lingxi_testing::{Kind, Server};
use uuid::Uuid;

const SECRET: &str = "a secret of the tests, long enough to be accepted";

/// Where a cluster keeps its state. Nothing of it is seen by another test.
pub(crate) struct Backends {
    pub(crate) database_url: String,
    nats_url: String,
    redis_url: String,
    namespace: String,
    _shared: Option<FreshDatabase>,
    /// The servers, when they are this test's own.
    pub(crate) servers: Vec<Server>,
}

fn url(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run ./test, which starts a server, or point it at one of your own"
        )
    })
}

impl std::fmt::Debug for Backends {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Backends")
            .field("database_url", &self.database_url)
            .field("nats_url", &self.nats_url)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Backends {
    /// A database, and a namespace of the bus and the cache, on the servers that `./test` starts.
    pub(crate) async fn shared() -> Self {
        let fresh = mysql::fresh().await;
        Self {
            database_url: format!("{}/{}", mysql::server(), fresh.options().dbname),
            nats_url: url("LINGXI_TEST_NATS_URL"),
            redis_url: url("LINGXI_TEST_REDIS_URL"),
            namespace: Uuid::new_v4().simple().to_string(),
            _shared: Some(fresh),
            servers: Vec::new(),
        }
    }

    /// Servers of its own; the database's has its data below a folder of its own, `wrapper` before its command and more
    /// `arguments`.
    pub(crate) async fn own(
        folder: &Path,
        database: &Path,
        wrapper: &[String],
        arguments: &[&str],
    ) -> Self {
        let mariadb = Server::start_mariadb(database, wrapper, arguments);
        let nats = Server::start(Kind::Nats, folder, &[]);
        let redis = Server::start(Kind::Redis, folder, &[]);
        let database_url = format!("mysql://root@{}/lingxi", mariadb.address());
        let options = lingxi_store::MySqlOptions::from_url(&database_url).expect("a URL");
        lingxi_store::Store::migrate(&lingxi_store::Location::MySql(options))
            .await
            .expect("a migrated database");
        Self {
            database_url,
            nats_url: format!("nats://{}", nats.address()),
            redis_url: format!("redis://{}", redis.address()),
            namespace: String::new(),
            _shared: None,
            servers: vec![mariadb, nats, redis],
        }
    }

    /// What the processes of the cluster are told.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        [
            ("LINGXI__DATABASE_URL", self.database_url.as_str()),
            ("LINGXI__DATABASE__POOL_SIZE", "2"),
            ("LINGXI__NATS_URL", &self.nats_url),
            // It is reserved on the server, by every test that runs.
            ("LINGXI__NATS__MAX_LOG_BYTES", "16777216"),
            ("LINGXI__REDIS_URL", &self.redis_url),
            ("LINGXI__NAMESPACE", &self.namespace),
            ("LINGXI__JWT_SECRET", SECRET),
            ("LINGXI__CLUSTER_TOKEN", SECRET),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }
}

impl Drop for Backends {
    /// What the cluster reserved on a shared bus is given back; on a thread, since the test's runtime may be going down.
    fn drop(&mut self) {
        if self._shared.is_none() {
            return;
        }
        let options = lingxi_bus::nats::Options {
            url: self.nats_url.clone(),
            namespace: self.namespace.clone(),
            ..lingxi_bus::nats::Options::default()
        };
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(lingxi_bus::conformance::nats::remove(&options));
            }
        });
        let _ = removing.join();
    }
}
