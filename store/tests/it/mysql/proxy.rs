//! A way to the server that can stop to carry anything: what a stopped or vanished machine looks like.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lingxi_store::MySqlOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Carries bytes until it is frozen.
pub(super) struct Proxy {
    /// How the server is reached through it.
    pub(super) options: MySqlOptions,
    frozen: Arc<AtomicBool>,
}

impl Proxy {
    pub(super) async fn to(server: MySqlOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = MySqlOptions {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            ..server.clone()
        };
        let frozen = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&frozen);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect((server.host.as_str(), server.port)).await;
                let ((cr, cw), (sr, sw)) = (client.into_split(), server.unwrap().into_split());
                tokio::spawn(carry(cr, sw, Arc::clone(&flag)));
                tokio::spawn(carry(sr, cw, Arc::clone(&flag)));
            }
        });
        Self { options, frozen }
    }

    pub(super) fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::SeqCst);
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    frozen: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        while frozen.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
