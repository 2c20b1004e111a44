//! Who pays for what is done.

use std::net::{IpAddr, Ipv6Addr};

use lingxi_domain::UserId;

/// Who pays: a user, wherever they are connected, or a network where nobody is logged in yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A user.
    User(UserId),
    /// Where a request came from: one IPv4 address, or the /64 of an IPv6 address, which is what one customer is given.
    Network(IpAddr),
}

impl std::fmt::Display for Payer {
    /// The same text for all that pay together.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::User(user) => write!(f, "u{user}"),
            Self::Network(address) => match network(address) {
                IpAddr::V4(address) => write!(f, "{address}"),
                IpAddr::V6(address) => write!(f, "{address}/64"),
            },
        }
    }
}

/// The address itself, or the first address of its /64. An IPv4 address written as IPv6 is the IPv4 address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_payer() {
        let payer = |text: &str| Payer::Network(text.parse().unwrap()).to_string();
        assert_eq!(payer("203.0.113.7"), "203.0.113.7");
        assert_eq!(payer("::ffff:203.0.113.7"), payer("203.0.113.7"));
        assert_ne!(payer("203.0.113.7"), payer("203.0.113.8"));
        assert_eq!(payer("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_eq!(
            payer("2001:db8:1:2:ffff:eeee:dddd:cccc"),
            payer("2001:db8:1:2::1")
        );
        assert_ne!(payer("2001:db8:1:3::1"), payer("2001:db8:1:2::1"));
        assert_eq!(payer("::1"), "::/64");
        assert_eq!(Payer::User(7).to_string(), "u7");
    }
}
