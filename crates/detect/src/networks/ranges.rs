use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Ranges of addresses, each with a number that stands for what is said of it. No two overlap:
/// where ranges were nested the narrower one has its part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges {
    pub(super) four: Vec<Range<u32>>,
    pub(super) six: Vec<Range<u128>>,
}

/// From the first address to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range<A> {
    pub(super) first: A,
    pub(super) last: A,
    pub(super) value: u32,
}

impl Ranges {
    /// What is said of an address.
    pub(super) fn find(&self, address: IpAddr) -> Option<u32> {
        match address.to_canonical() {
            IpAddr::V4(address) => find(&self.four, address.to_bits()),
            IpAddr::V6(address) => find(&self.six, address.to_bits()),
        }
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.four.len() + self.six.len()
    }
}

fn find<A: Copy + Ord>(ranges: &[Range<A>], address: A) -> Option<u32> {
    let position = ranges.partition_point(|range| range.last < address);
    let range = ranges.get(position)?;
    (range.first <= address).then_some(range.value)
}

/// Collects ranges in any order.
#[derive(Debug, Default)]
pub(super) struct Builder {
    four: Vec<Range<u32>>,
    six: Vec<Range<u128>>,
}

impl Builder {
    /// Adds a range; `false` where the two ends are none.
    pub(super) fn add(&mut self, first: IpAddr, last: IpAddr, value: u32) -> bool {
        match (first.to_canonical(), last.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => self.four.push(Range {
                first: first.to_bits(),
                last: last.to_bits(),
                value,
            }),
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => self.six.push(Range {
                first: first.to_bits(),
                last: last.to_bits(),
                value,
            }),
            _ => return false,
        }
        true
    }

    /// Adds a range in CIDR notation.
    pub(super) fn add_network(&mut self, network: IpNet, value: u32) -> bool {
        self.add(network.network(), network.broadcast(), value)
    }

    /// Parts nested ranges. Of equal ones the one that was added last counts.
    pub(super) fn build(self) -> Ranges {
        Ranges {
            four: flatten(self.four, |last| last.checked_add(1), |first| first - 1),
            six: flatten(self.six, |last| last.checked_add(1), |first| first - 1),
        }
    }
}

/// Walks the ranges by their first address with those that are open on a stack: the top one, which
/// began last, has the addresses up to where it ends or the next begins. `before` is only asked
/// for addresses that another is below.
fn flatten<A: Copy + Ord>(
    mut ranges: Vec<Range<A>>,
    after: impl Fn(A) -> Option<A>,
    before: impl Fn(A) -> A,
) -> Vec<Range<A>> {
    // Stable, so that equal ranges stay in the order in which they were added.
    ranges.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
    let mut flat: Vec<Range<A>> = Vec::with_capacity(ranges.len());
    let mut open: Vec<Range<A>> = Vec::new();
    // The first address that is not told yet; `None` behind the last address there is.
    let mut next = ranges.first().map(|range| range.first);
    let close = |top: Range<A>, next: &mut Option<A>, flat: &mut Vec<Range<A>>| {
        if let Some(first) = *next
            && first <= top.last
        {
            flat.push(Range { first, ..top });
            *next = after(top.last);
        }
    };
    for range in ranges {
        while let Some(top) = open.last().copied()
            && top.last < range.first
        {
            open.pop();
            close(top, &mut next, &mut flat);
        }
        if let (Some(top), Some(first)) = (open.last(), next)
            && first < range.first
        {
            flat.push(Range {
                first,
                last: before(range.first),
                value: top.value,
            });
        }
        next = Some(range.first);
        open.push(range);
    }
    while let Some(top) = open.pop() {
        close(top, &mut next, &mut flat);
    }
    flat
}

/// The small network that an address is in: a /24, for IPv6 a /48, as they are given to one site.
pub(super) fn prefix(address: IpAddr) -> IpNet {
    let (address, length) = match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            (IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), 24)
        }
        IpAddr::V6(address) => {
            let kept = address.to_bits() >> 80 << 80;
            (IpAddr::V6(Ipv6Addr::from_bits(kept)), 48)
        }
    };
    IpNet::new_assert(address, length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v4(bits: u32) -> IpAddr {
        Ipv4Addr::from_bits(bits).into()
    }

    #[test]
    fn the_narrower_range_has_its_part() {
        let mut builder = Builder::default();
        for (value, network) in ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "0.0.0.0/0"]
            .into_iter()
            .enumerate()
        {
            assert!(builder.add_network(network.parse().unwrap(), value as u32));
        }
        let ranges = builder.build();
        let find = |address: &str| ranges.find(address.parse().unwrap());
        assert_eq!(find("10.1.2.3"), Some(2));
        assert_eq!(find("10.1.3.3"), Some(1));
        assert_eq!(find("10.0.0.0"), Some(0));
        assert_eq!(find("10.255.255.255"), Some(0));
        assert_eq!(find("11.0.0.0"), Some(3));
        assert_eq!(find("255.255.255.255"), Some(3));
        assert_eq!(find("::ffff:10.1.2.3"), Some(2));
        assert_eq!(find("2001:db8::1"), None);
        assert_eq!(ranges.len(), 7);
    }

    #[test]
    fn a_range_that_runs_backwards_or_mixes_families_is_none() {
        let mut builder = Builder::default();
        assert!(!builder.add(v4(2), v4(1), 0));
        assert!(!builder.add(v4(2), "2001:db8::1".parse().unwrap(), 0));
        assert_eq!(builder.build(), Ranges::default());
    }

    #[test]
    fn prefixes_are_those_of_small_networks() {
        let of = |address: &str| prefix(address.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.41"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(of("::ffff:192.0.2.41"), "192.0.2.0/24");
    }

    proptest! {
        /// Ranges that are nested or apart, as networks are: the narrowest that holds an address
        /// tells, of equal ones the last.
        #[test]
        fn networks_tell_as_if_asked_one_by_one(
            networks in prop::collection::vec((0_u32..256, 24_u8..=32), 0..24),
        ) {
            let networks: Vec<IpNet> = networks
                .into_iter()
                .map(|(bits, length)| IpNet::new_assert(v4(bits), length).trunc())
                .collect();
            let mut builder = Builder::default();
            for (value, network) in networks.iter().enumerate() {
                builder.add_network(*network, value as u32);
            }
            let ranges = builder.build();
            for bits in 0..260 {
                let expected = networks
                    .iter()
                    .enumerate()
                    .filter(|(_, network)| network.contains(&v4(bits)))
                    .max_by_key(|(position, network)| (network.prefix_len(), *position))
                    .map(|(position, _)| position as u32);
                prop_assert_eq!(ranges.find(v4(bits)), expected);
            }
        }

        /// Whatever the ranges, none of those that are kept overlap, and each address is told by a
        /// range that holds it.
        #[test]
        fn no_two_ranges_overlap(ends in prop::collection::vec((0_u32..64, 0_u32..64), 0..24)) {
            let mut builder = Builder::default();
            for (value, (first, last)) in ends.iter().enumerate() {
                builder.add(v4(*first), v4(*last), value as u32);
            }
            let ranges = builder.build();
            prop_assert!(ranges.four.windows(2).all(|pair| pair[0].last < pair[1].first));
            for bits in 0..64 {
                let held = ends.iter().any(|(first, last)| (*first..=*last).contains(&bits));
                let found = ranges.find(v4(bits));
                prop_assert_eq!(found.is_some(), held);
                if let Some(value) = found {
                    let (first, last) = ends[value as usize];
                    prop_assert!((first..=last).contains(&bits));
                }
            }
        }
    }
}
