//! Files that nobody needs go, and no others.

use std::time::Duration;

use serde_json::json;

use super::{below, until_kept};
use crate::harness::{Mode, png, until};

behaviours!(
    what_nobody_needs_goes,
    what_a_killed_process_left_is_no_file,
);

async fn what_nobody_needs_goes(mode: Mode) {
    let options = mode.with("LINGXI__FILES__UNSENT_SECONDS", 3);
    let lx = options.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let mut files = Vec::new();
    for number in 0..3 {
        let file = alice.upload("x.png", "image/png", &png(8, 8)).await.ok();
        let (file, msg_id) = (file["id"].as_u64().expect("an id"), format!("m{number}"));
        files.push(file);
        if number < 2 {
            a.send(json!({"type": 2, "msg_id": msg_id, "to": "bob", "content": "", "file": file}))
                .await;
            let (id, _) = a.stored(&msg_id).await;
            if number == 1 {
                alice.post("message/recall", json!({"id": id})).await.ok();
            }
        }
    }
    // The one that was sent stays, with its thumbnail.
    until_kept(&lx, 2).await;
    assert_eq!(bob.file(files[0]).await.status, 200);
    for file in &files[1..] {
        alice.file(*file).await.fails(404, "file_not_found");
        let msg_id = format!("late{file}");
        a.send(json!({"type": 2, "msg_id": msg_id, "to": "bob", "content": "x", "file": file}))
            .await;
        a.refused(&msg_id, "file_not_found").await;
    }
    until("each is swept once", async || {
        let mut swept = 0.0;
        for node in 0..lx.roles().len() {
            let page = lx.http.get(lx.internal_url(node, "/metrics")).send().await;
            let page = page.expect("an answer").text().await.expect("a page");
            let line = page
                .lines()
                .find(|line| line.starts_with("lingxi_files_swept_total"));
            let count = line.and_then(|line| line.split_whitespace().last());
            swept += count.map_or(0.0, |count| count.parse::<f64>().expect("a number"));
        }
        assert!(swept <= 2.0, "{swept}");
        swept > 1.5
    })
    .await;
    assert_eq!(below(&lx.files()).len(), 2);
}

async fn what_a_killed_process_left_is_no_file(mode: Mode) {
    let options = mode.with("LINGXI__FILES__UNSENT_SECONDS", 1);
    let mut lx = options.start().await;
    let left = lx.files().join("incoming/in-left");
    std::fs::write(&left, "half").expect("written");
    let file = std::fs::File::options().write(true).open(&left);
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    file.and_then(|file| file.set_modified(long_ago))
        .expect("another time");
    lx.kill9().await;
    lx.restart().await;
    until_kept(&lx, 0).await;
}
