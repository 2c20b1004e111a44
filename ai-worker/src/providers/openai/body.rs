//! Reading what a provider sends, within bounds: it may send anything, for ever.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};

/// The most that is read of an error's body, in bytes.
pub(super) const ERROR_BYTES: usize = 64 * 1024;
/// The longest event of a stream, in bytes; an answer's text is not longer.
const EVENT_BYTES: usize = 1024 * 1024;

/// One event is longer than any answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {EVENT_BYTES} bytes")]
pub(super) struct TooLong;

/// At most `most` bytes of a body, as text. What cannot be read ends it.
pub(in crate::providers) async fn first_bytes(response: reqwest::Response, most: usize) -> String {
    let mut read = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(Ok(part)) = body.next().await {
        let room = most.saturating_sub(read.len());
        read.extend_from_slice(part.get(..room).unwrap_or(&part));
        if read.len() >= most {
            break;
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// The same response, its body handed on in whole lines, and ended by an error where an event is too long. A reader behind
/// it looks at each byte once, however small the pieces are in which they come.
pub(super) fn in_lines(response: reqwest::Response) -> reqwest::Response {
    let mut head = http::Response::builder().status(response.status());
    if let Some(headers) = head.headers_mut() {
        headers.clone_from(response.headers());
    }
    let lines = lines(response.bytes_stream());
    match head.body(reqwest::Body::wrap_stream(lines)) {
        Ok(response) => response.into(),
        // Status and headers were those of a response.
        Err(_) => http::Response::new(reqwest::Body::default()).into(),
    }
}

type Part = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

fn lines<E>(body: impl Stream<Item = Result<Bytes, E>>) -> impl Stream<Item = Part>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut lines = Lines::default();
    // The last part has no line break behind it, perhaps.
    body.map(|part| part.map(Some).map_err(Into::into))
        .chain(futures_util::stream::once(async { Ok(None) }))
        .map(
            move |part: Result<Option<Bytes>, Box<dyn std::error::Error + Send + Sync>>| match part?
            {
                Some(part) => Ok(lines.take(&part)?),
                None => Ok(lines.rest()),
            },
        )
        .filter(|part| {
            let empty = matches!(part, Ok(bytes) if bytes.is_empty());
            std::future::ready(!empty)
        })
}

/// Puts lines together.
#[derive(Default)]
struct Lines {
    /// The line that has no end yet.
    open: BytesMut,
    /// Bytes of the event that has no end yet, the open line not counted.
    event: usize,
}

impl Lines {
    /// The lines that `part` completes.
    fn take(&mut self, part: &[u8]) -> Result<Bytes, TooLong> {
        let end = part
            .iter()
            .rposition(|&byte| byte == b'\n' || byte == b'\r');
        let whole = end.map_or(0, |at| at + 1);
        let (lines, open) = part.split_at(whole);
        let mut first = self.open.len();
        for line in lines.split_inclusive(|&byte| byte == b'\n' || byte == b'\r') {
            let length = first + line.len();
            first = 0;
            // An empty line ends an event; the \n of \r\n looks like one, which does no harm to a bound.
            self.event = if length <= 1 { 0 } else { self.event + length };
            if self.event > EVENT_BYTES {
                return Err(TooLong);
            }
        }
        if self.event + self.open.len() + open.len() > EVENT_BYTES && whole == 0 {
            return Err(TooLong);
        }
        if whole == 0 {
            self.open.extend_from_slice(open);
            return Ok(Bytes::new());
        }
        self.open.extend_from_slice(lines);
        let complete = self.open.split().freeze();
        self.open.extend_from_slice(open);
        Ok(complete)
    }

    fn rest(&mut self) -> Bytes {
        self.open.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]]) -> Result<Vec<u8>, TooLong> {
        let mut lines = Lines::default();
        let mut read = Vec::new();
        for part in parts {
            read.extend_from_slice(&lines.take(part)?);
        }
        read.extend_from_slice(&lines.rest());
        Ok(read)
    }

    #[test]
    fn nothing_is_lost_or_changed_however_it_comes() {
        let text = "data: 灵犀\r\n\r\n: hm\n\ndata: x\rdata: y\n\ndata: end".as_bytes();
        for size in 1..text.len() {
            let parts: Vec<_> = text.chunks(size).collect();
            assert_eq!(all(&parts).unwrap(), text, "in pieces of {size}");
        }
    }

    #[test]
    fn lines_are_handed_on_whole() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"data: a").unwrap(), "");
        assert_eq!(lines.take(b"b\nda").unwrap(), "data: ab\n");
        assert_eq!(lines.take(b"ta").unwrap(), "");
        assert_eq!(lines.rest(), "data");
    }

    #[test]
    fn an_event_has_a_bound_and_a_stream_has_none() {
        let piece = [b'x'; 1000];
        let endless: Vec<&[u8]> = vec![&piece; 1100];
        assert_eq!(all(&endless), Err(TooLong), "one line");
        let line = [&[b'x'; 999][..], b"\n"].concat();
        let event: Vec<&[u8]> = vec![&line; 1100];
        assert_eq!(
            all(&event),
            Err(TooLong),
            "many lines without an end of the event"
        );
        let in_one = [b'x'; EVENT_BYTES + 1];
        assert_eq!(all(&[&in_one]), Err(TooLong));
        let event = [&line[..], b"\n"].concat();
        let many: Vec<&[u8]> = vec![&event; 2000];
        assert_eq!(all(&many).unwrap().len(), 2000 * event.len());
    }
}
