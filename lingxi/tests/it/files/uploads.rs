//! Files on their way in: what is taken, what is refused, and that nothing is left of it.

use std::time::Duration;

use serde_json::json;

use super::{below, until_kept};
use crate::harness::{BOUNDARY, Deployment, Mode, Raw, User, form, png, until};

behaviours!(
    a_name_is_made_harmless,
    a_picture_tells_no_place,
    what_is_no_picture_that_can_be_shown_is_refused,
    too_much_is_refused_before_it_is_read,
    one_that_breaks_off_leaves_nothing,
    one_that_trickles_ends,
    who_is_refused_hears_it,
    a_user_uploads_so_much_a_day,
    a_user_uploads_so_many_at_once,
    a_full_disk_is_said,
    what_is_no_form_is_refused,
);

async fn a_name_is_made_harmless(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    for (given, name) in [
        ("../../../../etc/passwd", "passwd"),
        ("/etc/cron.d/x", "x"),
        (".bashrc", "bashrc"),
        ("photo\u{202e}gpj.exe", "photogpj.exe"),
        ("a%22%0d%0aSet-Cookie: x=1", "a_%0d%0aSet-Cookie_ x=1"),
        ("报告.txt", "报告.txt"),
        ("", "file"),
        ("..", "file"),
    ] {
        let file = alice.upload(given, "text/plain", b"x").await.ok();
        let fetched = alice.file(file["id"].as_u64().expect("an id")).await;
        let disposition = fetched.header("content-disposition");
        assert_eq!(disposition.matches('"').count(), 2, "{disposition}");
        assert!(fetched.headers.get("set-cookie").is_none());
        if given.contains("%22") {
            continue;
        }
        assert_eq!(file["name"], name, "{given}");
    }
    let long = format!("{}.txt", "x".repeat(5_000));
    let file = alice.upload(&long, "text/plain", b"x").await.ok();
    assert!(
        file["name"]
            .as_str()
            .is_some_and(|name| name.len() == 255 && name.ends_with(".txt"))
    );
    let outside = below(lx.folder()).into_iter().any(|path| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.contains("passwd") || name.contains("bashrc"))
    });
    assert!(!outside);
}

/// A JPEG that says where it was taken, and is turned.
fn telling() -> Vec<u8> {
    let picture = image::RgbImage::new(60, 40);
    let mut plain = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut plain, image::ImageFormat::Jpeg)
        .expect("a picture");
    let plain = plain.into_inner();
    // Two entries: the orientation (6, a quarter turn) and a text.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
    exif.extend_from_slice(b"\x01\x0e\0\x02\0\0\0\x10\0\0\0\x26\0\0\0\0");
    exif.extend_from_slice(b"48.8584N 2.2945E");
    let size = u16::try_from(exif.len() + 2).expect("a size").to_be_bytes();
    let marker = [&[0xff, 0xe1], &size[..], &exif].concat();
    [&plain[..2], &marker, &plain[2..], b"48.8584N 2.2945E"].concat()
}

async fn a_picture_tells_no_place(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let tells = |bytes: &[u8]| bytes.windows(8).any(|window| window == b"48.8584N");
    let bytes = telling();
    assert!(tells(&bytes));
    let file = alice.upload("x.jpg", "image/jpeg", &bytes).await.ok();
    assert_eq!(
        (&file["width"], &file["height"]),
        (&json!(40), &json!(60)),
        "as it is shown"
    );
    let fetched = alice.file(file["id"].as_u64().expect("an id")).await;
    assert!(!tells(&fetched.bytes));
    assert_eq!(file["size"], fetched.bytes.len());
    assert!(image::load_from_memory(&fetched.bytes).is_ok());
    let small = file["thumbnail"].as_str().expect("a thumbnail");
    let small = alice.rest.fetch(small, &[]).await;
    let small = image::load_from_memory(&small.bytes).expect("a picture");
    assert_eq!((small.width(), small.height()), (40, 60));
    for path in below(&lx.files()) {
        assert!(
            !tells(&std::fs::read(&path).expect("a file")),
            "{}",
            path.display()
        );
    }
}

