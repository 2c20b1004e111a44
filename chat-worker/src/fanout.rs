//! Pushes what was committed to its members' subjects, and answers the senders, while the lane commits the next batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lingxi_bus::{PendingReply, SharedBus, Subject};
use lingxi_domain::frame::server::{self, AckStatus, MessageFrame};
use lingxi_domain::{ConversationKey, Seq, UserId};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{Push, PushFrame};
use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use crate::Deps;
use crate::batch::{Incoming, Outcome};
use crate::lane::Handed;

/// Committed batches that may wait to be pushed; the lane waits beyond.
const BATCHES_AHEAD: usize = 4;
/// Private messages whose recipient's gateway has not answered yet.
const PENDING_ACKS: usize = 16_384;
/// How long a recipient's gateway may take to write a message to a socket before the recipient counts as away.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(1);

/// Answered when everything pushed before it has been pushed and acknowledged.
pub(crate) struct Finished(pub(crate) oneshot::Sender<()>);

enum Work {
    Batch(Vec<Incoming>, Vec<Outcome>, Handed),
    Flush(Finished),
}

/// The way to the fan-out task, and what it has done.
#[derive(Clone)]
pub(crate) struct Fanout {
    work: mpsc::Sender<Work>,
    pushed: Arc<[AtomicI64]>,
}

impl Fanout {
    /// Hands a committed batch over; waits while too many are ahead of it. Behind it, everything up to the ids that it gave
    /// out has been pushed.
    pub(crate) async fn push(&self, batch: Vec<Incoming>, outcomes: Vec<Outcome>, handed: Handed) {
        // Fails only when the task has ended, which it does after the lane.
        let _ = self.work.send(Work::Batch(batch, outcomes, handed)).await;
    }

    /// Asks to be told when everything before is done.
    pub(crate) async fn flush(&self, finished: Finished) {
        let _ = self.work.send(Work::Flush(finished)).await;
    }

    /// Everything of the partition up to this id was pushed.
    pub(crate) fn pushed_upto(&self, partition: u16) -> i64 {
        self.pushed
            .get(usize::from(partition))
            .map_or(0, |id| id.load(Ordering::Relaxed))
    }

    /// Records that everything of the partition up to `id` was pushed.
    pub(crate) fn pushed(&self, partition: u16, id: i64) {
        if let Some(known) = self.pushed.get(usize::from(partition)) {
            known.fetch_max(id, Ordering::Relaxed);
        }
    }
}

/// Starts the fan-out of one worker. It ends when every handle to it is gone.
pub(crate) fn start(deps: &Deps, partitions: u16, shutdown: &Shutdown) -> Fanout {
    let (work, received) = mpsc::channel(BATCHES_AHEAD);
    let (acks, pending) = mpsc::channel(PENDING_ACKS);
    let pushed: Arc<[AtomicI64]> = (0..partitions).map(|_| AtomicI64::new(0)).collect();
    let pusher = Pusher {
        bus: deps.bus.clone(),
        acks,
        pushed: pushed.clone(),
    };
    shutdown.spawn("chat fan-out", pusher.work(received));
    shutdown.spawn("chat acks", answer(deps.bus.clone(), pending));
    Fanout { work, pushed }
}

/// A committed private message whose delivery is not known yet.
struct Ack {
    sender: UserId,
    msg_id: String,
    id: i64,
    seq: Seq,
}

enum AckWork {
    Await(PendingReply, Ack),
    Flush(Finished),
}

struct Pusher {
    bus: SharedBus,
    acks: mpsc::Sender<AckWork>,
    pushed: Arc<[AtomicI64]>,
}

impl Pusher {
    async fn work(self, mut received: mpsc::Receiver<Work>) {
        while let Some(work) = received.recv().await {
            match work {
                Work::Batch(batch, outcomes, handed) => self.push(batch, outcomes, handed).await,
                Work::Flush(finished) => {
                    let _ = self.acks.send(AckWork::Flush(finished)).await;
                }
            }
        }
    }

    async fn push(&self, batch: Vec<Incoming>, outcomes: Vec<Outcome>, handed: Handed) {
        for (incoming, outcome) in batch.into_iter().zip(outcomes) {
            let sender = incoming.message.sender_id;
            let msg_id = incoming.message.msg_id.as_str();
            match &outcome {
                Outcome::Committed { .. } => {
                    let span = incoming.span.clone();
                    self.deliver(incoming, &outcome).instrument(span).await;
                }
                Outcome::Repeated { id, seq } => {
                    let ack = server::committed(msg_id, AckStatus::Stored, *id, *seq);
                    publish(&self.bus, sender, payload(vec![plain(ack)])).await;
                }
                Outcome::Refused(code) => {
                    let ack = server::failed(msg_id, *code, code.message());
                    publish(&self.bus, sender, payload(vec![plain(ack)])).await;
                }
            }
        }
        if let Err(error) = self.bus.flush().await {
            tracing::warn!(%error, "pushes are not confirmed; they are repeated by whoever owns the partition next");
            return;
        }
        for (partition, id) in handed {
            if let Some(known) = self.pushed.get(usize::from(partition)) {
                known.fetch_max(id, Ordering::Relaxed);
            }
        }
    }

