//! What the system says of a disk that fails: that it takes nothing, that it is not ready, and soon after, that it is well.
//!
//! A database server may end itself on such a disk, or hang at its next start; here it has a supervisor that asks whether
//! it is there. The processes of the system are not started again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinHandle;

use super::board::Board;
use super::nemesis::Nemesis;
use super::plan::{Blow, Fault, Wave, roles};
use crate::harness::{DiskFault, Kind, Rest, User};

/// From the disk's failing to the first 503 of a `/readyz`.
const TOLD: Duration = Duration::from_secs(5);
/// From its end until everything is ready, and messages are acknowledged.
const BACK: Duration = Duration::from_secs(10);
/// How long the database takes nothing before senders are told.
const PATIENCE: Duration = Duration::from_secs(2);
/// A database server that does not listen so long after its start hangs.
const HANGS: Duration = Duration::from_secs(3);
/// How often its supervisor looks.
const AGAIN: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(50);
const ANSWER: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
struct Heard {
    /// The first time that somebody was told `unavailable`, before the disk was well.
    refused: Option<Instant>,
    /// Of each process, the first 503 of its `/readyz`.
    not_ready: Vec<Option<Instant>>,
    /// Of each process, since when it has said nothing but that it is ready.
    ready: Vec<Option<Instant>>,
    mended: Option<Instant>,
    /// ACKs until then, and when there was one more.
    acked: u64,
    stored: Option<Instant>,
}

impl Heard {
    fn refuse(&mut self) {
        if self.mended.is_none() {
            self.refused.get_or_insert(Instant::now());
        }
    }
}

/// Asks everybody all the time, until it is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    begun: Instant,
    heard: Arc<Mutex<Heard>>,
    asking: Vec<JoinHandle<()>>,
}

