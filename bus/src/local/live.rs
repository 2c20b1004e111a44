//! Live subjects: a table of listeners, called in place.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::oneshot;

use crate::reply::{PendingKind, ReplierKind};
use crate::{Message, PendingReply, Replier, Sink, Subject, TraceContext};

struct Listener {
    id: u64,
    group: Option<Box<str>>,
    sink: Arc<dyn Sink>,
}

#[derive(Default)]
pub(super) struct Live {
    listeners: RwLock<HashMap<Subject, Vec<Listener>>>,
    next_id: AtomicU64,
    /// Turns among the members of a group.
    turn: AtomicUsize,
}

/// Removes its listener when dropped.
pub(super) struct Guard {
    live: Arc<Live>,
    subject: Subject,
    id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut listeners = self.live.listeners.write();
        if let Some(of_subject) = listeners.get_mut(&self.subject) {
            of_subject.retain(|l| l.id != self.id);
            if of_subject.is_empty() {
                listeners.remove(&self.subject);
            }
        }
    }
}

pub(super) fn subscribe(
    live: &Arc<Live>,
    subject: Subject,
    group: Option<&str>,
    sink: Arc<dyn Sink>,
) -> Guard {
    let id = live.next_id.fetch_add(1, Ordering::Relaxed);
    let listener = Listener {
        id,
        group: group.map(Into::into),
        sink,
    };
    let mut listeners = live.listeners.write();
    // Most subjects have one listener: do not reserve for four.
    listeners
        .entry(subject.clone())
        .or_insert_with(|| Vec::with_capacity(1))
        .push(listener);
    Guard {
        live: live.clone(),
        subject,
        id,
    }
}

impl Live {
    /// The sinks that a message on `subject` goes to: all without a group, and one of each group.
    fn sinks(&self, subject: &Subject) -> Vec<Arc<dyn Sink>> {
        let listeners = self.listeners.read();
        let Some(of_subject) = listeners.get(subject) else {
            return Vec::new();
        };
        let mut chosen: Vec<Arc<dyn Sink>> = Vec::with_capacity(of_subject.len());
        let mut groups: Vec<&str> = Vec::new();
        for listener in of_subject {
            match &listener.group {
                None => chosen.push(listener.sink.clone()),
                Some(group) if !groups.contains(&&**group) => {
                    groups.push(group);
                    let members: Vec<_> = of_subject
                        .iter()
                        .filter(|l| l.group.as_ref() == Some(group))
                        .collect();
                    let turn = self.turn.fetch_add(1, Ordering::Relaxed) % members.len();
                    chosen.push(members[turn].sink.clone());
                }
                Some(_) => {}
            }
        }
        chosen
    }

    pub(super) fn publish(&self, subject: &Subject, payload: Bytes) {
        let trace = TraceContext::current();
        for sink in self.sinks(subject) {
            sink.deliver(
                subject,
                Message {
                    payload: payload.clone(),
                    reply: None,
                    trace: trace.clone(),
                },
            );
        }
    }

    pub(super) fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        timeout: Duration,
    ) -> PendingReply {
        let sinks = self.sinks(subject);
        let Some((first, others)) = sinks.split_first() else {
            return PendingReply(PendingKind::NoResponders);
        };
        let (sender, receiver) = oneshot::channel();
        let trace = TraceContext::current();
        let reply = Some(Replier(ReplierKind::Local(sender)));
        first.deliver(
            subject,
            Message {
                payload: payload.clone(),
                reply,
                trace: trace.clone(),
            },
        );
        // In one process there is one gateway; on a server every listener could answer and the first would count.
        for sink in others {
            sink.deliver(
                subject,
                Message {
                    payload: payload.clone(),
                    reply: None,
                    trace: trace.clone(),
                },
            );
        }
        PendingReply(PendingKind::Local(
            receiver,
            tokio::time::Instant::now() + timeout,
        ))
    }
}
