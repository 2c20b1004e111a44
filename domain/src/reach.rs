//! Which addresses of the network a server that others name may have: those of the public internet, and those that an
//! operator has allowed.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::limits::MAX_WEBHOOK_URL_CHARS;
use crate::validate::{Invalid, invalid};

/// IPv4 networks that are not of the public internet (IANA's registry of special-purpose addresses).
const PRIVATE_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    // Multicast, what is reserved, and broadcast.
    "224.0.0.0/3",
];

/// The only IPv6 network that is given to the public internet. Loopback, private, link-local, multicast, IPv4-compatible and
/// NAT64 addresses are outside.
const PUBLIC_V6: &str = "2000::/3";

/// Parts of it that are not: for protocols (Teredo, ORCHID, benchmarks), documentation, and 6to4, which is an IPv4 address in
/// disguise.
const PRIVATE_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// Where requests may go that others cause. By default, to the public internet alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    allowed: Vec<IpNet>,
    ports: Vec<u16>,
}

impl Reach {
    /// The public internet and the networks of `private`; to these ports alone, or to any where there are none.
    pub fn new(private: Vec<IpNet>, ports: Vec<u16>) -> Self {
        Self {
            allowed: private,
            ports,
        }
    }

    /// Whether a request may go to this address. An IPv4 address that is written as an IPv6 one is judged as what it is.
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed
            .iter()
            .any(|network| network.contains(&address))
            || is_public(address)
    }

    /// Whether a request may go to this URL, as far as that is known without looking its name up: the scheme, the port, and the
    /// address where the host is one.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn check(&self, url: &Url) -> Result<(), Invalid> {
        if !matches!(url.scheme(), "http" | "https") {
            return invalid("url: give an address that begins with https:// or http://.");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return invalid("url: leave out the name and the password.");
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if port == 0 || !(self.ports.is_empty() || self.ports.contains(&port)) {
            return invalid(format!("url: port {port} is not allowed here."));
        }
        let admitted = match url.host() {
            Some(Host::Ipv4(address)) => self.admits(address.into()),
            Some(Host::Ipv6(address)) => self.admits(address.into()),
            Some(Host::Domain(name)) => !is_local(name) || self.admits([127, 0, 0, 1].into()),
            None => return invalid("url: name a host."),
        };
        match admitted {
            true => Ok(()),
            false => invalid(PRIVATE),
        }
    }

    /// The address that an operator gives for a webhook, as it was parsed. Its name is not looked up here.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn webhook(&self, text: &str) -> Result<Url, Invalid> {
        let fits = |url: &Url| url.as_str().len() <= MAX_WEBHOOK_URL_CHARS;
        if text.len() > MAX_WEBHOOK_URL_CHARS || text.chars().any(char::is_control) {
            return invalid(format!(
                "url: use at most {MAX_WEBHOOK_URL_CHARS} characters of one line."
            ));
        }
        let Some(mut url) = Url::parse(text.trim()).ok().filter(fits) else {
            return invalid("url: give a whole address, such as https://example.org/hook.");
        };
        self.check(&url)?;
        url.set_fragment(None);
        Ok(url)
    }
}

/// What is said of an address that is not admitted.
pub const PRIVATE: &str = "url: this is a private address; give one of the public internet, or ask whoever runs the server \
                           to allow its network (webhooks.allow_private).";

/// Names that are this machine's by their meaning (RFC 6761), whatever a resolver says.
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.is_empty() || name == "localhost" || name.ends_with(".localhost")
}

fn is_public(address: IpAddr) -> bool {
    let within = |networks: &[&str]| {
        let mut networks = networks
            .iter()
            .filter_map(|text| text.parse::<IpNet>().ok());
        networks.any(|network| network.contains(&address))
    };
    match address {
        IpAddr::V4(_) => !within(&PRIVATE_V4),
        IpAddr::V6(_) => within(&[PUBLIC_V6]) && !within(&PRIVATE_V6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn every_network_is_one() {
        let all = PRIVATE_V4.iter().chain(&PRIVATE_V6).chain([&PUBLIC_V6]);
        for text in all {
            assert!(text.parse::<IpNet>().is_ok(), "{text}");
        }
    }

    #[test]
    fn only_the_public_internet_is_admitted() {
        let reach = Reach::default();
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(reach.admits(address(public)), "{public}");
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!reach.admits(address(private)), "{private}");
        }
    }

    #[test]
    fn what_is_allowed_is_admitted_and_nothing_beside_it() {
        let network = "10.1.0.0/16".parse().unwrap();
        let reach = Reach::new(vec![network], vec![443, 8443]);
        assert!(reach.admits(address("10.1.2.3")));
        assert!(reach.admits(address("::ffff:10.1.2.3")));
        assert!(!reach.admits(address("10.2.0.1")));
        assert!(!reach.admits(address("127.0.0.1")));
        assert!(reach.webhook("https://10.1.0.1/").is_ok());
        assert!(reach.webhook("https://10.1.0.1:8443/").is_ok());
        assert!(reach.webhook("https://10.1.0.1:22/").is_err());
        assert!(reach.webhook("http://example.org/").is_err());
    }

    #[test]
    fn a_private_address_is_known_however_it_is_written() {
        let reach = Reach::default();
        for bad in [
            "http://127.0.0.1/",
            "http://127.0.0.1.:80/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://0/",
            "http://１２７.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://localhost/",
            "http://localhost./",
            "http://LOCALHOST:8080/",
            "http://a.localhost/",
            "http://169.254.169.254/latest/meta-data/",
            "https://user:pass@example.org/",
            "https://user@example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "example.org/hook",
            "//example.org/hook",
            "https://",
            "https://example.org:0/",
            "https://example.org/\n",
            "",
        ] {
            let said = reach.webhook(bad).unwrap_err().0;
            assert!(said.starts_with("url: "), "{bad}: {said}");
        }
        let long = format!("https://example.org/{}", "x".repeat(2048));
        assert!(reach.webhook(&long).is_err());
        for (good, expected) in [
            (
                "https://example.org/hook?a=1#b",
                "https://example.org/hook?a=1",
            ),
            ("http://EXAMPLE.org:8080", "http://example.org:8080/"),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            (
                "https://[2606:4700::1111]:8443/x",
                "https://[2606:4700::1111]:8443/x",
            ),
        ] {
            assert_eq!(reach.webhook(good).unwrap().as_str(), expected);
        }
    }
}