impl Watch {
    fn begin(processes: Vec<String>, user: &User, door: String, board: &Arc<Board>) -> Self {
        let heard = Heard {
            not_ready: vec![None; processes.len()],
            ready: vec![None; processes.len()],
            ..Heard::default()
        };
        let heard = Arc::new(Mutex::new(heard));
        let http = &user.rest.http;
        let mut asking: Vec<_> = processes
            .into_iter()
            .enumerate()
            .map(|(node, url)| tokio::spawn(ask(http.clone(), url, node, Arc::clone(&heard))))
            .collect();
        let rest = Rest::new(http.clone(), door).with_token(&user.token);
        asking.push(tokio::spawn(probe(rest, Arc::clone(&heard))));
        asking.push(tokio::spawn(follow(Arc::clone(board), Arc::clone(&heard))));
        Self {
            begun: Instant::now(),
            heard,
            asking,
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }

    /// Whether all is well since the disk is.
    pub(super) fn is_back(&self) -> bool {
        self.back().is_some()
    }

    /// How long after the disk everything was well.
    fn back(&self) -> Option<Duration> {
        let heard = self.heard();
        let (mended, stored) = (heard.mended?, heard.stored?);
        let mut last = stored;
        for ready in &heard.ready {
            last = last.max((*ready)?);
        }
        Some(last.duration_since(mended))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for asking in &self.asking {
            asking.abort();
        }
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process's `/readyz`, again and again.
async fn ask(http: reqwest::Client, url: String, node: usize, heard: Arc<Mutex<Heard>>) {
    loop {
        let begun = Instant::now();
        let answer = http.get(&url).timeout(ANSWER).send().await;
        let status = answer.map(|answer| answer.status().as_u16()).ok();
        {
            let mut heard = lock(&heard);
            if status == Some(503) {
                heard.not_ready[node].get_or_insert(Instant::now());
            }
            let mended = heard.mended;
            let ready = &mut heard.ready[node];
            if status != Some(200) {
                *ready = None;
            } else if mended.is_some_and(|mended| begun >= mended) {
                ready.get_or_insert(Instant::now());
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Something small that is written, and answered whatever becomes of it, also where nobody says anything.
async fn probe(rest: Rest, heard: Arc<Mutex<Heard>>) {
    loop {
        let request = rest.request(Method::PUT, "user/settings").timeout(ANSWER);
        let request = request.json(&json!({"who_may_invite": "everyone"}));
        if let Ok(answer) = request.send().await
            && answer.status() == 503
            && answer
                .text()
                .await
                .is_ok_and(|body| body.contains("\"unavailable\""))
        {
            lock(&heard).refuse();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What senders of messages hear.
async fn follow(board: Arc<Board>, heard: Arc<Mutex<Heard>>) {
    let before = board.lock().put_off;
    loop {
        let (put_off, acked) = {
            let shared = board.lock();
            (shared.put_off, shared.acked)
        };
        {
            let mut heard = lock(&heard);
            if put_off > before {
                heard.refuse();
            }
            if heard.mended.is_some() && acked > heard.acked {
                heard.stored.get_or_insert(Instant::now());
            }
        }
        tokio::time::sleep(PAUSE / 5).await;
    }
}

impl Nemesis<'_> {
    pub(super) fn strike_disk(&mut self, blow: &Blow) {
        let full = blow.fault == Fault::FullDisk;
        self.board.order(|orders| orders.large = full);
        let door = format!("http://{}", self.lx.edges[0].address());
        let processes = self.lx.readiness();
        self.watch = Some(Watch::begin(processes, &self.prober, door, &self.board));
        self.database = self.lx.backends.as_ref().map(|_| Instant::now());
        let fault = blow.of_the_disk().expect("a fault of the disk");
        self.lx.failing_disk().strike(fault);
    }

    pub(super) fn mend_disk(&mut self) {
        self.lx.failing_disk().mend();
        self.board.order(|orders| orders.large = false);
        if let Some(watch) = &self.watch {
            let acked = self.board.lock().acked;
            let mut heard = watch.heard();
            (heard.mended, heard.acked) = (Some(Instant::now()), acked);
        }
    }

    /// Starts a database server again that has ended itself on its disk, or hangs since a start on it.
    pub(super) async fn supervise_database(&mut self) {
        let Some(again) = self.database else { return };
        if Instant::now() < again {
            return;
        }
        let server = self.lx.server_mut(Kind::MariaDb);
        self.database = Some(Instant::now() + AGAIN);
        if server.process.ended().is_none() {
            if server.process.started.elapsed() < HANGS || server.listens() {
                return;
            }
            server.process.kill9().await;
        }
        server.respawn();
    }

    /// Whether what was promised for a disk that fails was kept. What is told meanwhile, and how soon all is well, is judged
    /// where nothing else was broken.
    pub(super) fn judge(&self, wave: &Wave, watch: &Watch, recovered: Option<Duration>) {
        let broken = |name, what: String| self.board.incident(name, format!("{what}: {wave}"));
        let back = watch.back();
        if back.is_none() {
            broken("NotBack", "never after the disk was well".to_owned());
        }
        let [blow] = &wave.blows[..] else { return };
        let Some(fault) = blow.of_the_disk() else {
            return;
        };
        let after = |at: Option<Instant>| at.map(|at| at.duration_since(watch.begun));
        let (refused, told, lasted) = {
            let heard = watch.heard();
            let told: Vec<_> = heard.not_ready.iter().map(|at| after(*at)).collect();
            (after(heard.refused), told, after(heard.mended))
        };
        println!(
            "         {blow:?}: refused after {refused:.1?}, not ready after {told:.1?}, back {back:.1?} after its end; \
             recovered {recovered:.1?}"
        );
        if back.is_some_and(|back| back > BACK) {
            broken("NotBack", format!("{back:?} after the disk was well"));
        }
        if !self.lx.failing_disk().was_met() {
            broken("NotMet", "nothing touched the disk".to_owned());
        }
        if matches!(fault, DiskFault::Slow(_)) {
            // It may be quick enough.
            return;
        }
        let Some(refused) = refused else {
            return broken("NotRefused", "nobody heard `unavailable`".to_owned());
        };
        let roles = roles(self.lx.mode());
        let (begun, who) = match fault {
            // Some room was left; and on a server, each process knows of its own writes alone.
            DiskFault::Full => (refused.saturating_sub(PATIENCE), "chat-worker"),
            _ => (Duration::ZERO, ""),
        };
        let lasted = lasted.unwrap_or_default();
        for (role, told) in roles.iter().zip(told) {
            let asked = *role == "all" || role.contains(who);
            if asked && told.is_none_or(|told| told > begun + TOLD) && lasted > begun + TOLD {
                broken("NotTold", format!("{role} not ready after {told:?}"));
            }
        }
    }
}
