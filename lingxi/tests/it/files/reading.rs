//! Reading files: who may, how much of it, and what a browser does with it.

use serde_json::json;

use crate::harness::{Fetched, Mode, User, png, until};

behaviours!(
    strangers_are_not_told,
    a_link_needs_no_token,
    a_link_ends,
    ranges_are_answered,
    a_file_is_not_sent_twice,
    nothing_is_run_by_a_browser,
);

async fn strangers_are_not_told(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let file = alice.upload("x.png", "image/png", &png(8, 8)).await.ok();
    let id = file["id"].as_u64().expect("an id");
    for path in [format!("file/{id}"), format!("file/{id}/thumbnail")] {
        assert_eq!(alice.rest.fetch(&path, &[]).await.status, 200);
        let other = bob.rest.fetch(&path, &[]).await;
        other.fails(404, "file_not_found");
        // What is there and what is not look the same.
        let absent = path.replace(&id.to_string(), &(id + 1000).to_string());
        let absent = bob.rest.fetch(&absent, &[]).await;
        assert_eq!((absent.status, &absent.bytes), (404, &other.bytes));
        lx.anonymous()
            .fetch(&path, &[])
            .await
            .fails(401, "unauthorized");
    }
    let path = format!("file/{id}/link");
    bob.post(&path, json!({}))
        .await
        .fails(404, "file_not_found");
    lx.anonymous()
        .post(&path, json!({}))
        .await
        .fails(401, "unauthorized");
    for path in [
        "file/x",
        "file/-1",
        "file/0",
        "file/99999999999999999999",
        "file/..%2f..%2fetc%2fpasswd",
    ] {
        assert_eq!(alice.rest.fetch(path, &[]).await.status, 404, "{path}");
    }
}

async fn a_link_needs_no_token(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let one = alice.upload("x.png", "image/png", &png(8, 8)).await.ok();
    let one = one["id"].as_u64().expect("an id");
    let other = alice.upload_text("other").await;
    let link = alice
        .post(&format!("file/{one}/link"), json!({}))
        .await
        .ok();
    let text = |name: &str| link[name].as_str().expect("a text").to_owned();
    let (url, small, sig) = (text("url"), text("thumbnail"), text("sig"));
    let anybody = lx.anonymous();
    for path in [&url, &small] {
        let fetched = anybody.fetch(path, &[]).await;
        assert_eq!(fetched.status, 200, "{path}");
        assert_eq!(
            bob.rest.fetch(path, &[]).await.status,
            200,
            "also for who has a token"
        );
    }
    let (user, rest) = sig.split_once('.').expect("a link");
    let (until, signature) = rest.split_once('.').expect("a link");
    let later = until.parse::<i64>().expect("a time") + 1;
    for (file, sig) in [
        (other, sig.clone()),
        (one, format!("{}.{until}.{signature}", bob.id)),
        (one, format!("{user}.{later}.{signature}")),
        (
            one,
            format!("{user}.{until}.{}x", &signature[..signature.len() - 1]),
        ),
        (one, format!("{user}.{until}.")),
        (one, format!("{user}.{until}")),
        (one, String::new()),
        (one, alice.token.clone()),
    ] {
        let path = format!("file/{file}?sig={sig}");
        let fetched = anybody.fetch(&path, &[]).await;
        fetched.fails(401, "unauthorized");
    }
    // It opens nothing else.
    let path = format!("file/{one}/link?sig={sig}");
    anybody
        .post(&path, json!({}))
        .await
        .fails(401, "unauthorized");
    // Nor does the log show it.
    let log = lx.log(0);
    assert!(!log.contains(signature), "{log}");
}

async fn a_link_ends(mode: Mode) {
    let lx = mode.with("LINGXI__FILES__LINK_SECONDS", 2).start().await;
    let alice = lx.user("alice").await;
    let file = alice.upload_text("note").await;
    let link = alice
        .post(&format!("file/{file}/link"), json!({}))
        .await
        .ok();
    let url = link["url"].as_str().expect("a link").to_owned();
    let anybody = lx.anonymous();
    assert_eq!(anybody.fetch(&url, &[]).await.status, 200);
    until("the link has ended", async || {
        anybody.fetch(&url, &[]).await.status == 401
    })
    .await;
}

async fn range(user: &User, id: u64, headers: &[(&str, &str)]) -> Fetched {
    user.rest.fetch(&format!("file/{id}"), headers).await
}

