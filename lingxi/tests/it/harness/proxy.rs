//! A TCP proxy on loopback whose connections can be cut, and silenced in one direction, while both ends stay alive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From who connected to the server.
    Up,
    /// From the server to who connected.
    Down,
}

#[derive(Debug, Default)]
struct Connections {
    next: u64,
    /// What ends each: both its sockets are closed at once.
    open: BTreeMap<u64, AbortHandle>,
}

#[derive(Debug)]
struct Shared {
    connections: Mutex<Connections>,
    /// Which directions are silent: up, down.
    silent: watch::Sender<(bool, bool)>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listening proxy. Dropping it ends all its connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: String,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port, and connects whoever comes to `target` (`host:port`).
    pub(crate) async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared {
            connections: Mutex::default(),
            silent: watch::Sender::new((false, false)),
        });
        let listening = tokio::spawn(listen(listener, target, Arc::clone(&shared)));
        Self {
            address,
            shared,
            listening,
        }
    }

    /// `127.0.0.1:port`, to be told instead of the target's address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Cuts one connection, which one is up to `pick`. Answers whether there was one.
    pub(crate) fn cut_one(&self, pick: u64) -> bool {
        let connections = self.shared.lock();
        let count = connections.open.len();
        let at = usize::try_from(pick).unwrap_or_default() % count.max(1);
        match connections.open.values().nth(at) {
            Some(task) => {
                task.abort();
                true
            }
            None => false,
        }
    }

    /// Cuts all of them; what was on its way in them is lost. Answers how many there were.
    pub(crate) fn cut(&self) -> usize {
        let connections = self.shared.lock();
        connections.open.values().for_each(AbortHandle::abort);
        connections.open.len()
    }

    /// Nothing passes in this direction any more; nobody is told.
    pub(crate) fn silence(&self, direction: Direction) {
        self.shared.silent.send_modify(|silent| match direction {
            Direction::Up => silent.0 = true,
            Direction::Down => silent.1 = true,
        });
    }

    /// Everything passes again.
    pub(crate) fn speak(&self) {
        self.shared.silent.send_replace((false, false));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

async fn listen(listener: TcpListener, target: String, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let (target, of_task) = (target.clone(), Arc::clone(&shared));
        // The list is held until the task is in it, so that the task takes itself out of it.
        let mut connections = shared.lock();
        let number = connections.next;
        connections.next += 1;
        let task = tokio::spawn(async move {
            let _gone = Gone(Arc::clone(&of_task), number);
            if let Ok(server) = TcpStream::connect(&target).await {
                join(client, server, &of_task).await;
            }
        });
        connections.open.insert(number, task.abort_handle());
    }
}

/// Takes a connection out of the list when its task ends, however it ends.
struct Gone(Arc<Shared>, u64);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.lock().open.remove(&self.1);
    }
}

/// Hands bytes on in both directions until one end closes; then both are closed, as by a host that went away.
async fn join(client: TcpStream, server: TcpStream, shared: &Shared) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let silent = || shared.silent.subscribe();
    tokio::select! {
        () = pump(from_client, to_server, silent(), Direction::Up) => {}
        () = pump(from_server, to_client, silent(), Direction::Down) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut silent: watch::Receiver<(bool, bool)>,
    direction: Direction,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let heard = silent.wait_for(|silent| match direction {
            Direction::Up => !silent.0,
            Direction::Down => !silent.1,
        });
        if heard.await.is_err() {
            return;
        }
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            // What was not read by then is not passed.
            _ = silent.changed() => continue,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                if to.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_silenced_direction_passes_nothing_and_a_cut_ends_both() {
    use std::time::Duration;
    use tokio::time::timeout;

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = listener.local_addr().expect("an address").to_string();
    let proxy = Proxy::start(target).await;
    let mut client = TcpStream::connect(proxy.address()).await.expect("a client");
    let (mut server, _) = listener.accept().await.expect("through the proxy");
    let mut byte = [0];
    client.write_all(b"a").await.expect("sent");
    server.read_exact(&mut byte).await.expect("received");
    proxy.silence(Direction::Down);
    server.write_all(b"b").await.expect("sent");
    client.write_all(b"c").await.expect("sent");
    server.read_exact(&mut byte).await.expect("the other way");
    let nothing = timeout(Duration::from_millis(50), client.read_exact(&mut byte)).await;
    assert!(nothing.is_err(), "silence was heard: {nothing:?}");
    proxy.speak();
    client.read_exact(&mut byte).await.expect("received late");
    assert_eq!(byte, *b"b");
    assert_eq!(proxy.cut(), 1);
    assert_eq!(server.read(&mut byte).await.ok(), Some(0));
    assert!(client.read(&mut byte).await.is_ok_and(|read| read == 0));
}