    async fn deliver(&self, incoming: Incoming, outcome: &Outcome) {
        let Outcome::Committed {
            id,
            seq,
            at,
            members,
        } = outcome
        else {
            return;
        };
        let message = incoming.message;
        let group_id = incoming.key.group();
        let frame = MessageFrame {
            kind: server::message_kind(incoming.key),
            id: *id,
            seq: *seq,
            conversation: &message.conversation,
            msg_id: &message.msg_id,
            from: &message.sender,
            to: group_id.is_none().then_some(message.recipient.as_str()),
            group_id,
            content: &message.content,
            created_at: *at,
            recalled: false,
            edited_at: None,
        };
        let frame = PushFrame {
            json: frame.encode().into(),
            conversation: message.conversation.clone(),
            seq: *seq,
        };
        let ack = |status| plain(server::committed(&message.msg_id, status, *id, *seq));
        match incoming.key {
            ConversationKey::Group(_) => {
                let to_others = payload(vec![frame.clone()]);
                let others = members
                    .iter()
                    .flat_map(|m| m.ids())
                    .filter(|&user| user != message.sender_id);
                for user in others {
                    publish(&self.bus, user, to_others.clone()).await;
                }
                publish(
                    &self.bus,
                    message.sender_id,
                    payload(vec![frame, ack(AckStatus::Stored)]),
                )
                .await;
            }
            ConversationKey::Direct(..) => {
                let push = payload(vec![frame.clone()]);
                let subject = Subject::User(message.recipient_id);
                let reply = match self
                    .bus
                    .request(&subject, push.clone(), DELIVERY_TIMEOUT)
                    .await
                {
                    Ok(reply) if !reply.is_no_responders() => Some(reply),
                    Ok(_) => None,
                    Err(error) => {
                        tracing::warn!(%error, "a message could not be pushed; its recipient finds it on the next sync");
                        None
                    }
                };
                let to_self = message.recipient_id == message.sender_id;
                match reply {
                    None => {
                        let echo = payload(vec![frame, ack(AckStatus::Stored)]);
                        publish(&self.bus, message.sender_id, echo).await;
                    }
                    Some(reply) => {
                        if !to_self {
                            publish(&self.bus, message.sender_id, push).await;
                        }
                        let ack = Ack {
                            sender: message.sender_id,
                            msg_id: message.msg_id,
                            id: *id,
                            seq: *seq,
                        };
                        let _ = self.acks.send(AckWork::Await(reply, ack)).await;
                    }
                }
            }
        }
    }
}

/// Waits for the recipients' gateways, many at a time, and answers the senders.
async fn answer(bus: SharedBus, mut work: mpsc::Receiver<AckWork>) {
    let mut pending = FuturesUnordered::new();
    let mut flush: Vec<Finished> = Vec::new();
    loop {
        tokio::select! {
            received = work.recv(), if pending.len() < PENDING_ACKS => match received {
                Some(AckWork::Await(reply, ack)) => pending.push(async move { (reply.wait().await, ack) }),
                Some(AckWork::Flush(finished)) => flush.push(finished),
                None => break,
            },
            Some((reply, ack)) = pending.next(), if !pending.is_empty() => {
                let status = if reply.is_ok() { AckStatus::Delivered } else { AckStatus::Stored };
                let frame = server::committed(&ack.msg_id, status, ack.id, ack.seq);
                publish(&bus, ack.sender, payload(vec![plain(frame)])).await;
            }
        }
        if pending.is_empty() {
            for Finished(done) in flush.drain(..) {
                let _ = done.send(());
            }
        }
    }
}

/// A frame that is no entry of a conversation's log.
fn plain(json: String) -> PushFrame {
    PushFrame {
        json: json.into(),
        conversation: String::new(),
        seq: 0,
    }
}

/// Frames for one user's sockets, encoded.
pub(crate) fn payload(frames: Vec<PushFrame>) -> Bytes {
    Push {
        frames,
        control: None,
    }
    .encode_to_vec()
    .into()
}

/// Publishes to a user; a loss is found by the next comparison with the store.
pub(crate) async fn publish(bus: &SharedBus, user: UserId, payload: Bytes) {
    if let Err(error) = bus.publish(&Subject::User(user), payload).await {
        tracing::warn!(%error, "a push was lost; its receiver finds it on the next sync");
    }
}
