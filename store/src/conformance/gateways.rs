//! Gateways are known as long as they say that they are there.

use crate::Store;
use crate::sql::args;

pub(super) async fn run(store: &Store) {
    let address = async |node: &str| store.gateway_address(node).await.unwrap();
    assert_eq!(address("g1").await, None);
    store
        .announce_gateway("g1", "10.0.0.1:9090", 60_000)
        .await
        .unwrap();
    store
        .announce_gateway("g2", "10.0.0.2:9090", 60_000)
        .await
        .unwrap();
    assert_eq!(address("g1").await.as_deref(), Some("10.0.0.1:9090"));
    // It may have moved.
    store
        .announce_gateway("g1", "10.0.0.3:9090", 60_000)
        .await
        .unwrap();
    assert_eq!(address("g1").await.as_deref(), Some("10.0.0.3:9090"));
    assert_eq!(address("10.0.0.3:9090").await, None);
    store.leave_gateway("g1").await.unwrap();
    assert_eq!(address("g1").await, None);
    // One that died is not known any more, and its row goes in the end.
    let sql = "UPDATE gateways SET expires_at = ? WHERE node = 'g2'";
    store.execute(sql, args![1_i64]).await.unwrap();
    assert_eq!(address("g2").await, None);
    store
        .announce_gateway("g3", "10.0.0.4:9090", 60_000)
        .await
        .unwrap();
    let mut conn = store.reader().await.unwrap();
    let rows = conn
        .fetch("SELECT node FROM gateways ORDER BY node", vec![])
        .await
        .unwrap();
    let left: Vec<_> = rows.iter().map(|row| row.text(0).unwrap()).collect();
    assert!(
        left.contains(&"g3".to_owned()) && !left.contains(&"g2".to_owned()),
        "{left:?}"
    );
    drop(conn);
    store.leave_gateway("g3").await.unwrap();
}