async fn ranges_are_answered(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 253) as u8).collect();
    let file = alice
        .upload("a.bin", "application/octet-stream", &bytes)
        .await
        .ok();
    let id = file["id"].as_u64().expect("an id");
    let whole = range(&alice, id, &[]).await;
    assert_eq!(
        (whole.status, whole.header("accept-ranges")),
        (200, "bytes")
    );
    assert_eq!(whole.header("content-length"), "300000");
    assert!(whole.bytes == bytes);
    let head = alice
        .rest
        .request(reqwest::Method::HEAD, &format!("file/{id}"));
    let head = head.send().await.expect("an answer");
    assert_eq!(head.headers()["content-length"], "300000");
    for (asked, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=100000-200000", 100_000, 200_000),
        ("bytes=299999-", 299_999, 299_999),
        ("bytes=-70000", 230_000, 299_999),
        ("bytes=5-9999999", 5, 299_999),
    ] {
        let part = range(&alice, id, &[("range", asked)]).await;
        assert_eq!(part.status, 206, "{asked}");
        assert_eq!(
            part.header("content-range"),
            format!("bytes {first}-{last}/300000")
        );
        assert_eq!(
            part.header("content-length"),
            (last - first + 1).to_string()
        );
        assert!(part.bytes == bytes[first..=last], "{asked}");
    }
    for asked in ["bytes=300000-", "bytes=-0"] {
        let none = range(&alice, id, &[("range", asked)]).await;
        none.fails(416, "range_not_satisfiable");
        assert_eq!(none.header("content-range"), "bytes */300000");
    }
    for asked in ["bytes=0-1,5-6", "bytes=9-1", "lines=1-2", "bytes=x"] {
        let whole = range(&alice, id, &[("range", asked)]).await;
        assert_eq!((whole.status, whole.bytes.len()), (200, 300_000), "{asked}");
    }
    // Only of the file that the client has the rest of.
    let tag = whole.header("etag").to_owned();
    let part = range(&alice, id, &[("range", "bytes=1-2"), ("if-range", &tag)]).await;
    assert_eq!(part.status, 206);
    let whole = range(
        &alice,
        id,
        &[("range", "bytes=1-2"), ("if-range", "\"other\"")],
    )
    .await;
    assert_eq!(whole.status, 200);
}

async fn a_file_is_not_sent_twice(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let (one, other) = (
        alice.upload_text("same").await,
        alice.upload_text("same").await,
    );
    let first = range(&alice, one, &[]).await;
    let tag = first.header("etag").to_owned();
    assert!(
        tag.len() > 8 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag}"
    );
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let again = range(&alice, one, &[("if-none-match", &known)]).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    let changed = range(&alice, one, &[("if-none-match", "\"x\"")]).await;
    assert_eq!(changed.status, 200);
    assert_ne!(range(&alice, other, &[]).await.header("etag"), tag);
    // A client that has it is told no sooner than others that it may not see it any more.
    let bob = lx.user("bob").await;
    let refused = range(&bob, one, &[("if-none-match", &tag)]).await;
    refused.fails(404, "file_not_found");
}

async fn nothing_is_run_by_a_browser(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let picture = png(4, 4);
    let mut gif =
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
            .to_vec();
    gif.extend_from_slice(b"<script>alert(1)</script>");
    let pdf = b"%PDF-1.7 <html><script>alert(1)</script> PK\x03\x04";
    let video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
    for (name, said, bytes, mime, how) in [
        ("a.png", "text/html", &picture[..], "image/png", "inline"),
        ("a.html", "image/png", &gif, "image/gif", "inline"),
        (
            "a.txt",
            "text/html",
            b"just words",
            "text/plain; charset=utf-8",
            "inline",
        ),
        ("a.mp4", "text/html", video, "video/mp4", "inline"),
        (
            "a.pdf",
            "application/pdf",
            pdf,
            "application/pdf",
            "attachment",
        ),
        (
            "a.html",
            "text/html",
            b"<html><script>alert(1)</script>",
            "application/octet-stream",
            "attachment",
        ),
        (
            "a.txt",
            "text/plain",
            b" \n<!doctype html><script>alert(1)</script>",
            "application/octet-stream",
            "attachment",
        ),
        (
            "a.svg",
            "image/svg+xml",
            b"<svg onload='alert(1)'/>",
            "application/octet-stream",
            "attachment",
        ),
        (
            "a.png",
            "image/png",
            b"<?xml version='1.0'?><svg onload='alert(1)'/>",
            "application/octet-stream",
            "attachment",
        ),
        (
            "a.js",
            "text/javascript",
            b"alert(1)",
            "text/plain; charset=utf-8",
            "inline",
        ),
        ("a.csv", "text/csv", b"a,b", "text/csv", "attachment"),
        (
            "a.zip",
            "image/png",
            b"PK\x03\x04....",
            "application/zip",
            "attachment",
        ),
        (
            "a.exe",
            "image/png",
            b"MZ\0\0\0\0",
            "application/vnd.microsoft.portable-executable",
            "attachment",
        ),
        (
            "a.bin",
            "text/html",
            b"\0\x01\x02<html>",
            "application/octet-stream",
            "attachment",
        ),
    ] {
        let file = alice.upload(name, said, bytes).await.ok();
        let fetched = alice.file(file["id"].as_u64().expect("an id")).await;
        assert_eq!(fetched.header("content-type"), mime, "{name}");
        let disposition = fetched.header("content-disposition");
        assert!(
            disposition.starts_with(&format!("{how}; filename=\"{name}\"")),
            "{disposition}"
        );
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cache-control", "private, no-cache"),
        ] {
            assert_eq!(fetched.header(header), value, "{name}");
        }
        let scripts = fetched.bytes.windows(7).any(|window| window == b"<script");
        assert!(
            !scripts || how == "attachment",
            "{name}: a picture is only a picture"
        );
    }
}
