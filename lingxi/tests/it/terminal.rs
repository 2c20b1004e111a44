//! `lingxi chat` as people and scripts use it: its addresses, its exit code, and one line when it fails.

use std::process::Output;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use crate::harness::{Mode, User, binary, until};

behaviours!(
    a_message_is_sent_by_any_usual_address,
    https_works,
    refused_messages_are_counted,
    failures_are_one_line,
);

/// Runs `lingxi chat` to its end.
async fn chat(url: &str, token: &str, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = tokio::process::Command::new(binary());
    command
        .args(["chat", "--url", url, "--token", token])
        .args(arguments)
        .envs(env.iter().copied())
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(crate::harness::DEADLINE, command.output());
    output.await.expect("it ends").expect("it starts")
}

/// What it said on its standard error: one line.
#[track_caller]
fn line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said.trim_end().to_owned()
}

async fn got(user: &User, from: &User, count: usize) {
    until("the messages are there", async || {
        user.history(&format!("username={}", from.name)).await.len() == count
    })
    .await;
}

async fn a_message_is_sent_by_any_usual_address(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let base = alice.rest.base.clone();
    let ws = base.replace("http://", "ws://");
    let urls = [base.clone(), format!("{base}/"), format!("{base}//"), ws];
    for url in &urls {
        let sent = chat(url, &alice.token, &["--to", "bob", "--say", "hi"], &[]).await;
        assert!(sent.status.success(), "{url}: {sent:?}");
        assert!(sent.stderr.is_empty(), "{sent:?}");
    }
    got(&bob, &alice, urls.len()).await;
}

async fn https_works(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, key.cert.pem()).expect("written");
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret)
        .expect("a usable certificate");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let gateway = alice.rest.base.replace("http://", "");
    let proxy = tokio::spawn(forward(
        listener,
        TlsAcceptor::from(Arc::new(config)),
        gateway,
    ));

    let url = format!("https://localhost:{port}/");
    let trust = trusted.to_str().expect("a path");
    let say = ["--to", "bob", "--say", "hi"];
    let sent = chat(&url, &alice.token, &say, &[("SSL_CERT_FILE", trust)]).await;
    assert!(sent.status.success(), "{sent:?}");
    got(&bob, &alice, 1).await;
    // Who is not trusted is told nothing.
    let nobody = folder.path().join("empty.pem");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("another");
    std::fs::write(&nobody, other.cert.pem()).expect("written");
    let trust = nobody.to_str().expect("a path");
    let sent = chat(&url, &alice.token, &say, &[("SSL_CERT_FILE", trust)]).await;
    assert_eq!(sent.status.code(), Some(1));
    assert!(line(&sent).contains("certificate"), "{sent:?}");
    // An authority of one's own, for this client alone; and no other one beside it.
    let ca = trusted.to_str().expect("a path");
    let with_ca = [&say[..], &["--ca", ca]].concat();
    let sent = chat(&url, &alice.token, &with_ca, &[("SSL_CERT_FILE", trust)]).await;
    assert!(sent.status.success(), "{sent:?}");
    got(&bob, &alice, 2).await;
    let with_other = [&say[..], &["--ca", trust]].concat();
    let sent = chat(&url, &alice.token, &with_other, &[("SSL_CERT_FILE", ca)]).await;
    assert_eq!(sent.status.code(), Some(1));
    assert!(line(&sent).contains("certificate"), "{sent:?}");
    // Something else speaks there.
    let plain = url.replace("https", "http");
    let sent = chat(&plain, &alice.token, &say, &[]).await;
    assert_eq!(sent.status.code(), Some(1));
    line(&sent);
    proxy.abort();
}

/// Takes TLS off and hands on.
async fn forward(listener: TcpListener, tls: TlsAcceptor, to: String) {
    while let Ok((socket, _)) = listener.accept().await {
        let (tls, to) = (tls.clone(), to.clone());
        tokio::spawn(async move {
            let mut client = tls.accept(socket).await?;
            let mut server = TcpStream::connect(to).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
    }
}

async fn refused_messages_are_counted(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let large = "x".repeat(17 * 1024);
    let say = [
        "--to", "bob", "--say", "a", "--say", &large, "--say", "b", "--say", &large,
    ];
    let sent = chat(&alice.rest.base, &alice.token, &say, &[]).await;
    assert_eq!(sent.status.code(), Some(1), "{sent:?}");
    let said = line(&sent);
    assert!(
        said.contains("2 of 4 messages were refused") && said.contains("too_large (2)"),
        "{said}"
    );
    got(&bob, &alice, 2).await;
}

async fn failures_are_one_line(mode: Mode) {
    let lx = mode.start().await;
    let base = lx.anonymous().base;
    let say = ["--to", "bob", "--say", "hi"];
    let refused = chat(&base, "no.such.token", &say, &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(line(&refused).contains("refused the token"), "{refused:?}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let away = chat(&format!("http://127.0.0.1:{port}"), "t", &say, &[]).await;
    assert_eq!(away.status.code(), Some(1));
    assert!(line(&away).contains("is the server running?"), "{away:?}");
    let wrong = chat("127.0.0.1:8080", "t", &say, &[]).await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        line(&wrong).contains("expected http://host:port"),
        "{wrong:?}"
    );
}
