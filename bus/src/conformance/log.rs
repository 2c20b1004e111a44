//! The chat log.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{SOON, next_entry};
use crate::{LogEntry, SharedBus};

async fn read(entries: &mut mpsc::Receiver<LogEntry>) -> (u64, String) {
    let entry = next_entry(entries).await;
    (
        entry.position,
        String::from_utf8(entry.payload.to_vec()).unwrap(),
    )
}

pub(super) async fn log_by_position(bus: &SharedBus) {
    let info = bus.log_info().await.unwrap();
    assert_eq!(info.last, 0);
    let mut positions = Vec::new();
    for n in 0..10 {
        bus.append(3, format!("other {n}").into()).await.unwrap();
        positions.push(bus.append(2, n.to_string().into()).await.unwrap());
    }
    assert!(positions.windows(2).all(|w| w[0] < w[1]), "{positions:?}");
    let after = bus.log_info().await.unwrap();
    assert_eq!((after.created, after.last), (info.created, positions[9]));

    let (out, mut entries) = mpsc::channel(4);
    let reader = bus.read_log(2, positions[3], 7, out).await.unwrap();
    for (n, position) in positions.iter().enumerate().skip(4) {
        assert_eq!(
            read(&mut entries).await,
            (*position, n.to_string()),
            "from behind the position, in order"
        );
    }
    let live = bus.append(2, "live".into()).await.unwrap();
    assert_eq!(read(&mut entries).await, (live, "live".into()));

    let (out, mut again) = mpsc::channel(64);
    let _again = bus.read_log(2, 0, 0, out).await.unwrap();
    for (n, position) in positions.iter().enumerate() {
        assert_eq!(
            read(&mut again).await,
            (*position, n.to_string()),
            "as often as wanted"
        );
    }
    drop(reader);
    assert_eq!(
        timeout(SOON, entries.recv())
            .await
            .unwrap()
            .map(|e| e.position),
        None,
        "a dropped reader ends"
    );
}

pub(super) async fn log_purged(bus: &SharedBus) {
    let first = bus.append(1, "a".into()).await.unwrap();
    let second = bus.append(1, "b".into()).await.unwrap();
    bus.purge_log(1, first).await.unwrap();
    let (out, mut entries) = mpsc::channel(4);
    let _reader = bus.read_log(1, 0, 0, out).await.unwrap();
    assert_eq!(
        read(&mut entries).await,
        (second, "b".into()),
        "the purged entry is gone, the other is not"
    );
}

pub(super) async fn log_waits_for_its_reader(bus: &SharedBus) {
    const COUNT: usize = 1000;
    let before = bus.log_info().await.unwrap().last;
    let (out, mut entries) = mpsc::channel(1);
    let _reader = bus.read_log(0, before, 42, out).await.unwrap();
    // As one sender appends: one after the other. The reader's channel has room for one of them.
    let mut expected = Vec::new();
    for n in 0..COUNT {
        let position = bus.append(0, n.to_string().into()).await.unwrap();
        expected.push((position, n.to_string()));
    }
    for one in expected {
        assert_eq!(read(&mut entries).await, one, "in the order of appending");
    }
    let last = bus.append(0, "late".into()).await.unwrap();
    let entry = next_entry(&mut entries).await;
    assert_eq!((entry.position, entry.reader), (last, 42));
}

pub(super) async fn appended_at_once(bus: &SharedBus) {
    const COUNT: usize = 500;
    let before = bus.log_info().await.unwrap().last;
    let (out, mut entries) = mpsc::channel(COUNT);
    let mut appending = Vec::new();
    for n in 0..COUNT {
        let bus = bus.clone();
        let partition = u16::try_from(n % 4).unwrap();
        appending.push(tokio::spawn(async move {
            let position = bus.append(partition, n.to_string().into()).await.unwrap();
            (position, n.to_string())
        }));
    }
    let mut expected = BTreeMap::new();
    for appending in appending {
        let (position, text) = timeout(SOON, appending).await.unwrap().unwrap();
        assert_eq!(expected.insert(position, text), None, "positions differ");
    }
    let mut readers = Vec::new();
    for partition in 0..4 {
        readers.push(
            bus.read_log(partition, before, 0, out.clone())
                .await
                .unwrap(),
        );
    }
    let mut got = BTreeMap::new();
    for _ in 0..COUNT {
        let (position, text) = read(&mut entries).await;
        assert_eq!(got.insert(position, text), None, "once");
    }
    assert_eq!(got, expected);
}
