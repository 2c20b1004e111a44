//! The load balancer.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::compose::{Compose, configuration, filled_in, text};
use crate::local_cluster::{DEADLINE, free_ports};
use crate::{path, port, read, root, said};

/// HAProxy's own opinion of the two files.
pub(crate) fn haproxy_accepts(backends: &Path) {
    let folder = root().join("deploy/loadbalancer");
    let output = Command::new("haproxy")
        .env("PATH", path())
        .args(["-c", "-V", "-f"])
        .arg(folder.join("haproxy.cfg"))
        .arg("-f")
        .arg(backends)
        .output()
        .expect("haproxy; ./test installs it");
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("WARNING"), "{}", said(&output));
}

#[test]
fn the_balancer_finds_the_services_where_they_listen() {
    let compose = Compose::with(&filled_in());
    let file = read("deploy/loadbalancer/backends.docker.cfg");
    let mut found = BTreeSet::new();
    for line in file
        .lines()
        .filter(|line| line.trim().starts_with("server-template"))
    {
        // server-template PREFIX COUNT HOST:PORT port CHECKED resolvers …
        let words: Vec<_> = line.split_whitespace().collect();
        let (host, public) = words[3].split_once(':').expect("host:port");
        let service = compose.service(host);
        let config = configuration(&service);
        assert_eq!(public, port(&config, "listen"), "{line}");
        assert_eq!(
            words[4..6],
            ["port", &port(&config, "internal_listen")],
            "{line}"
        );
        let places: u64 = words[2].parse().expect("a number");
        assert!(
            places >= service.value["deploy"]["replicas"].as_u64().unwrap_or(1),
            "{line}"
        );
        found.insert(host.to_owned());
    }
    let listening = ["admin-api", "gateway"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(listening));

    let balancer = compose.service("loadbalancer");
    let common = read("deploy/loadbalancer/haproxy.cfg");
    let published = balancer.words("ports").remove(0);
    let inside = published.rsplit_once(':').expect("host:container").1;
    assert!(common.contains(&format!("presetenv LINGXI_BALANCER_BIND :{inside}\n")));
    let asked = balancer.value["healthcheck"]["test"]
        .as_array()
        .expect("a command");
    let asked = text(asked.last().expect("a URL"));
    assert_eq!(asked, "http://127.0.0.1:8404/readyz");
    assert!(common.contains("presetenv LINGXI_BALANCER_INTERNAL_BIND :8404\n"));
    // Each file that it is told to read is in the folder that it is given.
    let mount = balancer.words("volumes").remove(0);
    let (folder, inside) = mount
        .trim_end_matches(":ro")
        .split_once(':')
        .expect("from:to");
    let command = balancer.words("command");
    let files: Vec<_> = command
        .iter()
        .filter_map(|word| word.strip_prefix(inside))
        .collect();
    assert_eq!(files.len(), 2, "{command:?}");
    for file in files {
        let file = format!("{folder}{file}");
        assert!(root().join(&file).is_file(), "{file}");
    }
    haproxy_accepts(&root().join("deploy/loadbalancer/backends.docker.cfg"));
}

