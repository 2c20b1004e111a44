//! Files that messages bring: who is shown them, and who may read them.

use serde_json::{Value, json};

use crate::harness::{Mode, User, Ws, png};

behaviours!(
    a_picture_and_a_document_are_sent,
    only_ones_own_file_is_sent,
    a_repeat_brings_the_same_file,
    what_is_recalled_is_gone,
    who_comes_later_does_not_see_it,
    a_forwarded_file_is_seen_there,
    an_edit_keeps_the_file,
);

fn to_bob(msg_id: &str, content: &str, file: u64) -> Value {
    json!({"type": 2, "msg_id": msg_id, "to": "bob", "content": content, "file": file})
}

fn in_group(group: u64, msg_id: &str, file: u64) -> Value {
    json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": msg_id, "file": file})
}

async fn sent(ws: &mut Ws, frame: Value) -> (u64, u64) {
    let msg_id = frame["msg_id"].as_str().expect("an id").to_owned();
    ws.send(frame).await;
    ws.stored(&msg_id).await
}

async fn sees(user: &User, file: u64) -> bool {
    let fetched = user.file(file).await;
    if fetched.status != 200 {
        fetched.fails(404, "file_not_found");
    }
    fetched.status == 200
}

async fn a_picture_and_a_document_are_sent(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let picture = png(640, 320);
    let shown = alice.upload("照片.png", "text/html", &picture).await.ok();
    let id = shown["id"].as_u64().expect("an id");
    let size = shown["size"].as_u64().expect("a size");
    let thumbnail = format!("/api/v1/file/{id}/thumbnail");
    assert_eq!(
        shown,
        json!({"id": id, "name": "照片.png", "size": size, "mime": "image/png", "width": 640, "height": 320,
               "thumbnail": thumbnail})
    );
    let document = alice
        .upload("a.pdf", "text/plain", b"%PDF-1.7 ...")
        .await
        .ok();
    let other = document["id"].as_u64().expect("an id");
    assert_eq!(
        document,
        json!({"id": other, "name": "a.pdf", "size": 12, "mime": "application/pdf"})
    );
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let nothing = json!({"type": 2, "msg_id": "m1", "to": "bob", "file": id});
    let (first, seq) = sent(&mut a, nothing).await;
    sent(&mut a, to_bob("m2", "read this", other)).await;
    for ws in [&mut a, &mut b] {
        let frame = ws
            .expect("the picture", |frame| frame["msg_id"] == "m1")
            .await;
        assert_eq!((&frame["file"], &frame["content"]), (&shown, &json!("")));
        let frame = ws.message("read this").await;
        assert_eq!(frame["file"], document);
    }
    let key = bob
        .conversation(&format!(
            "d:{}:{}",
            alice.id.min(bob.id),
            alice.id.max(bob.id)
        ))
        .await;
    assert_eq!(key.expect("a row")["last_message"]["file"], document);
    let history = bob.history("username=alice").await;
    assert_eq!(
        (&history[0]["file"], &history[1]["file"]),
        (&shown, &document)
    );
    // Pulled, and answered.
    let key = history[0]["conversation"].as_str().expect("a key");
    b.send(json!({"type": 7, "cursors": {key: seq - 1}})).await;
    b.expect("the picture again", |frame| frame["file"] == shown)
        .await;
    b.send(json!({"type": 2, "msg_id": "b1", "to": "alice", "content": "nice", "reply_to": first}))
        .await;
    let answer = a.message("nice").await;
    assert_eq!(answer["reply_to"]["file"], shown);
    assert_eq!(
        alice.history("username=bob").await[2]["reply_to"]["file"],
        shown
    );
    // Whoever is on another gateway reads it too.
    for user in [&alice, &bob] {
        let fetched = user.file(id).await;
        assert_eq!(
            (fetched.status, fetched.header("content-type")),
            (200, "image/png")
        );
        assert!(fetched.bytes.len() as u64 == size);
        let small = user.rest.fetch(&thumbnail, &[]).await;
        let small = image::load_from_memory(&small.bytes).expect("a picture");
        assert_eq!((small.width(), small.height()), (320, 160));
        assert_eq!(user.file(other).await.bytes, b"%PDF-1.7 ...");
    }
    // Who was away gets it when they come.
    b.close().await;
    sent(&mut a, to_bob("m3", "again", other)).await;
    let mut b = bob.connect().await;
    assert_eq!(b.message("again").await["file"], document);
}

