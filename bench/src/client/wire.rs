//! WebSocket frames (RFC 6455) in plain buffers: what a client sends is masked, what it receives is not.

use std::io;

use bytes::{Buf as _, BytesMut};

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// Frames that wait to be written.
#[derive(Debug)]
pub struct Outbox {
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
    mask: u32,
}

impl Outbox {
    pub(super) fn new(seed: u32) -> Self {
        Self {
            bytes: Vec::new(),
            written: 0,
            mask: seed | 1,
        }
    }

    /// Appends a text frame.
    pub fn text(&mut self, payload: &[u8]) {
        self.frame(TEXT, payload);
    }

    fn frame(&mut self, opcode: u8, payload: &[u8]) {
        // xorshift: the mask need not be secret between a load generator and its server, only valid
        self.mask ^= self.mask << 13;
        self.mask ^= self.mask >> 17;
        self.mask ^= self.mask << 5;
        let key = self.mask.to_ne_bytes();
        self.bytes.push(0x80 | opcode);
        match payload.len() {
            length @ 0..126 => self.bytes.push(0x80 | length as u8),
            length @ 126..0x1_0000 => {
                self.bytes.push(0x80 | 126);
                self.bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                self.bytes.push(0x80 | 127);
                self.bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        self.bytes.extend_from_slice(&key);
        let (words, tail) = payload.as_chunks::<4>();
        for word in words {
            let masked = u32::from_ne_bytes(*word) ^ self.mask;
            self.bytes.extend_from_slice(&masked.to_ne_bytes());
        }
        self.bytes
            .extend(tail.iter().zip(key).map(|(byte, key)| byte ^ key));
    }

    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.written += count;
        if self.written >= self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        }
    }
}

/// What a server sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// A text frame.
    Text(&'a [u8]),
    /// A close frame with its code, 1005 when it has none.
    Close(u16),
}

/// Hands every whole frame in `inbox` to `each` and takes it out; Pings are answered into `outbox`.
pub(super) fn drain(
    inbox: &mut BytesMut,
    outbox: &mut Outbox,
    mut each: impl FnMut(Received<'_>, &mut Outbox),
) -> io::Result<()> {
    let mut at = 0;
    while let Some((opcode, payload, next)) = split(inbox, at)? {
        match opcode {
            TEXT => each(Received::Text(payload), outbox),
            PING => outbox.frame(PONG, payload),
            PONG => {}
            CLOSE => {
                let code = payload
                    .first_chunk()
                    .map_or(1005, |code| u16::from_be_bytes(*code));
                each(Received::Close(code), outbox);
            }
            other => return Err(broken(&format!("frame with opcode {other:#x}"))),
        }
        at = next;
    }
    inbox.advance(at);
    Ok(())
}

/// The frame at `at`: opcode, payload, and where the next one begins. `None` when it is not whole yet.
fn split(bytes: &[u8], at: usize) -> io::Result<Option<(u8, &[u8], usize)>> {
    let Some(&[first, second]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
        return Ok(None);
    };
    if first & 0x80 == 0 || first & 0x70 != 0 || second & 0x80 != 0 {
        return Err(broken("fragmented, compressed or masked frame"));
    }
    let behind = bytes.get(at + 2..).unwrap_or_default();
    let (length, header) = match second {
        126 => match behind.first_chunk() {
            Some(length) => (u64::from(u16::from_be_bytes(*length)), 4),
            None => return Ok(None),
        },
        127 => match behind.first_chunk() {
            Some(length) => (u64::from_be_bytes(*length), 10),
            None => return Ok(None),
        },
        length => (u64::from(length), 2),
    };
    if length > 16 * 1024 * 1024 {
        return Err(broken("frame above 16 MiB"));
    }
    let start = at + header;
    let end = start + length as usize;
    Ok(bytes
        .get(start..end)
        .map(|payload| (first & 0x0F, payload, end)))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the server sent a {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Outbox, Received, drain};
    use bytes::BytesMut;

    /// A server's frame: like ours, without the mask.
    fn served(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => bytes.push(length as u8),
            length => {
                bytes.push(126);
                bytes.extend((length as u16).to_be_bytes());
            }
        }
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn frames_survive_any_cut() {
        let long = vec![b'x'; 300];
        let stream = [
            served(1, b"one"),
            served(9, b"p"),
            served(1, &long),
            served(8, &4002_u16.to_be_bytes()),
        ]
        .concat();
        for cut in 0..stream.len() {
            let (mut inbox, mut outbox, mut seen) = (BytesMut::new(), Outbox::new(7), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                inbox.extend_from_slice(part);
                drain(&mut inbox, &mut outbox, |received, _| {
                    seen.push(match received {
                        Received::Text(text) => text.len(),
                        Received::Close(code) => usize::from(code),
                    });
                })
                .unwrap();
            }
            assert_eq!(seen, [3, 300, 4002], "cut at {cut}");
            assert_eq!(
                outbox.waiting().first(),
                Some(&0x8A),
                "the Ping has its Pong"
            );
        }
    }

    #[test]
    fn what_is_sent_is_masked_and_comes_out_again() {
        for length in [0, 5, 125, 126, 1000, 70_000] {
            let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut outbox = Outbox::new(99);
            outbox.text(&payload);
            let sent = outbox.waiting();
            let header = match length {
                0..126 => 2,
                126..0x1_0000 => 4,
                _ => 10,
            };
            assert_eq!(sent[1] & 0x80, 0x80);
            let key = &sent[header..header + 4];
            let plain: Vec<u8> = sent[header + 4..]
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key)
                .collect();
            assert_eq!(plain, payload);
        }
    }

    #[test]
    fn fragments_are_an_error_not_silence() {
        let mut inbox = BytesMut::from(&[0x01, 0x01, b'x'][..]);
        assert!(drain(&mut inbox, &mut Outbox::new(1), |_, _| {}).is_err());
    }
}
