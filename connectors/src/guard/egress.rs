//! What may be called although it is not public, and what may not be called at all.

use super::class::{Class, class};
use ipnet::IpNet;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

/// The rules of the way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Egress {
    /// What may be called although it is not public. Empty by default.
    pub allow: Vec<Allow>,
    /// Ports that nothing may be sent to. Empty by default.
    pub ports_denied: Vec<u16>,
    /// Time to resolve a name and open a socket, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Addresses of one name that are tried.
    pub addresses_max: usize,
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            ports_denied: Vec::new(),
            connect_timeout_ms: 10_000,
            addresses_max: 4,
        }
    }
}

impl Egress {
    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    /// Why the address may not be called under the name; `None`: it may.
    pub fn refusal(&self, host: &str, port: u16, address: IpAddr) -> Option<Class> {
        let class = class(address)?;
        let allowed = self.allow.iter().any(|rule| rule.covers(host, port, address));
        (!allowed).then_some(class)
    }
}

/// One exception to "public addresses only".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allow {
    /// Every address of a range, on every port.
    Net(IpNet),
    /// A name and port, whatever it resolves to: the installation's own address.
    Host {
        /// The name in lower case, or an address as URLs write it.
        name: String,
        /// The port.
        port: u16,
    },
}

impl Allow {
    fn covers(&self, host: &str, port: u16, address: IpAddr) -> bool {
        match self {
            Allow::Net(net) => net.contains(&address),
            Allow::Host { name, port: allowed } => {
                *allowed == port && name.eq_ignore_ascii_case(host)
            }
        }
    }
}

/// A text that is neither a range, nor an address, nor `host:port`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} is neither a range such as 10.0.0.0/8, nor an address, nor host:port")]
pub struct BadAllow(String);

impl FromStr for Allow {
    type Err = BadAllow;

    fn from_str(text: &str) -> Result<Self, BadAllow> {
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Allow::Net(net));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Allow::Net(IpNet::from(address)));
        }
        let bad = || BadAllow(text.to_owned());
        let (name, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        if name.is_empty() || name.contains(['/', '@', ' ']) {
            return Err(bad());
        }
        Ok(Allow::Host { name: name.to_ascii_lowercase(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_addresses_and_hosts_are_told_apart() {
        assert_eq!("10.1.0.0/16".parse(), Ok(Allow::Net(IpNet::from_str("10.1.0.0/16").unwrap())));
        assert_eq!("::1".parse(), Ok(Allow::Net(IpNet::from_str("::1/128").unwrap())));
        assert_eq!(
            "Millrace.Internal:8080".parse(),
            Ok(Allow::Host { name: "millrace.internal".into(), port: 8080 })
        );
        for text in ["", "host", "host:", "host:x", "http://h:1", ":80", "10.0.0.0/33"] {
            assert_eq!(text.parse::<Allow>(), Err(BadAllow(text.into())));
        }
    }

    #[test]
    fn an_exception_covers_its_port_only() {
        let egress =
            Egress { allow: vec!["own.example:8080".parse().unwrap()], ..Egress::default() };
        let address = IpAddr::from([10, 0, 0, 1]);
        assert_eq!(egress.refusal("OWN.example", 8080, address), None);
        assert_eq!(egress.refusal("own.example", 8081, address), Some(Class::Private));
        assert_eq!(egress.refusal("other.example", 8080, address), Some(Class::Private));
    }
}