/// The shipped file before a server of this test's own, on a port of its own.
struct Balancer {
    process: std::process::Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Balancer {
    fn start(server: &str, per_source: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let backends = folder.path().join("backends.cfg");
        let [internal, address] = free_ports().map(|port| format!("127.0.0.1:{port}"));
        let text = format!(
            "backend gateways from lingxi\n    server one {server} no-check\n\
             backend admin from lingxi\n    server one {server} no-check\n"
        );
        std::fs::write(&backends, text).expect("written");
        let process = Command::new("haproxy")
            .env("PATH", path())
            .env("LINGXI_BALANCER_BIND", &address)
            .env("LINGXI_BALANCER_INTERNAL_BIND", &internal)
            .env("LINGXI_BALANCER_MAXCONN", "2000")
            .env("LINGXI_BALANCER_MAXCONN_PER_SOURCE", per_source)
            .arg("-f")
            .arg(root().join("deploy/loadbalancer/haproxy.cfg"))
            .arg("-f")
            .arg(&backends)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("haproxy; ./test installs it");
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(begun.elapsed() < DEADLINE, "HAProxy does not listen");
            std::thread::yield_now();
        }
        Self {
            process,
            address,
            _folder: folder,
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads until `wanted` or the end.
fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0; 512];
    while !String::from_utf8_lossy(&read).contains(wanted) {
        match stream.read(&mut byte) {
            Ok(0) | Err(_) => break,
            Ok(count) => read.extend_from_slice(&byte[..count]),
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// The next connection that the balancer opens.
fn accept(gateway: &TcpListener) -> TcpStream {
    let begun = Instant::now();
    loop {
        match gateway.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("set");
                stream.set_read_timeout(Some(DEADLINE)).expect("set");
                return stream;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        assert!(begun.elapsed() < DEADLINE, "the balancer does not connect");
        std::thread::yield_now();
    }
}

/// A connection to the balancer from one of this machine's own addresses, 127.0.0.0/8.
fn connect_from(from: [u8; 4], balancer: &Balancer) -> TcpStream {
    try_to_connect_from(from, balancer).expect("connected")
}

/// The same; one that is refused may hear of it already here.
fn try_to_connect_from(from: [u8; 4], balancer: &Balancer) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("bound");
        let address = balancer.address.parse().expect("an address");
        socket.connect(address).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    Ok(stream)
}

#[test]
fn one_source_has_its_share_of_large_bodies() {
    const SHARE: usize = 16;
    let gateway = TcpListener::bind("127.0.0.1:0").expect("a listener");
    gateway.set_nonblocking(true).expect("set");
    let server = gateway.local_addr().expect("an address").to_string();
    let balancer = Balancer::start(&server, "100");
    // More than a buffer holds, and not all of it; in pieces of a size that nobody announced.
    let large = |path: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 65536\r\n\r\n");
        head + &"x".repeat(40_000)
    };
    let chunked = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n8000\r\n{}",
            "x".repeat(20_000)
        )
    };
    let send = |from, request: String| {
        let mut stream = connect_from(from, &balancer);
        stream.write_all(request.as_bytes()).expect("sent");
        stream
    };
    let arrived = |path: &str| {
        let mut stream = accept(&gateway);
        let heard = read_until(&mut stream, "\r\n\r\n");
        assert!(heard.starts_with(&format!("POST {path} ")), "{heard}");
        stream
    };
    let (one, other) = ([127, 0, 3, 1], [127, 0, 3, 2]);
    let mut taken: Vec<_> = (0..SHARE)
        .map(|number| {
            let body = if number % 2 == 0 { large } else { chunked };
            (send(one, body("/taken")), arrived("/taken"))
        })
        .collect();
    for body in [large, chunked] {
        let begun = Instant::now();
        let answer = read_until(&mut send(one, body("/refused")), "}");
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        assert!(answer.contains("\r\nretry-after: 2\r\n"), "{answer}");
        assert!(answer.contains("\"rate_limited\""), "{answer}");
        // Whoever comes back at once does so once a second.
        assert!(begun.elapsed().as_secs() >= 1, "{:?}", begun.elapsed());
    }
    // Others are served, and so are small ones.
    let small = "POST /small HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    let _small = (send(one, small.to_owned()), arrived("/small"));
    let _other = (send(other, large("/other")), arrived("/other"));
    // One that ends makes room for one.
    let (client, server) = taken.pop().expect("sixteen");
    drop((client, server));
    let begun = Instant::now();
    loop {
        let _client = send(one, large("/again"));
        let waited = Instant::now();
        while waited.elapsed().as_millis() < 500 {
            if let Ok((stream, _)) = gateway.accept() {
                drop(stream);
                return;
            }
            std::thread::yield_now();
        }
        assert!(begun.elapsed() < DEADLINE, "its place is not free");
    }
}

#[test]
fn the_largest_file_passes_and_a_larger_one_is_refused() {
    // As http/src/limits has it: a file and the form around it.
    const LARGEST: usize = 20 * 1024 * 1024 + 64 * 1024;
    let gateway = TcpListener::bind("127.0.0.1:0").expect("a listener");
    gateway.set_nonblocking(true).expect("set");
    let server = gateway.local_addr().expect("an address").to_string();
    let balancer = Balancer::start(&server, "100");
    let head = |length: usize| {
        format!("POST /api/v1/file/upload HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
    };
    let from = [127, 0, 3, 5];
    let mut refused = connect_from(from, &balancer);
    let begun = head(LARGEST + 1) + &"x".repeat(20_000);
    refused.write_all(begun.as_bytes()).expect("sent");
    let answer = read_until(&mut refused, "}");
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"too_large\""), "{answer}");
    assert!(gateway.accept().is_err(), "the gateway hears of it");

    let mut client = connect_from(from, &balancer);
    let mut sending = client.try_clone().expect("a second handle");
    let sent = std::thread::spawn(move || {
        sending.write_all(head(LARGEST).as_bytes())?;
        sending.write_all(&vec![b'x'; LARGEST])
    });
    let mut server = accept(&gateway);
    let (mut read, mut piece) = (0, vec![0; 1 << 20]);
    while read < LARGEST {
        let count = server.read(&mut piece).expect("the rest");
        assert_ne!(count, 0, "it ends after {read} bytes");
        read += count;
    }
    sent.join().expect("no panic").expect("sent");
    server
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkept")
        .expect("answered");
    assert!(read_until(&mut client, "kept").contains(" 200 "));
}

