//! One file, in and out, by as little as HTTP needs: the generator shares the machine with the server.

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::client::Endpoint;

const BOUNDARY: &str = "lingxi-bench";
/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// Uploads these bytes; answers the file's id.
pub(super) async fn upload(endpoint: &Endpoint, token: &str, bytes: &[u8]) -> anyhow::Result<u64> {
    let before = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"bench.bin\"\r\n\r\n"
    );
    let after = format!("\r\n--{BOUNDARY}--\r\n");
    let length = before.len() + bytes.len() + after.len();
    let head = format!(
        "Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n"
    );
    let mut stream = ask(endpoint, "POST /api/v1/file/upload", token, &head).await?;
    for part in [before.as_bytes(), bytes, after.as_bytes()] {
        stream.write_all(part).await.context("an upload was cut")?;
    }
    let (head, mut body) = answer(&mut stream).await?;
    stream.read_to_end(&mut body).await?;
    let text = String::from_utf8_lossy(&body);
    ensure!(head.starts_with("HTTP/1.1 200"), "{head} {text}");
    let file: Value = serde_json::from_str(&text).context("no JSON")?;
    file["id"].as_u64().context("no id")
}

/// Downloads a file, and compares it with what it is to be.
pub(super) async fn download(
    endpoint: &Endpoint,
    token: &str,
    id: u64,
    expected: &[u8],
) -> anyhow::Result<()> {
    let what = format!("GET /api/v1/file/{id}");
    let mut stream = ask(endpoint, &what, token, "").await?;
    let (head, first) = answer(&mut stream).await?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut at = 0;
    let mut take = |piece: &[u8]| {
        let wanted = expected.get(at..at + piece.len());
        at += piece.len();
        wanted == Some(piece)
    };
    let mut same = take(&first);
    let mut piece = vec![0; PIECE];
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        same &= take(&piece[..read]);
    }
    if !same || at != expected.len() {
        bail!("file {id} is not what was uploaded: {at} bytes");
    }
    Ok(())
}

/// Sends the head of a request that ends its connection.
async fn ask(
    endpoint: &Endpoint,
    what: &str,
    token: &str,
    more: &str,
) -> anyhow::Result<TcpStream> {
    let host = endpoint.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "{what} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}

/// The head of an answer, and what came with it of the body.
async fn answer(stream: &mut TcpStream) -> anyhow::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        let end = read.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let body = read.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&read).into_owned(), body));
        }
        ensure!(read.len() < PIECE, "no end of the answer's head");
        ensure!(stream.read_buf(&mut read).await? > 0, "no answer");
    }
}
