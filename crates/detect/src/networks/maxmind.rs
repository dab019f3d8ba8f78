//! Databases in the MaxMind format, whoever made them.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::csv::as_number;
use super::table::Told;
use super::{DataOrigin, NetworkDataError};

/// What stands before the metadata, near the end of every such file. See "Database Metadata" in the
/// MaxMind DB file format specification.
pub(super) const MARKER: &[u8; 14] = b"\xab\xcd\xefMaxMind.com";

/// A database in memory.
#[derive(Debug)]
pub(super) struct MaxMind {
    reader: maxminddb::Reader<Vec<u8>>,
    pub(super) origin: DataOrigin,
    pub(super) tells_asn: bool,
    pub(super) tells_country: bool,
}

/// What records of the known databases hold: GeoLite2 and GeoIP2 ASN, ISP, Country, City,
/// Enterprise, Anonymous IP; IPinfo's; the open sets' own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record<'d> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'d str>,
    #[serde(borrow)]
    asn: Option<NumberOrText<'d>>,
    #[serde(borrow)]
    as_name: Option<&'d str>,
    #[serde(borrow)]
    organization: Option<&'d str>,
    #[serde(borrow)]
    isp: Option<&'d str>,
    #[serde(borrow)]
    country: Option<Country<'d>>,
    #[serde(borrow)]
    country_code: Option<&'d str>,
    #[serde(borrow)]
    registered_country: Option<Country<'d>>,
    #[serde(borrow)]
    traits: Option<Traits<'d>>,
    is_anonymous_vpn: bool,
    is_hosting_provider: bool,
    is_public_proxy: bool,
    is_residential_proxy: bool,
    is_tor_exit_node: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum NumberOrText<'d> {
    Number(u32),
    Text(&'d str),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Country<'d> {
    Code(&'d str),
    Record {
        #[serde(default)]
        iso_code: Option<&'d str>,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traits<'d> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'d str>,
    #[serde(borrow)]
    user_type: Option<&'d str>,
}

impl<'d> Country<'d> {
    fn code(&self) -> Option<&'d str> {
        let code = match self {
            Country::Code(code) => Some(*code),
            Country::Record { iso_code } => *iso_code,
        };
        code.filter(|code| code.len() == 2)
    }
}

impl Record<'_> {
    /// The class by what the database says outright.
    fn class(&self) -> Option<&'static str> {
        let user_type = self.traits.as_ref().and_then(|traits| traits.user_type);
        if self.is_tor_exit_node {
            return Some("tor");
        }
        if self.is_anonymous_vpn {
            return Some("vpn");
        }
        if self.is_residential_proxy || self.is_public_proxy {
            return Some("proxy");
        }
        if self.is_hosting_provider {
            return Some("hosting");
        }
        // The values of `user_type` that GeoIP2 documents.
        match user_type? {
            "hosting" | "content_delivery_network" => Some("hosting"),
            "residential" | "dialup" => Some("residential"),
            "cellular" => Some("mobile"),
            "college" | "school" | "library" => Some("education"),
            "business" => Some("business"),
            "consumer_privacy_network" => Some("vpn"),
            _ => None,
        }
    }
}

impl MaxMind {
    pub(super) fn new(name: &str, bytes: Vec<u8>) -> Result<Self, NetworkDataError> {
        let reader = maxminddb::Reader::from_source(bytes)
            .map_err(|error| NetworkDataError::BrokenDatabase(error.to_string()))?;
        let metadata = reader.metadata();
        let kind = metadata.database_type.clone();
        let date = i64::try_from(metadata.build_epoch)
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .map(|time| time.to_zoned(TimeZone::UTC).date().to_string())
            .unwrap_or_default();
        let has = |words: &[&str]| {
            let lower = kind.to_ascii_lowercase();
            words.iter().any(|word| lower.contains(word))
        };
        // The type is a free text: what it does not tell is taken to be in it.
        let (asn, country) = (
            has(&["asn", "isp", "enterprise"]),
            has(&["country", "city", "enterprise"]),
        );
        // What MaxMind's licence for GeoLite asks to be said.
        let attribution = if kind.starts_with("GeoLite2") {
            DataOrigin {
                licence: "GeoLite End User License Agreement".to_owned(),
                attribution: "GeoLite2 data created by MaxMind, https://www.maxmind.com".to_owned(),
                ..DataOrigin::default()
            }
        } else {
            DataOrigin::default()
        };
        let origin = DataOrigin {
            name: if kind.is_empty() {
                name.to_owned()
            } else {
                kind
            },
            date,
            ..attribution
        };
        Ok(Self {
            tells_asn: asn || !country,
            tells_country: country || !asn,
            reader,
            origin,
        })
    }

    /// What the database says; nothing where it says nothing, or cannot be read at this place.
    pub(super) fn find(&self, address: IpAddr) -> Option<Told<'_>> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let record: Record<'_> = found.decode().ok()??;
        let class = record.class();
        let traits = record.traits.unwrap_or_default();
        let asn = record
            .autonomous_system_number
            .or(match record.asn {
                Some(NumberOrText::Number(number)) => Some(number),
                Some(NumberOrText::Text(text)) => as_number(text),
                None => None,
            })
            .or(traits.autonomous_system_number)
            .filter(|number| *number != 0);
        let country = record
            .country
            .and_then(|country| country.code())
            .or(record.country_code)
            .or_else(|| record.registered_country.and_then(|country| country.code()));
        let organisation = record
            .autonomous_system_organization
            .or(traits.autonomous_system_organization)
            .or(record.as_name)
            .or(record.organization)
            .or(record.isp)
            .filter(|name| !name.is_empty());
        Some(Told {
            asn,
            organisation,
            country,
            class,
            name: None,
        })
    }
}
