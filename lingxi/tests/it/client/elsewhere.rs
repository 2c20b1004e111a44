//! A server that is not the one that was meant: it keeps what it hears, and answers as a test says.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Listens until the test ends.
pub(super) struct Elsewhere {
    pub(super) url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Elsewhere {
    /// Answers everything with that head, and nothing behind it.
    pub(super) async fn start(head: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut part = vec![0; 64 * 1024];
                while let Ok(read @ 1..) = stream.read(&mut part).await {
                    let part = &part[..read];
                    kept.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend_from_slice(part);
                    let ends = part.ends_with(b"\r\n\r\n") || part.ends_with(b"}");
                    if ends && stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            }
        });
        Self {
            url: format!("http://{address}"),
            heard,
        }
    }

    /// All that anybody has said to it.
    pub(super) fn heard(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&heard).into_owned()
    }
}
