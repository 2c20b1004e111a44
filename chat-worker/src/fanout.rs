//! Pushes what was committed to its members' subjects, and answers the senders, while the lane commits the next batch.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lingxi_bus::{PendingReply, SharedBus, Subject};
use lingxi_domain::frame::server::{self, AckStatus};
use lingxi_domain::{ConversationKey, Seq, UserId};
use lingxi_im::Im;
use lingxi_proto::bus::{Push, PushFrame};
use lingxi_runtime::shutdown::Shutdown;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::Instrument as _;

use crate::Deps;
use crate::batch::{Incoming, Outcome};
use crate::lane::Handed;
use crate::reach::{Doubt, Reach};

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

/// Something of a partition may not have been pushed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Doubtful {
    pub(crate) partition: u16,
    /// Everything up to this id was pushed.
    pub(crate) upto: i64,
    doubt: Doubt,
}

/// The way to the fan-out task, and what it has done.
#[derive(Clone)]
pub(crate) struct Fanout {
    work: mpsc::Sender<Work>,
    reach: Arc<[Mutex<Reach>]>,
}

impl Fanout {
    /// Hands a committed batch over; waits while too many are ahead of it. Behind it, everything up to the ids that it gave
    /// out has been pushed, or is in doubt.
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
        self.reach(partition, |reach| reach.upto())
    }

    /// A lease says that everything of its partition up to `id` was pushed.
    pub(crate) fn begin(&self, partition: u16, id: i64) {
        self.reach(partition, |reach| reach.begin(id));
    }

    /// It is not sure that everything that was committed in the partition has been pushed.
    pub(crate) fn doubt(&self, partition: u16) -> Doubtful {
        self.reach(partition, |reach| Doubtful {
            partition,
            upto: reach.upto(),
            doubt: reach.doubt(),
        })
    }

    /// What is in doubt.
    pub(crate) fn doubtful(&self) -> Vec<Doubtful> {
        let doubtful = |(partition, reach): (u16, &Mutex<Reach>)| {
            let reach = reach.lock();
            reach.in_doubt().map(|doubt| Doubtful {
                partition,
                upto: reach.upto(),
                doubt,
            })
        };
        (0..).zip(self.reach.iter()).filter_map(doubtful).collect()
    }

    /// Everything from what was sure up to `id` was pushed again. What has come into doubt since stays so.
    pub(crate) fn settle(&self, doubtful: Doubtful, id: i64) {
        self.reach(doubtful.partition, |reach| {
            reach.settle(doubtful.doubt, id);
        });
    }

    fn reach<T: Default>(&self, partition: u16, with: impl FnOnce(&mut Reach) -> T) -> T {
        let reach = self.reach.get(usize::from(partition));
        reach.map_or_else(T::default, |reach| with(&mut reach.lock()))
    }
}