/// Whether this process may let a connection vanish on one machine: `CAP_NET_ADMIN`, bit 12.
fn can_forget_connections() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .expect("capabilities");
    u64::from_str_radix(effective.trim(), 16).expect("hexadecimal") & (1 << 12) != 0
}

#[test]
fn a_source_that_knocks_on_is_forgotten() {
    const PLACES: usize = 20;
    let gateway = TcpListener::bind("127.0.0.1:0").expect("a listener");
    gateway.set_nonblocking(true).expect("set");
    let server = gateway.local_addr().expect("an address").to_string();
    let balancer = Balancer::start(&server, "20");
    let (one, other) = ([127, 0, 3, 3], [127, 0, 3, 4]);
    // Each is in when the gateway hears of it.
    let is_served = |mut stream: TcpStream| {
        let request = b"GET /served HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request).expect("sent");
        let mut server = accept(&gateway);
        let heard = read_until(&mut server, "\r\n\r\n");
        assert!(heard.starts_with("GET /served "), "{heard}");
        (stream, server)
    };
    let mut taken: Vec<_> = (0..PLACES)
        .map(|_| is_served(connect_from(one, &balancer)))
        .collect();
    // Whether the next connection of a source hears that it is refused.
    let is_told = || {
        let Ok(mut stream) = try_to_connect_from(one, &balancer) else {
            return true;
        };
        let patience = Some(Duration::from_millis(500));
        stream.set_read_timeout(patience).expect("set");
        !matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    for number in PLACES..4 * PLACES {
        assert!(is_told(), "connection {number} was not closed");
    }
    if can_forget_connections() {
        let mut knocks = 4 * PLACES;
        while is_told() {
            knocks += 1;
            assert!(knocks < 5 * PLACES, "it is told as often as it knocks");
        }
    }
    // Others get in, and its own places still are.
    is_served(connect_from(other, &balancer));
    for (client, server) in &mut taken {
        server
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere")
            .expect("answered");
        assert!(read_until(client, "here").contains(" 200 "));
    }
}

#[test]
fn half_a_request_reaches_no_gateway_and_one_source_has_its_share() {
    let gateway = TcpListener::bind("127.0.0.1:0").expect("a listener");
    gateway.set_nonblocking(true).expect("set");
    let balancer = Balancer::start(&gateway.local_addr().expect("an address").to_string(), "20");
    let connect = || {
        let stream = TcpStream::connect(&balancer.address).expect("connected");
        stream.set_read_timeout(Some(DEADLINE)).expect("set");
        stream
    };
    // A whole head and half a body: the gateway hears nothing of it, and the client gets the contract's error.
    let mut half = connect();
    half.write_all(b"POST /half HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n{")
        .expect("sent");
    let mut whole = connect();
    whole
        .write_all(b"POST /whole HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
        .expect("sent");
    let mut first = accept(&gateway);
    let heard = read_until(&mut first, "{}");
    assert!(heard.starts_with("POST /whole "), "{heard}");
    let answer = read_until(&mut half, "}");
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"request_timeout\""),
        "{answer}"
    );
    assert!(gateway.accept().is_err(), "half a request came through");
    // An upgrade passes both ways after it.
    let mut client = connect();
    client
        .write_all(
            b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .expect("sent");
    let mut server = accept(&gateway);
    assert!(read_until(&mut server, "\r\n\r\n").contains("GET /ws "));
    server
        .write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello",
        )
        .expect("sent");
    assert!(read_until(&mut client, "hello").contains("hello"));
    client.write_all(b"and back").expect("sent");
    assert!(read_until(&mut server, "and back").contains("and back"));

    // Twenty, less the one that is open, get in; the others are closed.
    let mut open: Vec<_> = (0..40).map(|_| connect()).collect();
    for stream in &open {
        stream.set_nonblocking(true).expect("set");
    }
    let is_closed = |stream: &mut TcpStream| !matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    let begun = Instant::now();
    let mut closed = 0;
    while closed < 20 {
        assert!(begun.elapsed() < DEADLINE, "{closed} of 40 were refused");
        closed = open
            .iter_mut()
            .filter_map(|s| is_closed(s).then_some(()))
            .count();
        std::thread::yield_now();
    }
    assert!(closed < 40, "nobody gets in");
}