async fn what_is_no_picture_that_can_be_shown_is_refused(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let whole = png(50, 50);
    // As the head says it, nobody could unpack it.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    for (what, bytes) in [("cut off", &whole[..whole.len() / 2]), ("a bomb", &bomb)] {
        let refused = alice.upload("x.png", "image/png", bytes).await;
        let said = refused.fails(400, "invalid_request");
        assert!(said.contains("file"), "{what}: {said}");
    }
    alice
        .upload("x.txt", "text/plain", b"")
        .await
        .blames("file");
    until_kept(&lx, 0).await;
}

fn head(alice: &User, length: usize) -> String {
    format!(
        "POST /api/v1/file/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n",
        alice.token
    )
}

async fn too_much_is_refused_before_it_is_read(mode: Mode) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let alice = lx.user("alice").await;
    // Nothing of it is sent. More than goes in a day, or on the disk, is too large before it is anything else.
    for length in [30 << 20, 2 << 30, 1 << 62] {
        let mut raw = Raw::connect(&alice.rest.base).await;
        raw.send(&head(&alice, length)).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{length}: {answer}");
        assert!(answer.contains("too_large"), "{answer}");
    }
    // Nor does it help to be silent about it.
    let mut raw = Raw::connect(&alice.rest.base).await;
    let chunked = head(&alice, 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    raw.send(&chunked).await;
    let whole = String::from_utf8(form("x.txt", "text/plain", b"xxx")).expect("a text");
    let begun = whole.split("xxx").next().expect("a head");
    raw.send(&format!("{:x}\r\n{begun}", 40 << 20)).await;
    let more = "x".repeat(1 << 20);
    for _ in 0..22 {
        raw.send(&more).await;
    }
    let answer = raw.answer().await;
    assert!(
        answer.is_empty()
            || answer.starts_with("HTTP/1.1 413")
            || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    until_kept(&lx, 0).await;
    // The largest goes through.
    let largest = vec![7; 20 << 20];
    let file = alice.upload("x.bin", "", &largest).await.ok();
    assert!(alice.file(file["id"].as_u64().expect("an id")).await.bytes == largest);
    let refused = alice
        .upload("x.bin", "", &[&largest[..], b"x"].concat())
        .await;
    refused.fails(413, "too_large");
    until_kept(&lx, 1).await;
}

/// The beginning of an upload of a megabyte, on its way.
async fn under_way(lx: &Deployment, alice: &User) -> Raw {
    let body = form("x.txt", "text/plain", &vec![b'x'; 1 << 20]);
    let incoming = lx.files().join("incoming");
    let before = below(&incoming).len();
    let mut raw = Raw::connect(&alice.rest.base).await;
    raw.send(&head(alice, body.len())).await;
    raw.send(std::str::from_utf8(&body[..body.len() / 2]).expect("a text"))
        .await;
    until("it is on its way in", async || {
        below(&incoming).len() > before
    })
    .await;
    raw
}

async fn one_that_breaks_off_leaves_nothing(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let raw = under_way(&lx, &alice).await;
    drop(raw);
    until_kept(&lx, 0).await;
    // A form that ends too early, on a connection that stays.
    let body = form("x.txt", "text/plain", b"hello");
    let cut = std::str::from_utf8(&body[..body.len() - 20]).expect("a text");
    let mut raw = Raw::connect(&alice.rest.base).await;
    raw.send(&head(&alice, cut.len())).await;
    raw.send(cut).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    until_kept(&lx, 0).await;
}

async fn one_that_trickles_ends(mode: Mode) {
    let lx = mode.with("LINGXI__HTTP__BODY_SECONDS", 1).start().await;
    let alice = lx.user("alice").await;
    let mut raw = under_way(&lx, &alice).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    until_kept(&lx, 0).await;
}

/// One that is refused at once is answered all the same, whatever the client still has to send.
async fn who_is_refused_hears_it(mode: Mode) {
    let options = mode.with("LINGXI__FILES__KEEP_FREE_MIB", 1 << 29);
    let lx = options.start().await;
    let alice = lx.user("alice").await;
    let large = vec![7; 19 << 20];
    for _ in 0..5 {
        let refused = alice.upload("x.bin", "", &large).await;
        refused.fails(507, "storage_full");
    }
}

async fn a_user_uploads_so_much_a_day(mode: Mode) {
    let options = mode.with("LINGXI__RATE_LIMITS", "on");
    let lx = options.with("LINGXI__FILES__MIB_PER_DAY", 1).start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let most = vec![7; 700_000];
    alice.upload("x.bin", "", &most).await.ok();
    for bytes in [&most[..], &most[..400_000]] {
        let refused = alice.upload("x.bin", "", bytes).await;
        refused.fails(429, "rate_limited");
    }
    alice.upload("x.bin", "", &most[..300_000]).await.ok();
    bob.upload("x.bin", "", &most).await.ok();
    until_kept(&lx, 3).await;
}

async fn a_user_uploads_so_many_at_once(mode: Mode) {
    let options = mode.with("LINGXI__FILES__UPLOADS_PER_USER", 1);
    let lx = options.with("LINGXI__FILES__UPLOADS", 2).start().await;
    let (alice, bob) = (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await);
    let carol = lx.user_at(0, "carol").await;
    let first = under_way(&lx, &alice).await;
    alice
        .upload("x.txt", "", b"x")
        .await
        .fails(429, "rate_limited");
    bob.upload("x.txt", "", b"x").await.ok();
    let second = under_way(&lx, &bob).await;
    until("all places are taken", async || {
        carol.upload("x.txt", "", b"x").await.status == 503
    })
    .await;
    drop((first, second));
    until("they come back", async || {
        alice.upload("x.txt", "", b"x").await.status == 200
    })
    .await;
}

async fn a_full_disk_is_said(mode: Mode) {
    // More than any disk has.
    let lx = mode
        .with("LINGXI__FILES__KEEP_FREE_MIB", 1 << 29)
        .start()
        .await;
    let alice = lx.user("alice").await;
    alice
        .upload("x.txt", "", b"x")
        .await
        .fails(507, "storage_full");
    until_kept(&lx, 0).await;
}

async fn what_is_no_form_is_refused(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    alice
        .post("file/upload", json!({"file": "x"}))
        .await
        .blames("file");
    let body = form("x.txt", "text/plain", b"x");
    let request = |token: Option<&str>, body: Vec<u8>| {
        let request = lx
            .http
            .post(format!("{}/api/v1/file/upload", alice.rest.base));
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = request.header("content-type", kind).body(body);
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    };
    let anybody = alice.rest.send(request(None, body.clone())).await;
    anybody.fails(401, "unauthorized");
    let other = String::from_utf8(body)
        .expect("a text")
        .replace("name=\"file\"", "name=\"other\"");
    let none = alice
        .rest
        .send(request(Some(&alice.token), other.into()))
        .await;
    none.blames("file");
    until_kept(&lx, 0).await;
}

/// Only a cluster can be without.
#[tokio::test]
async fn a_cluster_without_a_place_says_so() {
    let lx = Mode::Cluster.with("LINGXI__FILES__URL", "").start().await;
    let alice = lx.user("alice").await;
    alice
        .upload("x.txt", "", b"x")
        .await
        .fails(501, "no_file_store");
    let mut a = alice.connect().await;
    a.say("alice", "m1", "all else works").await;
    a.stored("m1").await;
    tokio::time::timeout(Duration::from_secs(5), alice.file(1))
        .await
        .expect("an answer")
        .fails(404, "file_not_found");
}
