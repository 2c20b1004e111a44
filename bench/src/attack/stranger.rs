//! People who have nothing to do with the attack, in pairs: one writes to the other and asks the server things, at a quiet pace
//! and from an address of their own, and notices how long it takes.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::stage::Stage;
use crate::{
    client::{Account, Endpoint, Frame, Received, Socket, Wake, socket::PORTS_AN_ADDRESS},
    latency::{Latency, Times},
};

/// Pairs of them: enough for a 99th percentile of some seconds to be more than the one slowest.
const PAIRS: usize = 8;
/// Between two messages of a pair, and between two requests: well below anybody's limit.
const PACE: Duration = Duration::from_millis(100);
/// What has no answer by then is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// The last number of the address that they come from.
const ADDRESS: u8 = 9;

/// What strangers noticed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Felt {
    /// From a message to its ACK.
    pub(super) ack: Latency,
    /// From a request to its answer.
    pub(super) request: Latency,
    /// Messages and requests without an answer in ten seconds, or refused.
    pub(super) lost: u64,
}

#[derive(Debug)]
struct Noticed {
    ack: Times,
    request: Times,
    lost: u64,
}

/// The strangers, for as long as this lives.
pub(super) struct Strangers {
    noticed: Arc<Mutex<Noticed>>,
    gone: CancellationToken,
}

impl Noticed {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            ack: Times::new()?,
            request: Times::new()?,
            lost: 0,
        })
    }
}

impl Strangers {
    pub(super) async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let noticed = Arc::new(Mutex::new(Noticed::new()?));
        let people = stage.several(2 * PAIRS).await?;
        let lives = people.as_chunks::<2>().0.iter().cloned().enumerate();
        let lives: Vec<_> = lives
            .map(|(number, pair)| live(stage.endpoint.clone(), number, pair, noticed.clone()))
            .collect();
        let gone = CancellationToken::new();
        let life = gone
            .clone()
            .run_until_cancelled_owned(futures_util::future::join_all(lives));
        // A thread of their own: the attacker's work must not be taken for the server's.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("strangers".into())
            .spawn(move || runtime.block_on(life))?;
        Ok(Self { noticed, gone })
    }

    /// Forgets what was noticed so far.
    pub(super) fn begin(&self) {
        if let Ok(fresh) = Noticed::new() {
            *self.noticed.lock() = fresh;
        }
    }

    pub(super) fn felt(&self) -> Felt {
        let noticed = self.noticed.lock();
        Felt {
            ack: noticed.ack.quantiles(),
            request: noticed.request.quantiles(),
            lost: noticed.lost,
        }
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

async fn live(
    endpoint: Endpoint,
    number: usize,
    [writer, reader]: [Account; 2],
    noticed: Arc<Mutex<Noticed>>,
) {
    // They don't all speak at the same moment.
    tokio::time::sleep(PACE.mul_f64(number as f64 / PAIRS as f64)).await;
    let to = reader.username.clone();
    tokio::join!(
        talk(endpoint.clone(), writer.clone(), to, noticed.clone()),
        listen(endpoint.clone(), reader),
        ask(endpoint, writer, noticed),
    );
}

async fn connect(endpoint: &Endpoint, account: &Account) -> Socket {
    let number = PORTS_AN_ADDRESS * (usize::from(ADDRESS) - 1);
    loop {
        match Socket::connect(endpoint, &account.token, number).await {
            Ok(socket) => return socket,
            Err(_) => tokio::time::sleep(PACE).await,
        }
    }
}

/// Writes a message every so often and times its ACK.
async fn talk(endpoint: Endpoint, me: Account, to: String, noticed: Arc<Mutex<Noticed>>) {
    let mut number = 0_u64;
    loop {
        let mut socket = connect(&endpoint, &me).await;
        let mut waiting: HashMap<Vec<u8>, Instant> = HashMap::new();
        let mut due = Instant::now();
        let mut open = true;
        while open {
            let now = Instant::now();
            if now >= due {
                let msg_id = format!("s{to}-{number}");
                number += 1;
                let text =
                    format!(r#"{{"type":2,"msg_id":"{msg_id}","to":"{to}","content":"hello"}}"#);
                socket.outbox.text(text.as_bytes());
                waiting.insert(msg_id.into_bytes(), now);
                due = now + PACE;
            }
            let before = waiting.len();
            waiting.retain(|_, since| since.elapsed() < PATIENCE);
            noticed.lock().lost += (before - waiting.len()) as u64;
            let mut timer = pin!(sleep_until(due));
            open = match socket.wait(timer.as_mut()).await {
                Ok(Wake::Readable) => socket
                    .receive(|received, _| {
                        if let Received::Text(text) = received
                            && let Some(frame) = Frame::scan(text)
                            && frame.kind == 3
                            && let Some(since) = waiting.remove(frame.msg_id)
                        {
                            let mut noticed = noticed.lock();
                            match frame.status {
                                b"failed" => noticed.lost += 1,
                                _ => noticed.ack.add(since.elapsed()),
                            }
                        }
                    })
                    .is_ok(),
                Ok(Wake::Closed) | Err(_) => false,
                Ok(Wake::Timer | Wake::Written) => true,
            } && socket.flush().is_ok();
        }
        // The server closed it: what was under way is lost for one who counts.
        noticed.lock().lost += waiting.len() as u64;
    }
}

/// Reads whatever comes.
async fn listen(endpoint: Endpoint, me: Account) {
    loop {
        let mut socket = connect(&endpoint, &me).await;
        let mut open = true;
        while open {
            let mut timer = pin!(sleep_until(Instant::now() + PATIENCE));
            open = match socket.wait(timer.as_mut()).await {
                Ok(Wake::Readable) => socket.receive(|_, _| {}).is_ok(),
                Ok(Wake::Closed) | Err(_) => false,
                Ok(Wake::Timer | Wake::Written) => true,
            } && socket.flush().is_ok();
        }
    }
}

/// Asks for one's own account every so often, each time on a connection that may be new.
async fn ask(endpoint: Endpoint, me: Account, noticed: Arc<Mutex<Noticed>>) {
    let Ok(http) = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, ADDRESS)))
        .build()
    else {
        return;
    };
    let url = format!("{}/api/v1/user/me", endpoint.url);
    let mut due = Instant::now();
    loop {
        sleep_until(due).await;
        due = Instant::now() + PACE;
        let begun = Instant::now();
        let answer = http.get(&url).bearer_auth(&me.token).send().await;
        let good = match answer {
            Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
            Err(_) => false,
        };
        let mut noticed = noticed.lock();
        if good {
            noticed.request.add(begun.elapsed());
        } else {
            noticed.lost += 1;
        }
    }
}
