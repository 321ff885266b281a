//! Addresses as they are counted: what one customer of a network has, and the network around it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Where a request comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client {
    /// Its address, as well as it is known.
    pub address: Option<IpAddr>,
    /// The peer on a network of one's own that the address was taken from, though no setting says that it is
    /// a proxy.
    pub presumed_proxy: Option<IpAddr>,
}

/// An address as proxies write it: alone, in the brackets of IPv6, or with a port.
#[must_use]
pub fn written(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(in_brackets)
}

/// What one customer of a network has: an address, in IPv6 a block of 64 bits.
#[must_use]
pub fn customer(address: IpAddr) -> IpAddr {
    prefix(address, 32, 64)
}

/// The network around an address, as far as one owner of addresses usually reaches.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    prefix(address, 16, 32)
}

fn prefix(address: IpAddr, v4: u32, v6: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & (u32::MAX << (32 - v4))).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << (128 - v6))).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_write_an_address_with_a_port_or_in_brackets() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7:4711 ", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[::ffff:203.0.113.7]:80", "::ffff:203.0.113.7"),
        ] {
            assert_eq!(written(text), address.parse().ok(), "{text}");
        }
        for text in [
            "",
            "unknown",
            "_hidden",
            "203.0.113.7:",
            "203.0.113.7:99999",
            "[203.0.113.7]",
            "[203.0.113.7]:80",
            "[2001:db8::1",
            "2001:db8::1]:80",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_counted_as_one_customer_has_it() {
        let of = |count: fn(IpAddr) -> IpAddr, address: &str| {
            count(address.parse().expect("an address")).to_string()
        };
        assert_eq!(of(customer, "192.0.2.7"), "192.0.2.7");
        assert_eq!(of(customer, "::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of(customer, "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of(network, "192.0.2.7"), "192.0.0.0");
        assert_eq!(of(network, "2001:db8:1:2:3:4:5:6"), "2001:db8::");
    }
}
