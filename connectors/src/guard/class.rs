//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public. The word is what a refusal says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Class {
    /// `127.0.0.0/8`, `::1`.
    #[error("loopback")]
    Loopback,
    /// RFC 1918.
    #[error("private")]
    Private,
    /// `169.254.0.0/16`, where clouds answer about the machine itself, and `fe80::/10`.
    #[error("link-local")]
    LinkLocal,
    /// `100.64.0.0/10`, behind a carrier's NAT.
    #[error("shared")]
    Shared,
    /// Answers about the machine itself, although it looks public.
    #[error("metadata")]
    Metadata,
    /// One to many.
    #[error("multicast")]
    Multicast,
    /// `0.0.0.0/8`, `::`.
    #[error("unspecified")]
    Unspecified,
    /// For examples only.
    #[error("documentation")]
    Documentation,
    /// For measurements only.
    #[error("benchmarking")]
    Benchmarking,
    /// IPv6 that stands for IPv4: mapped, compatible, NAT64, 6to4, Teredo.
    #[error("embedded IPv4")]
    EmbeddedV4,
    /// `fc00::/7`.
    #[error("unique local")]
    UniqueLocal,
    /// `fec0::/10`.
    #[error("site-local")]
    SiteLocal,
    /// Not assigned to anyone, or to protocols.
    #[error("reserved")]
    Reserved,
}

/// Why the address is not public; `None`: it is. What is not known to be public is not.
///
/// Source: the IANA special-purpose address registries (RFC 6890 and its updates).
pub fn class(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(v4) => class_v4(v4),
        IpAddr::V6(v6) => class_v6(v6),
    }
}

fn class_v4(address: Ipv4Addr) -> Option<Class> {
    match address.octets() {
        [0, ..] => Some(Class::Unspecified),
        [127, ..] => Some(Class::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Class::Private),
        [169, 254, ..] => Some(Class::LinkLocal),
        [100, 64..=127, ..] => Some(Class::Shared),
        // Azure's host agent: outside every special range, and only reachable from inside.
        [168, 63, 129, 16] => Some(Class::Metadata),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(Class::Documentation),
        [198, 18..=19, ..] => Some(Class::Benchmarking),
        [192, 88, 99, _] => Some(Class::EmbeddedV4),
        [192, 0, 0, _] => Some(Class::Reserved),
        [224..=239, ..] => Some(Class::Multicast),
        [240..=255, ..] => Some(Class::Reserved),
        _ => None,
    }
}

fn class_v6(address: Ipv6Addr) -> Option<Class> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Class::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Class::Loopback),
        // Compatible (::/96), mapped (::ffff:0:0/96) and translated (::ffff:0:0:0/96).
        [0, 0, 0, 0, _, _, _, _] => Some(Class::EmbeddedV4),
        // NAT64, well-known and local prefixes.
        [0x64, 0xff9b, ..] => Some(Class::EmbeddedV4),
        [0xfc00..=0xfdff, ..] => Some(Class::UniqueLocal),
        [0xfe80..=0xfebf, ..] => Some(Class::LinkLocal),
        [0xfec0..=0xfeff, ..] => Some(Class::SiteLocal),
        [0xff00..=0xffff, ..] => Some(Class::Multicast),
        [0x2001, 0, ..] | [0x2002, ..] => Some(Class::EmbeddedV4),
        [0x2001, 2, 0, ..] => Some(Class::Benchmarking),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some(Class::Documentation),
        [0x2001, 0..=0x01ff, ..] => Some(Class::Reserved),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Class::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Class> {
        class(text.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "169.253.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450:4001:82a::200e",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn every_special_range_is_refused_at_both_ends() {
        for (text, class) in [
            ("0.0.0.0", Class::Unspecified),
            ("0.255.255.255", Class::Unspecified),
            ("10.0.0.0", Class::Private),
            ("10.255.255.255", Class::Private),
            ("100.64.0.0", Class::Shared),
            ("100.100.100.200", Class::Shared),
            ("100.127.255.255", Class::Shared),
            ("127.0.0.1", Class::Loopback),
            ("127.255.255.254", Class::Loopback),
            ("168.63.129.16", Class::Metadata),
            ("169.254.169.254", Class::LinkLocal),
            ("172.16.0.0", Class::Private),
            ("172.31.255.255", Class::Private),
            ("192.0.0.192", Class::Reserved),
            ("192.0.2.1", Class::Documentation),
            ("192.88.99.1", Class::EmbeddedV4),
            ("192.168.0.0", Class::Private),
            ("192.168.255.255", Class::Private),
            ("198.18.0.0", Class::Benchmarking),
            ("198.19.255.255", Class::Benchmarking),
            ("198.51.100.1", Class::Documentation),
            ("203.0.113.1", Class::Documentation),
            ("224.0.0.1", Class::Multicast),
            ("239.255.255.255", Class::Multicast),
            ("240.0.0.1", Class::Reserved),
            ("255.255.255.255", Class::Reserved),
            ("::", Class::Unspecified),
            ("::1", Class::Loopback),
            ("::7f00:1", Class::EmbeddedV4),
            ("::ffff:127.0.0.1", Class::EmbeddedV4),
            ("::ffff:8.8.8.8", Class::EmbeddedV4),
            ("::ffff:0:7f00:1", Class::EmbeddedV4),
            ("64:ff9b::7f00:1", Class::EmbeddedV4),
            ("64:ff9b:1::a00:1", Class::EmbeddedV4),
            ("100::1", Class::Reserved),
            ("2001::1", Class::EmbeddedV4),
            ("2001:2::1", Class::Benchmarking),
            ("2001:10::1", Class::Reserved),
            ("2001:1ff::1", Class::Reserved),
            ("2001:db8::1", Class::Documentation),
            ("2002:7f00:1::", Class::EmbeddedV4),
            ("3fff:fff::1", Class::Documentation),
            ("4000::1", Class::Reserved),
            ("5f00::1", Class::Reserved),
            ("fc00::1", Class::UniqueLocal),
            ("fd00:ec2::254", Class::UniqueLocal),
            ("fe80::1", Class::LinkLocal),
            ("fec0::1", Class::SiteLocal),
            ("ff02::1", Class::Multicast),
        ] {
            assert_eq!(of(text), Some(class), "{text}");
        }
    }
}
