//! A user who stays connected all along and writes to those who come and go.

use std::{pin::pin, rc::Rc};

use tokio::time::Instant;

use super::{
    books::{Answer, Books, Phase},
    message::Name,
};
use crate::client::{Frame, Outbox, Received, Socket, Wake};

/// Messages that a sender keeps unacknowledged.
const WINDOW: usize = 64;

/// A sender with its books.
pub(super) struct Sender {
    pub(super) number: usize,
    /// Bytes of content.
    pub(super) size: usize,
    pub(super) books: Rc<Books>,
    /// Sent and not answered yet.
    pub(super) waiting: usize,
}

impl Sender {
    /// Sends what is ordered until the run is finished.
    pub(super) async fn run(mut self, mut socket: Socket) {
        let mut phase = self.books.phase.subscribe();
        let mut closed = None;
        while closed.is_none() && *phase.borrow_and_update() != Phase::Finish {
            self.send(&mut socket.outbox);
            let turn = match socket.flush() {
                Ok(()) => {
                    let books = Rc::clone(&self.books);
                    let mut told = pin!(async {
                        tokio::select! {
                            () = books.bells[self.number].notified() => {}
                            _ = phase.changed() => {}
                        }
                    });
                    socket.wait(told.as_mut()).await
                }
                Err(error) => Err(error),
            };
            let outcome = match turn {
                Ok(Wake::Readable) => socket.receive(|received, _| match received {
                    Received::Text(text) => self.take(text),
                    Received::Close(code) => closed = Some(format!("closed with {code}")),
                }),
                Ok(Wake::Closed) => Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(Wake::Timer | Wake::Written) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                closed.get_or_insert_with(|| error.to_string());
            }
        }
        if let Some(cause) = closed {
            let mut counts = self.books.counts.borrow_mut();
            *counts.closed.entry(format!("sender: {cause}")).or_default() += 1;
        }
    }

    fn send(&mut self, outbox: &mut Outbox) {
        while self.waiting < WINDOW {
            let Some((conversation, number)) = self.books.next_order(self.number) else {
                return;
            };
            let name = Name {
                run: self.books.run,
                conversation: conversation as u32,
                number,
            };
            let mut conversations = self.books.conversations.borrow_mut();
            let book = &mut conversations[conversation];
            outbox.text(name.frame(&book.to, self.size).as_bytes());
            book.messages[number as usize].0 = Some(Instant::now());
            self.waiting += 1;
            self.books.counts.borrow_mut().sent += 1;
        }
    }

    fn take(&mut self, text: &[u8]) {
        let Some(frame) = Frame::scan(text) else {
            self.books.counts.borrow_mut().unreadable += 1;
            return;
        };
        let answer = match (frame.kind, frame.status) {
            (3, b"delivered" | b"stored") => Answer::Committed,
            (3, b"failed") => Answer::Refused,
            // Echoes are `bench chat`'s to check.
            _ => return,
        };
        let Some(name) = Name::read(frame.msg_id) else {
            return;
        };
        let mut conversations = self.books.conversations.borrow_mut();
        let message = conversations
            .get_mut(name.conversation as usize)
            .and_then(|book| book.messages.get_mut(name.number as usize));
        let Some((_, known @ Answer::None)) = message else {
            return;
        };
        *known = answer;
        drop(conversations);
        self.waiting = self.waiting.saturating_sub(1);
        self.books.step(|progress| progress.unanswered -= 1);
        let mut counts = self.books.counts.borrow_mut();
        if answer == Answer::Committed {
            counts.acked += 1;
        } else {
            let reason = String::from_utf8_lossy(frame.reason).into_owned();
            *counts.refused.entry(reason).or_default() += 1;
            // A device may be waiting for it.
            self.books.phase.send_modify(|_| {});
        }
    }
}