/// Starts the fan-out of one worker. It ends when every handle to it is gone.
pub(crate) fn start(deps: &Deps, partitions: u16, shutdown: &Shutdown) -> Fanout {
    let (work, received) = mpsc::channel(BATCHES_AHEAD);
    let (acks, pending) = mpsc::channel(PENDING_ACKS);
    let reach: Arc<[Mutex<Reach>]> = (0..partitions).map(|_| Mutex::default()).collect();
    let pusher = Pusher {
        bus: deps.bus.clone(),
        im: deps.im.clone(),
        losses: deps.bus.losses(),
        acks,
        reach: reach.clone(),
    };
    shutdown.spawn("chat fan-out", pusher.work(received));
    shutdown.spawn("chat acks", answer(deps.bus.clone(), pending));
    Fanout { work, reach }
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
    im: Im,
    losses: watch::Receiver<u64>,
    acks: mpsc::Sender<AckWork>,
    reach: Arc<[Mutex<Reach>]>,
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
        let losses = *self.losses.borrow();
        let mut sure = true;
        for (incoming, outcome) in batch.into_iter().zip(outcomes) {
            let sender = incoming.message.sender_id;
            let msg_id = incoming.message.msg_id.as_str();
            match &outcome {
                Outcome::Committed { .. } => {
                    let span = incoming.span.clone();
                    sure &= self.deliver(incoming, &outcome).instrument(span).await;
                }
                // An ACK that is lost is asked for again by a repeat.
                Outcome::Repeated { id, seq } => {
                    let ack = server::committed(msg_id, AckStatus::Stored, *id, *seq);
                    publish(&self.bus, sender, Push::of(vec![PushFrame::plain(ack)])).await;
                }
                Outcome::Refused(code) => {
                    let ack = server::failed(msg_id, *code, code.message());
                    publish(&self.bus, sender, Push::of(vec![PushFrame::plain(ack)])).await;
                }
            }
        }
        if let Err(error) = self.bus.flush().await {
            tracing::warn!(%error, "pushes are not confirmed; they are repeated");
            sure = false;
        }
        // What went into a connection that was lost, and is another one now, went nowhere.
        sure &= losses == *self.losses.borrow();
        for (partition, id) in handed {
            let Some(reach) = self.reach.get(usize::from(partition)) else {
                continue;
            };
            let mut reach = reach.lock();
            if sure {
                reach.pushed(id);
            } else {
                reach.doubt();
            }
        }
    }

    /// Answers whether all of it was handed to the bus.
    async fn deliver(&self, incoming: Incoming, outcome: &Outcome) -> bool {
        let Outcome::Committed {
            id,
            seq,
            at,
            members,
        } = outcome
        else {
            return true;
        };
        let mut sure = true;
        let entry = incoming
            .entry(*id, *seq, *at)
            .stored(&incoming.message.sender, None);
        let message = incoming.message;
        let frame = self.im.frames().of_one(&entry, Some(&message.recipient));
        let ack = |status| PushFrame::plain(server::committed(&message.msg_id, status, *id, *seq));
        match incoming.key {
            ConversationKey::Group(_) => {
                let to_others = Push::of(vec![frame.clone()]);
                let others = members
                    .iter()
                    .flat_map(|m| m.ids())
                    .filter(|&user| user != message.sender_id);
                for user in others {
                    sure &= publish(&self.bus, user, to_others.clone()).await;
                }
                sure &= publish(
                    &self.bus,
                    message.sender_id,
                    Push::of(vec![frame, ack(AckStatus::Stored)]),
                )
                .await;
            }
            ConversationKey::Direct(..) => {
                let push = Push::of(vec![frame.clone()]);
                let subject = Subject::User(message.recipient_id);
                let reply = match self
                    .bus
                    .request(&subject, push.clone(), DELIVERY_TIMEOUT)
                    .await
                {
                    Ok(reply) if !reply.is_no_responders() => Some(reply),
                    Ok(_) => None,
                    Err(error) => {
                        tracing::warn!(%error, "a message could not be pushed; it is pushed again");
                        sure = false;
                        None
                    }
                };
                let to_self = message.recipient_id == message.sender_id;
                match reply {
                    None => {
                        let echo = Push::of(vec![frame, ack(AckStatus::Stored)]);
                        sure &= publish(&self.bus, message.sender_id, echo).await;
                    }
                    Some(reply) => {
                        if !to_self {
                            sure &= publish(&self.bus, message.sender_id, push).await;
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
        sure
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
                publish(&bus, ack.sender, Push::of(vec![PushFrame::plain(frame)])).await;
            }
        }
        if pending.is_empty() {
            for Finished(done) in flush.drain(..) {
                let _ = done.send(());
            }
        }
    }
}

/// Publishes to a user. Answers whether the bus took it.
pub(crate) async fn publish(bus: &SharedBus, user: UserId, payload: Bytes) -> bool {
    let published = bus.publish(&Subject::User(user), payload).await;
    if let Err(error) = &published {
        tracing::warn!(%error, "the bus did not take a push");
    }
    published.is_ok()
}
