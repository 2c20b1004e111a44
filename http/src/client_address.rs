//! The address that a request really came from, when a load balancer stands in front.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use ipnet::IpNet;

/// Makes `ConnectInfo<SocketAddr>` of every request the client's address: where the connection comes from one of
/// `trusted`, the last address in `X-Forwarded-For` that is not one of them; else the connection's own, whatever the
/// header claims.
pub(crate) fn behind(router: Router, trusted: Vec<IpNet>) -> Router {
    if trusted.is_empty() {
        return router;
    }
    router.layer(from_fn_with_state(Arc::<[IpNet]>::from(trusted), resolve))
}

async fn resolve(
    State(trusted): State<Arc<[IpNet]>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = client(peer.ip(), request.headers(), &trusted);
        let client = SocketAddr::new(client, peer.port());
        request.extensions_mut().insert(ConnectInfo(client));
    }
    next.run(request).await
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut nearest = peer;
    for hop in forwarded.into_iter().rev() {
        // Beyond something that is no address, nothing can be believed.
        let Some(address) = address_of(hop) else {
            break;
        };
        nearest = address.to_canonical();
        if !is_trusted(&nearest) {
            break;
        }
    }
    nearest
}

/// The address of a hop, which some proxies write with its port, and IPv6 in brackets.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Ok(with_port) = hop.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    let inside = hop.strip_prefix('[')?.strip_suffix(']')?;
    inside.parse().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted = [
            "127.0.0.1/32".parse().unwrap(),
            "10.0.0.0/8".parse().unwrap(),
        ];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("::ffff:127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_a_client_claims_of_itself_is_not_believed() {
        assert_eq!(
            seen("127.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.7"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("127.0.0.1", &["1.2.3.4", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            seen("127.0.0.1", &["1.2.3.4, nonsense, 10.0.0.7"]),
            "10.0.0.7"
        );
        assert_eq!(seen("127.0.0.1", &["10.0.0.1, 10.0.0.7"]), "10.0.0.1");
    }

    #[test]
    fn ports_and_brackets_are_dropped() {
        for (given, expected) in [
            ("203.0.113.7:50001", "203.0.113.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            (" 203.0.113.7:1 ", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
            ("1.2.3.4, 203.0.113.7:50001, 10.0.0.7:80", "203.0.113.7"),
            ("[203.0.113.7]", "127.0.0.1"),
            ("203.0.113.7:port", "127.0.0.1"),
            ("unknown", "127.0.0.1"),
        ] {
            assert_eq!(seen("127.0.0.1", &[given]), expected, "{given}");
        }
    }
}