async fn only_ones_own_file_is_sent(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let file = alice.upload_text("mine").await;
    let mut b = bob.connect().await;
    for (number, id) in [json!(file), json!(file + 1000), json!(0), json!(-1)]
        .into_iter()
        .enumerate()
    {
        let msg_id = format!("n{number}");
        b.send(json!({"type": 2, "msg_id": msg_id, "to": "alice", "content": "x", "file": id}))
            .await;
        b.refused(&msg_id, "file_not_found").await;
    }
    b.send(json!({"type": 2, "msg_id": "n8", "to": "alice", "content": "x", "file": "one"}))
        .await;
    let refused = b.refused("n8", "invalid_request").await;
    assert!(
        refused["message"]
            .as_str()
            .is_some_and(|said| said.contains("file")),
        "{refused}"
    );
    for (msg_id, frame) in [
        ("n9", json!({"type": 2, "msg_id": "n9", "to": "alice"})),
        (
            "n10",
            json!({"type": 2, "msg_id": "n10", "to": "alice", "content": ""}),
        ),
        (
            "n11",
            json!({"type": 2, "msg_id": "n11", "to": "alice", "content": "", "file": null}),
        ),
    ] {
        b.send(frame).await;
        let refused = b.refused(msg_id, "invalid_request").await;
        assert!(
            refused["message"]
                .as_str()
                .is_some_and(|said| said.contains("content")),
            "{refused}"
        );
    }
    // Having read it makes it nobody's own.
    let mut a = alice.connect().await;
    sent(&mut a, to_bob("m1", "", file)).await;
    assert!(sees(&bob, file).await);
    b.send(json!({"type": 2, "msg_id": "n12", "to": "alice", "content": "x", "file": file}))
        .await;
    b.refused("n12", "file_not_found").await;
}

async fn a_repeat_brings_the_same_file(mode: Mode) {
    let lx = mode.start().await;
    let (alice, _bob) = (lx.user("alice").await, lx.user("bob").await);
    let (one, other) = (
        alice.upload_text("one").await,
        alice.upload_text("other").await,
    );
    let mut a = alice.connect().await;
    let first = sent(&mut a, to_bob("m1", "", one)).await;
    assert_eq!(sent(&mut a, to_bob("m1", "", one)).await, first);
    for frame in [
        to_bob("m1", "", other),
        to_bob("m1", "x", one),
        json!({"type": 2, "msg_id": "m1", "to": "bob", "content": "x"}),
    ] {
        a.send(frame).await;
        a.refused("m1", "idempotency_conflict").await;
    }
    alice
        .post("message/recall", json!({"id": first.0}))
        .await
        .ok();
    assert_eq!(sent(&mut a, to_bob("m1", "", one)).await, first);
}

