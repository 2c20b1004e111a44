//! Work queues: a durable consumer per lane, shared by all workers, with explicit acknowledgements.
//!
//! A job counts as held while its worker says so every few seconds. One that dies says nothing, and its jobs are given
//! out again after [`HELD`].

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::api::{self, Ignored};
use super::delivery::Delivery;
use super::headers;
use super::held::{Held, tell};
use super::link::Link;
use super::log;
use super::names::StreamName;
use super::reader::{nanos, pull};
use crate::{Error, Job, Lane, Result};

/// How long a job stays with a worker that says nothing.
const HELD: Duration = Duration::from_secs(3);
/// How long one request for a job stands, and how often the server says that it does.
const EXPIRES: Duration = Duration::from_secs(5);
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Without a sign of life for so long, what was asked for is asked for anew.
const SILENCE: Duration = Duration::from_secs(3);
/// How long the server may take to say that there is nothing.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Pause while the queue is not there.
const PAUSE: Duration = Duration::from_millis(200);
/// After how long a job of another schema version is offered to others.
const NOT_FOR_ME: &str = "-NAK {\"delay\": 5000000000}";
/// Workers that may wait at one lane.
const MAX_WAITING: u32 = 8192;

/// Makes the consumer of a lane be there.
pub(super) async fn declare(link: &Link, lane: Lane) -> Result<()> {
    let stream = link.names.stream(StreamName::Ai);
    let name = lane.as_str();
    let request = json!({
        "stream_name": stream,
        "config": {
            "name": name,
            "durable_name": name,
            "description": "Lingxi: AI workers",
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": nanos(HELD),
            // Attempts are counted on the run's row.
            "max_deliver": -1,
            "max_ack_pending": -1,
            "max_waiting": MAX_WAITING,
            "replay_policy": "instant",
            "filter_subject": link.names.lane(lane),
        },
    });
    let call = format!("CONSUMER.CREATE.{stream}.{name}");
    match api::call::<Ignored>(link, &call, Some(&request)).await {
        Ok(Ignored {}) => Ok(()),
        Err(api::Failure::Refused { code, description })
            if code != api::code::SYSTEM_UNAVAILABLE =>
        {
            Err(Error::Setup(format!(
                "stream {stream}: its consumer {name} is refused: {description} ({code}); delete it with `nats consumer rm {stream} {name}`"
            )))
        }
        Err(other) => Err(other.into()),
    }
}

pub(super) async fn enqueue(link: &Link, lane: Lane, payload: Bytes) -> Result<()> {
    log::keep(link, link.names.lane(lane), payload).await?;
    Ok(())
}

/// See [`crate::Bus::dequeue`]. A task of its own asks the server, and outlives the future: what was on its way when the
/// future was dropped is given back at once instead of staying away for [`HELD`].
pub(super) async fn dequeue(link: &Arc<Link>, lanes: &[Lane]) -> Result<Job> {
    let (hand, job) = oneshot::channel();
    let fetcher = Fetcher {
        link: link.clone(),
        inbox: format!("_INBOX.job.{:032x}", rand::random::<u128>()),
        lanes: lanes.iter().map(|&lane| (lane, false)).collect(),
    };
    link.spawn(fetcher.work(hand));
    job.await
        .map_err(|_| Error::Unavailable("the bus is closed".to_owned()))
}

struct Fetcher {
    link: Arc<Link>,
    inbox: String,
    /// In the order of their urgency, and whether a request for a job stands there.
    lanes: Vec<(Lane, bool)>,
}

impl Fetcher {
    async fn work(mut self, mut hand: oneshot::Sender<Job>) {
        let Some(mut messages) = self.listen(&hand).await else {
            return;
        };
        let job = tokio::select! {
            job = self.find(&mut messages) => Some(job),
            () = hand.closed() => None,
        };
        if let Some(job) = job {
            // Nobody there any more: the job is dropped, and so given back.
            let _ = hand.send(job);
        }
        self.give_back(messages).await;
    }

