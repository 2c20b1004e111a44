//! Pushes a committed batch to its members' subjects, and answers its senders.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{PendingReply, SharedBus, Subject};
use lingxi_domain::ConversationKey;
use lingxi_domain::detail::searched;
use lingxi_domain::frame::server::{self, AckStatus};
use lingxi_im::Im;
use lingxi_proto::bus::{Push, PushFrame};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;

use super::acks::{Ack, Acks};
use super::again::Again;
use super::committed::Committed;
use super::publish::publish;
use super::watermark::Watermarks;
use super::webhooks::Webhooks;
use crate::Deps;
use crate::incoming::{Incoming, New, Outcome};
use crate::indexer::Waiting;

/// How long a recipient's gateway may take to write a message to a socket before the recipient counts as away.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) enum Work {
    Batch(Committed),
    Flush(oneshot::Sender<()>),
}

pub(super) struct Fanout {
    bus: SharedBus,
    im: Im,
    losses: watch::Receiver<u64>,
    index: Arc<Waiting>,
    acks: Acks,
    watermarks: Watermarks,
    again: Again,
    webhooks: Webhooks,
}

impl Fanout {
    pub(super) fn new(
        deps: &Deps,
        index: Arc<Waiting>,
        acks: Acks,
        watermarks: Watermarks,
        again: Again,
        webhooks: Webhooks,
    ) -> Self {
        Self {
            bus: deps.bus.clone(),
            im: deps.im.clone(),
            losses: deps.bus.losses(),
            index,
            acks,
            watermarks,
            again,
            webhooks,
        }
    }

    pub(super) async fn work(self, mut received: mpsc::Receiver<Work>) {
        while let Some(work) = received.recv().await {
            match work {
                Work::Batch(batch) => self.push(batch).await,
                Work::Flush(done) => self.acks.flush(done).await,
            }
        }
    }

    async fn push(&self, batch: Committed) {
        let losses = *self.losses.borrow();
        let mut sure = true;
        for (message, outcome) in batch.messages.into_iter().zip(batch.outcomes) {
            match outcome {
                Outcome::Committed(new) => {
                    let said = &message.inbound;
                    let detail = Some(said.detail.as_str()).filter(|detail| !detail.is_empty());
                    let text = searched(&said.content, detail);
                    self.index.put(&said.conversation, new.seq, &text);
                    let span = message.span.clone();
                    sure &= self.deliver(message, new).instrument(span).await;
                }
                // An ACK that is lost is asked for again by a repeat.
                Outcome::Repeated { id, seq } => {
                    let msg_id = &message.inbound.msg_id;
                    let ack = server::committed(msg_id, AckStatus::Stored, id, seq);
                    self.answer(&message, ack).await;
                }
                Outcome::Refused(code) => {
                    let ack = server::failed(&message.inbound.msg_id, code, code.message());
                    self.answer(&message, ack).await;
                }
            }
        }
        if let Err(error) = self.bus.flush().await {
            tracing::warn!(%error, "pushes are not confirmed; they are repeated");
            sure = false;
        }
        // What went into a connection that was lost, and is another one now, went nowhere.
        sure &= losses == *self.losses.borrow();
        for (partition, id) in batch.upto {
            if sure {
                self.watermarks.advance(partition, id);
            } else {
                self.watermarks.doubt(partition);
            }
        }
        if !sure {
            self.again.soon();
        }
    }

    async fn answer(&self, message: &Incoming, ack: String) {
        let payload = Push::of(vec![PushFrame::plain(ack)]);
        publish(&self.bus, message.inbound.sender_id, payload).await;
    }

    /// Returns true if all of it was handed to the bus.
    async fn deliver(&self, message: Incoming, new: New) -> bool {
        let entry = message.entry(&new).stored(&message.inbound.sender, None);
        let to = Some(message.inbound.recipient.as_str());
        let answered = message.inbound.reply_to.as_ref();
        let frame = self.im.frames().of_message(&entry, to, answered);
        match message.key {
            ConversationKey::Group(_) => self.to_group(&message, &new, frame).await,
            ConversationKey::Direct(..) => self.to_peer(message, &new, frame).await,
        }
    }

    async fn to_group(&self, message: &Incoming, new: &New, frame: PushFrame) -> bool {
        let sender = message.inbound.sender_id;
        let to_others = Push::of(vec![frame.clone()]);
        let mut sure = true;
        for user in new.members.iter().flat_map(|members| members.ids()) {
            if user != sender {
                sure &= publish(&self.bus, user, to_others.clone()).await;
            }
        }
        if let Some(members) = &new.members {
            let conversation = frame.conversation.as_str();
            let told = self
                .webhooks
                .said_to(&self.bus, conversation, sender, members);
            told.await;
        }
        sure & self.echo_stored(message, new, frame).await
    }

    async fn to_peer(&self, message: Incoming, new: &New, frame: PushFrame) -> bool {
        let (sender, recipient) = (message.inbound.sender_id, message.inbound.recipient_id);
        let push = Push::of(vec![frame.clone()]);
        if recipient != sender {
            let told = self
                .webhooks
                .said_to_one(&self.bus, &frame.conversation, recipient);
            told.await;
        }
        let Ok(reply) = self.ask(recipient, push.clone()).await else {
            self.echo_stored(&message, new, frame).await;
            return false;
        };
        let Some(reply) = reply else {
            return self.echo_stored(&message, new, frame).await;
        };
        let sure = recipient == sender || publish(&self.bus, sender, push).await;
        let ack = Ack {
            sender,
            msg_id: message.inbound.msg_id,
            id: new.id,
            seq: new.seq,
        };
        self.acks.when(reply, ack).await;
        sure
    }

    /// Pushes to the recipient, whose gateway replies when it is written; `None` when nobody holds that user.
    async fn ask(
        &self,
        recipient: lingxi_domain::UserId,
        push: bytes::Bytes,
    ) -> Result<Option<PendingReply>, lingxi_bus::Error> {
        let subject = Subject::User(recipient);
        let asked = self.bus.request(&subject, push, DELIVERY_TIMEOUT).await;
        let reply = asked.inspect_err(
            |error| tracing::warn!(%error, "a message could not be pushed; it is pushed again"),
        )?;
        Ok(Some(reply).filter(|reply| !reply.is_no_responders()))
    }

    /// To the sender's own sockets, with the ACK.
    async fn echo_stored(&self, message: &Incoming, new: &New, frame: PushFrame) -> bool {
        let msg_id = &message.inbound.msg_id;
        let ack = server::committed(msg_id, AckStatus::Stored, new.id, new.seq);
        let payload = Push::of(vec![frame, PushFrame::plain(ack)]);
        publish(&self.bus, message.inbound.sender_id, payload).await
    }
}
