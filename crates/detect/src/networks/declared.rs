//! What the user declares of networks, for looking up.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::ranges::{Builder, Ranges};
use crate::settings::{Settings, matches_pattern};

/// The classes of the organisation's own ways out.
const OWN: &[&str] = &["corporate", "office", "pipeline"];

/// The class of a vendor's networks.
const VENDOR: &str = "vendor";

/// Declarations: those of ranges, the narrowest first, then those of AS numbers.
#[derive(Debug, Default)]
pub(super) struct Declared {
    ranges: Ranges,
    of_asn: BTreeMap<u32, usize>,
    entries: Vec<Entry>,
    /// The principals of each vendor; none stands for all.
    vendors: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// What was declared: a range or an AS number.
    what: String,
    class: String,
    name: String,
    own: bool,
    vendor: Option<usize>,
}

/// What holds for an address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found<'d> {
    pub(super) class: Option<&'d str>,
    pub(super) name: Option<&'d str>,
    pub(super) own: bool,
    pub(super) vendor: Option<usize>,
}

impl Declared {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut declared = Self {
            vendors: settings
                .vendors
                .iter()
                .map(|vendor| vendor.principals.clone())
                .collect(),
            ..Self::default()
        };
        let mut builder = Builder::default();
        // Vendors first: of equal ranges the one that is added last counts, and what is said of
        // the range itself is the closer word.
        for (number, vendor) in settings.vendors.iter().enumerate() {
            for range in &vendor.networks {
                declared.add(
                    &mut builder,
                    *range,
                    VENDOR,
                    &vendor.name,
                    false,
                    Some(number),
                );
            }
        }
        for (range, class) in &settings.networks {
            let detail = settings.network_details.get(range);
            let name = detail.and_then(|detail| detail.name.as_deref());
            let own = detail
                .and_then(|detail| detail.own)
                .unwrap_or_else(|| OWN.contains(&class.as_str()));
            let text = range.to_string();
            declared.add(
                &mut builder,
                *range,
                class,
                name.unwrap_or(&text),
                own,
                None,
            );
        }
        declared.ranges = builder.build();
        for (asn, network) in &settings.autonomous_systems {
            let what = format!("AS{asn}");
            declared.of_asn.insert(*asn, declared.entries.len());
            declared.entries.push(Entry {
                name: network.name.clone().unwrap_or_else(|| what.clone()),
                what,
                own: network
                    .own
                    .unwrap_or_else(|| OWN.contains(&network.class.as_str())),
                class: network.class.clone(),
                vendor: None,
            });
        }
        declared
    }

    fn add(
        &mut self,
        builder: &mut Builder,
        range: IpNet,
        class: &str,
        name: &str,
        own: bool,
        vendor: Option<usize>,
    ) {
        builder.add_network(range, self.entries.len() as u32);
        self.entries.push(Entry {
            what: range.to_string(),
            class: class.to_owned(),
            name: name.to_owned(),
            own,
            vendor,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, address: IpAddr, asn: Option<u32>) -> Option<&Entry> {
        let number = match self.ranges.find(address) {
            Some(number) => number as usize,
            None => *self.of_asn.get(&asn?)?,
        };
        self.entries.get(number)
    }

    pub(super) fn find(&self, address: IpAddr, asn: Option<u32>) -> Found<'_> {
        let Some(entry) = self.entry(address, asn) else {
            return Found::default();
        };
        Found {
            class: Some(&entry.class),
            name: Some(&entry.name),
            own: entry.own,
            vendor: entry.vendor,
        }
    }

    /// The declaration in words: `198.51.100.0/28 is corporate (office Berlin)`.
    pub(super) fn words(&self, address: IpAddr, asn: Option<u32>) -> Option<String> {
        let entry = self.entry(address, asn)?;
        let name = if entry.name == entry.what {
            String::new()
        } else {
            format!(" ({})", entry.name)
        };
        Some(format!("{} is {}{name}", entry.what, entry.class))
    }

    /// Whether a principal is one of a vendor's.
    pub(super) fn is_vendors(&self, vendor: usize, principal: &str) -> bool {
        self.vendors.get(vendor).is_some_and(|principals| {
            principals.is_empty()
                || principals
                    .iter()
                    .any(|pattern| matches_pattern(pattern, principal))
        })
    }
}