    async fn listen(&self, hand: &oneshot::Sender<Job>) -> Option<Subscriber> {
        loop {
            if self.link.is_settled()
                && let Ok(messages) = self
                    .link
                    .client
                    .subscribe(format!("{}.*", self.inbox))
                    .await
            {
                return Some(messages);
            }
            if hand.is_closed() {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn find(&mut self, messages: &mut Subscriber) -> Job {
        let mut settled = self.link.settled.subscribe();
        loop {
            if let Some(job) = self.look(messages).await {
                return job;
            }
            tokio::select! {
                job = self.wait(messages) => if let Some(job) = job { return job },
                // What stood with the former connection is gone.
                _ = settled.changed() => {}
            }
            self.lanes
                .iter_mut()
                .for_each(|(_, stands)| *stands = false);
        }
    }

    /// Takes what is there, the most urgent lane first.
    async fn look(&mut self, messages: &mut Subscriber) -> Option<Job> {
        for index in 0..self.lanes.len() {
            if self.ask(index, None).await.is_err() {
                tokio::time::sleep(PAUSE).await;
                return None;
            }
            while self.lanes.get(index).is_some_and(|(_, stands)| *stands) {
                let Ok(Some(message)) = timeout(AT_ONCE, messages.next()).await else {
                    break;
                };
                if let Some(job) = self.receive(message).await {
                    return Some(job);
                }
            }
        }
        None
    }

    /// Waits at all lanes; `None` when it should be looked at anew.
    async fn wait(&mut self, messages: &mut Subscriber) -> Option<Job> {
        loop {
            for index in 0..self.lanes.len() {
                if self.lanes.get(index).is_some_and(|(_, stands)| !stands) {
                    let wait = Some((EXPIRES, HEARTBEAT));
                    if self.ask(index, wait).await.is_err() {
                        tokio::time::sleep(PAUSE).await;
                        return None;
                    }
                }
            }
            let message = timeout(SILENCE, messages.next()).await.ok()??;
            if let Some(job) = self.receive(message).await {
                return Some(job);
            }
        }
    }

    async fn ask(&mut self, index: usize, wait: Option<(Duration, Duration)>) -> Result<()> {
        let Some((lane, stands)) = self.lanes.get_mut(index) else {
            return Ok(());
        };
        let stream = self.link.names.stream(StreamName::Ai);
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{}", lane.as_str());
        let inbox = format!("{}.{}", self.inbox, lane.as_str());
        pull(&self.link, subject, &inbox, 1, wait).await?;
        *stands = true;
        Ok(())
    }

    /// A job, or a word about what was asked for.
    async fn receive(&mut self, message: Message) -> Option<Job> {
        let subject = message.subject.clone();
        let lane = Lane::ALL
            .into_iter()
            .find(|lane| subject.as_str().ends_with(lane.as_str()))?;
        let ended = |lanes: &mut Vec<(Lane, bool)>| {
            lanes
                .iter_mut()
                .filter(|(of, _)| *of == lane)
                .for_each(|(_, stands)| *stands = false);
        };
        match Delivery::of(message) {
            Delivery::Heartbeat(_) => None,
            Delivery::Over(_) => {
                ended(&mut self.lanes);
                None
            }
            Delivery::Gone => {
                ended(&mut self.lanes);
                self.link.suspect();
                tokio::time::sleep(PAUSE).await;
                None
            }
            Delivery::Message(message, _) => {
                ended(&mut self.lanes);
                let reply = message.reply?;
                match headers::incoming(message.headers.as_ref(), &subject) {
                    Some(trace) => Some(Job {
                        payload: message.payload,
                        lane,
                        trace,
                        guard: Box::new(Held::keep(&self.link, reply)),
                    }),
                    None => {
                        tell(&self.link, &reply, NOT_FOR_ME).await.ok()?;
                        None
                    }
                }
            }
        }
    }

    /// Waits until nothing stands any more; jobs that come on the way go back.
    async fn give_back(mut self, mut messages: Subscriber) {
        let until = Instant::now() + EXPIRES + AT_ONCE;
        while self.lanes.iter().any(|(_, stands)| *stands) {
            let Ok(Some(message)) = timeout_at(until, messages.next()).await else {
                return;
            };
            drop(self.receive(message).await);
        }
    }
}
