//! Something that speaks just enough of Redis' protocol to be an old one.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Answers `INFO` with this version and everything else with OK; the URL of it.
pub(crate) async fn redis(version: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, version));
        }
    });
    url
}

async fn serve(socket: TcpStream, version: &str) -> Option<()> {
    let mut socket = BufReader::new(socket);
    loop {
        let command = read(&mut socket).await?;
        let answer = if command.eq_ignore_ascii_case("info") {
            let info = format!("# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\n");
            format!("${}\r\n{info}\r\n", info.len())
        } else {
            "+OK\r\n".to_owned()
        };
        socket.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// The first word of the next command.
async fn read(socket: &mut BufReader<TcpStream>) -> Option<String> {
    let words = number(socket).await?;
    let mut first = None;
    for _ in 0..words {
        let mut word = vec![0; number(socket).await? + 2];
        socket.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        first.get_or_insert(String::from_utf8(word).ok()?);
    }
    first
}

/// `*3` or `$12`.
async fn number(socket: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    socket.read_line(&mut line).await.ok()?;
    line.trim().get(1..)?.parse().ok()
}