async fn what_is_recalled_is_gone(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let file = alice.upload_text("oops").await;
    let mut a = alice.connect().await;
    let (first, _) = sent(&mut a, to_bob("m1", "", file)).await;
    let (second, _) = sent(&mut a, to_bob("m2", "", file)).await;
    let answer =
        json!({"type": 2, "msg_id": "m3", "to": "bob", "content": "that", "reply_to": second});
    sent(&mut a, answer).await;
    let path = format!("file/{file}/link");
    let link = bob.post(&path, json!({})).await.ok();
    let link = link["url"].as_str().expect("a link");
    alice
        .post("message/recall", json!({"id": first}))
        .await
        .ok();
    assert!(sees(&bob, file).await, "another message brings it");
    alice
        .post("message/recall", json!({"id": second}))
        .await
        .ok();
    assert!(!sees(&bob, file).await);
    bob.post(&path, json!({}))
        .await
        .fails(404, "file_not_found");
    let fetched = lx.anonymous().fetch(link, &[]).await;
    fetched.fails(404, "file_not_found");
    assert!(sees(&alice, file).await, "it is still her own");
    for user in [&alice, &bob] {
        let with = if user.name == "bob" { "alice" } else { "bob" };
        let log = user.log(&format!("username={with}")).await;
        assert!(
            log.iter().all(|entry| entry.get("file").is_none()),
            "{log:#?}"
        );
        assert!(!json!(log).to_string().contains("note.txt"), "{log:#?}");
        let list = user.get("message/conversations").await.ok();
        assert!(!list.to_string().contains("note.txt"), "{list}");
    }
}

async fn who_comes_later_does_not_see_it(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let (before, after) = (
        alice.upload_text("before").await,
        alice.upload_text("after").await,
    );
    let mut a = alice.connect().await;
    sent(&mut a, in_group(group, "m1", before)).await;
    assert!(sees(&bob, before).await && !sees(&carol, before).await);
    carol.join(group).await.ok();
    sent(&mut a, in_group(group, "m2", after)).await;
    assert!(!sees(&carol, before).await, "from before her time");
    assert!(sees(&carol, after).await);
    // Who left keeps what was theirs, and gets no more.
    alice.kick(group, "bob").await.ok();
    let late = alice.upload_text("late").await;
    sent(&mut a, in_group(group, "m3", late)).await;
    assert!(sees(&bob, before).await && sees(&bob, after).await);
    assert!(!sees(&bob, late).await && sees(&carol, late).await);
}

async fn a_forwarded_file_is_seen_there(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let shown = alice.upload("x.png", "image/png", &png(8, 8)).await.ok();
    let file = shown["id"].as_u64().expect("an id");
    let mut a = alice.connect().await;
    let (id, _) = sent(&mut a, to_bob("m1", "", file)).await;
    let mut c = carol.connect().await;
    let forward = json!({"id": id, "to": "carol", "msg_id": "f1"});
    let copy = bob.post("message/forward", forward.clone()).await.ok();
    let frame = c
        .expect("the copy", |frame| frame["id"] == copy["id"])
        .await;
    assert_eq!(
        (&frame["file"], &frame["forwarded_from"]),
        (&shown, &json!("alice"))
    );
    assert!(sees(&carol, file).await);
    assert_eq!(
        bob.post("message/forward", forward).await.ok()["id"],
        copy["id"]
    );
    // What was said first is gone; the copy is another message.
    alice.post("message/recall", json!({"id": id})).await.ok();
    assert!(sees(&carol, file).await && sees(&bob, file).await);
    bob.post("message/recall", json!({"id": copy["id"]}))
        .await
        .ok();
    assert!(!sees(&carol, file).await && !sees(&bob, file).await);
}

async fn an_edit_keeps_the_file(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let file = alice.upload_text("note").await;
    let mut a = alice.connect().await;
    let (id, _) = sent(&mut a, to_bob("m1", "look", file)).await;
    for content in ["see", ""] {
        let edit = json!({"id": id, "content": content, "file": 1});
        let edited = alice.put("message/edit", edit).await.ok();
        assert_eq!(
            (&edited["content"], &edited["file"]["id"]),
            (&json!(content), &json!(file))
        );
    }
    assert_eq!(bob.history("username=alice").await[0]["file"]["id"], file);
    assert!(sees(&bob, file).await);
    a.say("bob", "m2", "no file").await;
    let (id, _) = a.stored("m2").await;
    let refused = alice
        .put("message/edit", json!({"id": id, "content": ""}))
        .await;
    refused.blames("content");
}
