//! Reads the fields a load generator needs out of a JSON frame, borrowed, in one pass.

/// The fields of a server frame that are looked at. A text field that is absent is empty; a number is 0.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// `type`: 1 heartbeat, 2 private, 3 ACK, 4 group, 5 system.
    pub kind: u64,
    /// `seq` in its conversation.
    pub seq: u64,
    /// `msg_id`, as the sender chose it.
    pub msg_id: &'a [u8],
    /// `status` of an ACK.
    pub status: &'a [u8],
    /// `reason` of an ACK `failed`.
    pub reason: &'a [u8],
    /// `event` of a system frame.
    pub event: &'a [u8],
    /// `conversation`: its key.
    pub conversation: &'a [u8],
    /// `from`: username of the sender.
    pub from: &'a [u8],
    /// `content`, with JSON escapes left as they are.
    pub content: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Scans one JSON object. `None` when it is not one, as far as the scan can tell: it checks the structure it walks
    /// over, not the escapes inside a string.
    #[must_use]
    pub fn scan(text: &'a [u8]) -> Option<Self> {
        let mut frame = Self::default();
        let mut cursor = Cursor { text, at: 0 };
        cursor.token(b'{')?;
        if cursor.token(b'}').is_some() {
            return Some(frame);
        }
        loop {
            cursor.token(b'"')?;
            let key = cursor.rest_of_string()?;
            cursor.token(b':')?;
            let value = cursor.value()?;
            match key {
                b"type" => frame.kind = number(value),
                b"seq" => frame.seq = number(value),
                b"msg_id" => frame.msg_id = value,
                b"status" => frame.status = value,
                b"reason" => frame.reason = value,
                b"event" => frame.event = value,
                b"conversation" => frame.conversation = value,
                b"from" => frame.from = value,
                b"content" => frame.content = value,
                _ => {}
            }
            if cursor.token(b',').is_none() {
                cursor.token(b'}')?;
                return Some(frame);
            }
        }
    }
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Steps over white space and `wanted`, or over nothing but the white space.
    fn token(&mut self, wanted: u8) -> Option<()> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        (self.text.get(self.at) == Some(&wanted)).then(|| self.at += 1)
    }

    /// What lies between here, behind an opening quote, and the closing one.
    fn rest_of_string(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return self.text.get(start..self.at - 1);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Any value: the inside of a string, or the text of anything else.
    fn value(&mut self) -> Option<&'a [u8]> {
        if self.token(b'"').is_some() {
            return self.rest_of_string();
        }
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    self.rest_of_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' | b',' if depth == 0 => break,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        let value = self.text.get(start..self.at)?.trim_ascii_end();
        (!value.is_empty()).then_some(value)
    }
}

/// Decimal digits as a number; anything else is 0.
fn number(text: &[u8]) -> u64 {
    text.iter()
        .try_fold(0_u64, |sum, digit| match digit {
            b'0'..=b'9' => Some(sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))),
            _ => None,
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn fields_are_found_in_any_order_and_with_any_spacing() {
        let text = br#" { "seq" : 17 ,"type":2,"x":{"type":9,"a":["}",1]},"conversation":"g:4","from":"b\"ob","content":"hi \\" , "n":null}"#;
        let frame = Frame::scan(text).unwrap();
        assert_eq!((frame.kind, frame.seq), (2, 17));
        assert_eq!(frame.from, br#"b\"ob"#);
        assert_eq!(frame.content, br"hi \\");
        assert_eq!(frame.conversation, b"g:4");
        assert_eq!(frame.msg_id, b"");
    }

    #[test]
    fn it_agrees_with_a_real_parser() {
        let value = serde_json::json!({"type":3,"msg_id":"é-\u{1}","status":"failed","reason":"rate_limited",
            "id":9_007_199_254_740_991_u64,"seq":42,"nested":[{"seq":1},[2]],"event":""});
        let text = value.to_string();
        let frame = Frame::scan(text.as_bytes()).unwrap();
        assert_eq!((frame.kind, frame.seq), (3, 42));
        assert_eq!(frame.status, b"failed");
        assert_eq!(frame.reason, b"rate_limited");
    }

    #[test]
    fn broken_text_is_refused_and_never_panics() {
        let whole = br#"{"type":2,"msg_id":"a\"b","x":[{"y":"}"}],"seq":3}"#;
        assert!(Frame::scan(whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(Frame::scan(&whole[..end]), None, "cut at {end}");
        }
        assert_eq!(Frame::scan(b"[1]"), None);
        assert_eq!(Frame::scan(br#"{"a"}"#), None);
        assert_eq!(Frame::scan(br#"{"a":}"#), None);
        assert_eq!(Frame::scan(b"{}"), Some(Frame::default()));
    }
}
