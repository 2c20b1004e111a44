use std::net::IpAddr;

use axum::serve::Listener as _;

use super::*;

fn loopback(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from([127, 0, 0, last]), port)
}

#[tokio::test]
async fn port_zero_takes_a_free_port() {
    let listener = bind("listen", "127.0.0.1:0").await.unwrap();
    assert_ne!(listener.local_addr().unwrap().port(), 0);
}

#[tokio::test]
async fn an_address_in_use_is_named_with_its_key() {
    let first = bind("listen", "127.0.0.1:0").await.unwrap();
    let address = first.local_addr().unwrap().to_string();
    let text = bind("internal_listen", &address)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        text.contains(&address) && text.contains("internal_listen"),
        "{text}"
    );
    assert!(text.contains("another process has it"), "{text}");
}

/// As localhost does where it is ::1 and 127.0.0.1.
#[tokio::test]
async fn every_address_of_a_name_answers_on_one_port() {
    let addresses = [loopback(2, 0), loopback(1, 0), loopback(3, 0)];
    let mut listener = bind_all(&addresses).unwrap();
    let bound = listener.local_addrs().unwrap();
    let port = bound[0].port();
    assert_eq!(bound, [2, 1, 3].map(|last| loopback(last, port)));
    for address in bound {
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, peer) = accepted;
        assert_eq!(peer, client.unwrap().local_addr().unwrap());
        assert_eq!(stream.local_addr().unwrap(), address);
    }
}

#[tokio::test]
async fn a_busy_address_does_not_starve_another() {
    let mut listener = bind_all(&[loopback(1, 0), loopback(2, 0)]).unwrap();
    let bound = listener.local_addrs().unwrap();
    let mut clients = Vec::new();
    for address in [bound[0], bound[0], bound[0], bound[1]] {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (stream, _) = listener.accept().await;
        seen.push(stream.local_addr().unwrap());
    }
    assert_eq!(seen, bound);
}

#[tokio::test]
async fn an_address_that_is_not_here_is_left_out() {
    // Of documentation (RFC 5737, RFC 3849): no machine has them.
    let elsewhere: SocketAddr = "192.0.2.1:0".parse().unwrap();
    let six: SocketAddr = "[2001:db8::1]:0".parse().unwrap();
    let listener = bind_all(&[elsewhere, six, loopback(1, 0)]).unwrap();
    assert_eq!(listener.local_addrs().unwrap().len(), 1);
    assert!(bind_all(&[elsewhere, six]).is_err());
    assert!(bind_all(&[]).is_err());
}

#[tokio::test]
async fn half_a_name_is_not_enough() {
    let taken = bind_all(&[loopback(2, 0)]).unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = bind_all(&[loopback(1, port), loopback(2, port)]).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn localhost_is_all_that_it_resolves_to() {
    let listener = bind("listen", "localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for address in lookup_host(("localhost", port)).await.unwrap() {
        TcpStream::connect(address).await.unwrap();
    }
}
