//! Files: sent, shown, and kept by whom they were sent to.

use crate::harness::Mode;

use super::Client;

behaviours!(a_file_is_sent_and_kept);

async fn a_file_is_sent_and_kept(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    std::fs::write(path("notes of today.bin"), &bytes).expect("written");
    let mut b = Client::of(&bob, &["--follow"]);
    b.says("connected to").await;
    let mut a = Client::of(&alice, &["--to", "bob"]);
    a.types(&format!("/send {}", path("notes of today.bin")));
    a.types(&format!("/send {}", path("no such file")));
    let line = b.says("notes of today.bin, 100000 bytes").await;
    let id = line
        .split("[file ")
        .nth(1)
        .and_then(|rest| rest.split(':').next());
    let id = id.expect("an id");
    b.types(&format!("/save {id} {}", path("kept")));
    b.says("100000 bytes saved").await;
    assert!(std::fs::read(path("kept")).expect("the file") == bytes);
    // What is there already stays.
    b.types(&format!("/save {id} {}", path("notes of today.bin")));
    b.says("File exists").await;
    b.types(&format!("/save 4711/../x {}", path("other")));
    b.says("expected a file's id").await;
    a.types(&format!("/send {}", folder.path().display()));
    a.says("is no file").await;
    // What is too large is not even sent.
    let large = std::fs::File::create(path("large")).expect("a file");
    large.set_len(20 * 1024 * 1024 + 1).expect("a length");
    a.types(&format!("/send {}", path("large")));
    a.says("is larger than").await;
    a.ends_input();
    let (status, errors) = a.ends().await;
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("3 of 4 commands were not done"), "{errors}");
}
