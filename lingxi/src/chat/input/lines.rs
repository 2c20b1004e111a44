//! Lines as they are piped in.

use std::io::{BufRead as _, Read as _};

use tokio::sync::mpsc;

use super::typed::Typed;

/// No message is larger; a longer line is none.
const LONGEST: u64 = 128 * 1024;

/// Reads the standard input in a thread of its own, a few lines ahead.
pub(super) fn read() -> mpsc::Receiver<Typed> {
    let (sender, lines) = mpsc::channel(8);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        loop {
            let typed = line(&mut input);
            let ended = !matches!(typed, Typed::Line(_));
            if sender.blocking_send(typed).is_err() || ended {
                return;
            }
        }
    });
    lines
}

fn line(input: &mut impl std::io::BufRead) -> Typed {
    let mut line = Vec::new();
    match input.take(LONGEST).read_until(b'\n', &mut line) {
        Ok(0) => return Typed::End,
        Ok(read) if read as u64 == LONGEST && !line.ends_with(b"\n") => {
            return Typed::Unreadable(format!("a line has more than {LONGEST} bytes"));
        }
        Ok(_) => {}
        Err(error) => return Typed::Unreadable(format!("the input cannot be read: {error}")),
    }
    match String::from_utf8(line) {
        Ok(line) => Typed::Line(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(_) => Typed::Unreadable("the input is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_bound() {
        let mut input: &[u8] = b"one\r\n\ntwo";
        let mut next = || line(&mut input);
        assert!(matches!(next(), Typed::Line(line) if line == "one"));
        assert!(matches!(next(), Typed::Line(line) if line.is_empty()));
        assert!(matches!(next(), Typed::Line(line) if line == "two"));
        assert!(matches!(next(), Typed::End));
        let long = vec![b'x'; 200_000];
        assert!(matches!(line(&mut long.as_slice()), Typed::Unreadable(_)));
        assert!(matches!(
            line(&mut b"\xff\n".as_slice()),
            Typed::Unreadable(_)
        ));
    }
}
