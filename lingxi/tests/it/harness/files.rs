//! Uploading files, and what comes back.

use std::io::Cursor;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use super::rest::{Reply, Rest};
use super::user::User;

/// What separates the parts of the tests' forms.
pub(crate) const BOUNDARY: &str = "----lingxi-test";

/// A form with this file in it, as browsers send it.
pub(crate) fn form(name: &str, mime: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n"
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    [head.as_bytes(), bytes, end.as_bytes()].concat()
}

/// A picture of that size, as PNG.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x % 256) as u8, (y % 256) as u8, 7])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture");
    bytes.into_inner()
}

/// An answer that is no JSON.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Fetched {
    /// A header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("a plain header"))
    }

    /// Asserts the status and the stable error code.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, code: &str) {
        let body: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let found = (self.status, body["error"].as_str());
        assert_eq!(found, (status, Some(code)), "{body}");
    }
}

impl Rest {
    /// Fetches a path as it is.
    pub(crate) async fn fetch(&self, path: &str, headers: &[(&str, &str)]) -> Fetched {
        let mut request = self.request(Method::GET, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        Fetched {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            bytes: answer.bytes().await.expect("a whole answer").to_vec(),
        }
    }
}

impl User {
    /// Uploads a file.
    pub(crate) async fn upload(&self, name: &str, mime: &str, bytes: &[u8]) -> Reply {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.rest.request(Method::POST, "file/upload");
        let request = request.header(CONTENT_TYPE, kind);
        self.rest.send(request.body(form(name, mime, bytes))).await
    }

    /// Uploads a short text; answers the file's id.
    pub(crate) async fn upload_text(&self, text: &str) -> u64 {
        let file = self.upload("note.txt", "text/plain", text.as_bytes()).await;
        file.ok()["id"].as_u64().expect("an id")
    }

    /// Fetches a file.
    pub(crate) async fn file(&self, id: u64) -> Fetched {
        self.rest.fetch(&format!("file/{id}"), &[]).await
    }
}
