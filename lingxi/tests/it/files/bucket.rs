//! Files in a bucket of an S3-compatible store.

use lingxi_files::{BucketOptions, conformance};
use serde_json::json;

use super::below;
use crate::harness::{Mode, png, until};

behaviours!(a_bucket_serves_every_gateway);

async fn a_bucket_serves_every_gateway(mode: Mode) {
    let endpoint = std::env::var("LINGXI_TEST_S3_URL");
    let endpoint = endpoint.expect("LINGXI_TEST_S3_URL: run ./test, which starts a server");
    let options = BucketOptions {
        bucket: format!("lingxi-{}", uuid::Uuid::new_v4().simple()),
        endpoint: Some(endpoint.clone()),
        ..BucketOptions::default()
    };
    conformance::make_bucket(&options).await;
    let lx = mode
        .with(
            "LINGXI__FILES__URL",
            format!("s3://{}/some", options.bucket),
        )
        .with("LINGXI__FILES__ENDPOINT", endpoint)
        .with("LINGXI__FILES__KEY", "key")
        .with("LINGXI__FILES__SECRET", "secret")
        .with("LINGXI__FILES__UNSENT_SECONDS", 2)
        .start()
        .await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let picture = alice.upload("x.png", "", &png(400, 400)).await.ok();
    let picture = picture["id"].as_u64().expect("an id");
    let large: Vec<u8> = (0..12_000_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = alice.upload("x.bin", "", &large).await.ok();
    let sent = sent["id"].as_u64().expect("an id");
    let mut a = alice.connect().await;
    a.send(json!({"type": 2, "msg_id": "m1", "to": "bob", "file": sent}))
        .await;
    a.stored("m1").await;
    assert!(bob.file(sent).await.bytes == large);
    let part = [("range", "bytes=6000000-6000009")];
    let part = bob.rest.fetch(&format!("file/{sent}"), &part).await;
    assert_eq!(
        (part.status, &part.bytes[..]),
        (206, &large[6_000_000..6_000_010])
    );
    until("what nobody needs is swept", async || {
        alice.file(picture).await.status == 404
    })
    .await;
    assert_eq!(bob.file(sent).await.status, 200);
    // On their way they were in the data folder, and are no more.
    let left = below(&lx.folder().join("data/incoming"));
    assert!(left.is_empty(), "{left:?}");
}
