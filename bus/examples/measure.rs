#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lingxi_bus::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
struct Echo(AtomicU64);
impl Sink for Echo {
    fn deliver(&self, _: &Subject, m: Message) {
        self.0.fetch_add(1, Ordering::Relaxed);
        if let Some(r) = m.reply {
            r.reply(m.payload)
        }
    }
}
fn rss() -> f64 {
    let s = std::fs::read_to_string("/proc/self/statm").unwrap();
    s.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4.0
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split(' ').collect();
    (f[12].parse::<f64>().unwrap() + f[13].parse::<f64>().unwrap()) / 100.0
}
#[tokio::main(worker_threads = 2)]
async fn main() {
    let options = nats::Options {
        url: std::env::var("LINGXI_TEST_NATS_URL").unwrap(),
        namespace: format!("m{}", std::process::id()),
        max_log_bytes: 512 << 20,
        ..Default::default()
    };
    let bus = nats::NatsBus::connect(options.clone()).await.unwrap();
    println!("{}", bus.describe());
    let echo = Arc::new(Echo(AtomicU64::new(0)));
    let _s = bus
        .subscribe(Subject::User(1), None, echo.clone())
        .await
        .unwrap();
    let payload = bytes::Bytes::from(vec![b'x'; 200]);
    let t = Instant::now();
    let n = 300_000;
    for _ in 0..n {
        bus.publish(&Subject::User(2), payload.clone())
            .await
            .unwrap();
    }
    bus.flush().await.unwrap();
    println!(
        "publish, nobody listens: {:.0}/s",
        n as f64 / t.elapsed().as_secs_f64()
    );
    let t = Instant::now();
    let n = 100_000;
    for i in 0..n {
        bus.publish(&Subject::User(1), payload.clone())
            .await
            .unwrap();
        if i % 8000 == 0 {
            bus.flush().await.unwrap();
            while echo.0.load(Ordering::Relaxed) < i {
                tokio::task::yield_now().await
            }
        }
    }
    bus.flush().await.unwrap();
    println!(
        "publish and deliver: {:.0}/s (delivered {}, losses {})",
        n as f64 / t.elapsed().as_secs_f64(),
        echo.0.load(Ordering::Relaxed),
        *bus.losses().borrow()
    );
    for (what, to) in [("answered", 1), ("nobody", 2)] {
        let t = Instant::now();
        let n = 100_000_u32;
        let mut f = FuturesUnordered::new();
        for _ in 0..n {
            if f.len() >= 1000 {
                f.next().await;
            }
            let p = bus
                .request(&Subject::User(to), payload.clone(), Duration::from_secs(2))
                .await
                .unwrap();
            f.push(p.wait());
        }
        let mut failed = 0;
        while let Some(r) = f.next().await {
            if r.is_err() {
                failed += 1
            }
        }
        println!(
            "requests {what}, 1000 in flight: {:.0}/s (last 1000: {failed} without answer)",
            n as f64 / t.elapsed().as_secs_f64()
        );
    }
    let t = Instant::now();
    for _ in 0..2000 {
        let p = bus
            .request(&Subject::User(1), payload.clone(), Duration::from_secs(2))
            .await
            .unwrap();
        p.wait().await.unwrap();
    }
    println!(
        "one request at a time: {:.3} ms",
        t.elapsed().as_secs_f64() / 2.0
    );
    let t = Instant::now();
    let n = 100_000_u32;
    let mut f = FuturesUnordered::new();
    for i in 0..n {
        if f.len() >= 500 {
            let r: Result<u64> = f.next().await.unwrap();
            r.unwrap();
        }
        let bus = bus.clone();
        let p = payload.clone();
        f.push(async move { bus.append(u16::try_from(i % 64).unwrap(), p).await });
    }
    while let Some(r) = f.next().await {
        r.unwrap();
    }
    println!(
        "appends, 500 in flight: {:.0}/s",
        n as f64 / t.elapsed().as_secs_f64()
    );
    let (out, mut entries) = tokio::sync::mpsc::channel(2048);
    let t = Instant::now();
    let mut readers = Vec::new();
    for p in 0..64 {
        readers.push(bus.read_log(p, 0, 0, out.clone()).await.unwrap());
    }
    println!("64 readers opened in {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..n {
        entries.recv().await.unwrap();
    }
    println!(
        "read through 64 readers: {:.0}/s",
        n as f64 / t.elapsed().as_secs_f64()
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    let c = cpu();
    tokio::time::sleep(Duration::from_secs(20)).await;
    println!(
        "idle with 64 readers: {:.2} % of a core",
        (cpu() - c) / 20.0 * 100.0
    );
    drop(readers);
    let n: i64 = 20_000;
    let before = rss();
    let t = Instant::now();
    let subs: Vec<_> = futures_util::stream::iter(0..n)
        .map(|i| bus.subscribe(Subject::User(1000 + i), None, echo.clone()))
        .buffer_unordered(2000)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .map(|s| s.unwrap())
        .collect();
    println!(
        "{n} subscriptions in {:?}: {:.2} KiB each",
        t.elapsed(),
        (rss() - before) / n as f64
    );
    for i in 0..n {
        bus.publish(&Subject::User(1000 + i), payload.clone())
            .await
            .unwrap();
    }
    bus.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!(
        "after one message each: {:.2} KiB each",
        (rss() - before) / n as f64
    );
    let t = Instant::now();
    for i in 0..500 {
        drop(
            bus.subscribe(Subject::User(900_000 + i), None, echo.clone())
                .await
                .unwrap(),
        );
    }
    println!(
        "one subscribe at a time: {:.3} ms",
        t.elapsed().as_secs_f64() * 2.0
    );
    drop(subs);
    conformance::nats::remove(&options).await;
}
