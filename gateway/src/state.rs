//! What the routes and tasks of one gateway share.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_im::Im;
use lingxi_runtime::shutdown::Tasks;
use lingxi_store::{ConnectionIds, Store};
use tokio_util::sync::CancellationToken;

use crate::ws::comparisons::Comparisons;
use crate::ws::queues::Queues;
use crate::ws::receipts::Receipts;
use crate::ws::registry::{Registry, SessionPolicy};
use crate::ws::resync::ResyncQueue;
use crate::ws::session::Session;
use crate::ws::watching::Watching;

/// How a gateway behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Partitions of the incoming messages, fixed when the system is installed.
    pub partitions: u16,
    /// How many connections a user may have.
    pub session_policy: SessionPolicy,
    /// Connections that a user may have under [`SessionPolicy::Multi`], over all nodes.
    pub sockets_per_user: usize,
    /// Silence after which a client is asked for a life sign; twice as long closes its socket.
    pub heartbeat: Duration,
    /// Where workers reach this gateway's gRPC port, as host:port.
    pub grpc_advertise: String,
    /// What workers show on the gRPC port; without one only this machine is let in.
    pub cluster_token: Option<String>,
    /// How long a run may take, in milliseconds.
    pub run_deadline_ms: i64,
    /// Over what time the clients of a draining gateway are told to come back.
    pub drain_spread: Duration,
    /// How long a draining gateway goes on accepting requests, so that load balancers see in time that it drains.
    pub drain_linger: Duration,
    /// How long files are kept that no message has.
    pub unsent_files: Duration,
    /// The public port.
    pub http: lingxi_http::Options,
}

/// The shared state; handlers get it as [`AppState`].
pub(crate) struct State {
    /// This gateway's name, for the presence of users and for workers; never used before.
    pub(crate) node: String,
    pub(crate) options: Options,
    pub(crate) im: Im,
    pub(crate) store: Store,
    pub(crate) bus: SharedBus,
    pub(crate) cache: SharedCache,
    pub(crate) sessions: Arc<Registry>,
    pub(crate) resync: ResyncQueue,
    /// What waits for sockets.
    pub(crate) queues: Arc<Queues>,
    /// The tasks of connections.
    pub(crate) connections: Tasks,
    pub(crate) receipts: Arc<Receipts>,
    pub(crate) connection_ids: ConnectionIds,
    pub(crate) comparisons: Comparisons,
    pub(crate) watching: Arc<Watching>,
    pub(crate) subscribers: Arc<crate::ai::Subscribers>,
    pub(crate) stopping: CancellationToken,
}

impl Options {
    /// Connections that a user may have.
    pub(crate) fn sockets(&self) -> usize {
        match self.session_policy {
            SessionPolicy::Single => 1,
            SessionPolicy::Multi => self.sockets_per_user,
        }
    }
}

impl State {
    /// Compares a new connection with the store once more in a moment.
    pub(crate) fn compare_soon(&self, session: &Arc<Session>) {
        self.comparisons.soon(session);
    }
}

impl lingxi_http::HasIm for State {
    fn im(&self) -> &Im {
        &self.im
    }
}

/// The state as handlers get it.
pub(crate) type AppState = Arc<State>;
