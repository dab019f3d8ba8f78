//! Whose network an address is in: what the user declares, what data of theirs or of a public set
//! say, and what kind of network that makes it.
//!
//! Everything is handed in as values and bytes; an answer borrows from them. Nothing here says that
//! somebody is an intruder: a network is a sign among others, and says how sure it is.

mod csv;
mod declared;
mod maxmind;
mod providers;
mod ranges;
mod table;
#[cfg(test)]
mod test_database;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;

use portreeve_model::OriginKind;

pub use csv::TableReader;
pub use providers::{ProviderSign, Providers};
pub use table::RangeTable;

use crate::settings::Settings;
use declared::Declared;
use maxmind::MaxMind;
use providers::Judgement;
use table::Told;

/// Where a set of data comes from, and what its licence asks to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataOrigin {
    /// Its name: a package, a kind of database, a file.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Of which day it is, `YYYY-MM-DD`, where that is known.
    pub date: String,
    /// The licence.
    pub licence: String,
    /// Whom to name for it.
    pub attribution: String,
}

impl DataOrigin {
    fn texts(&self) -> [&String; 5] {
        [
            &self.name,
            &self.version,
            &self.date,
            &self.licence,
            &self.attribution,
        ]
    }

    fn texts_mut(&mut self) -> [&mut String; 5] {
        [
            &mut self.name,
            &mut self.version,
            &mut self.date,
            &mut self.licence,
            &mut self.attribution,
        ]
    }
}

impl std::fmt::Display for DataOrigin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name)?;
        if !self.version.is_empty() {
            write!(formatter, " {}", self.version)?;
        }
        if !self.date.is_empty() {
            write!(formatter, " of {}", self.date)?;
        }
        if !self.attribution.is_empty() {
            write!(formatter, " ({}", self.attribution)?;
            if !self.licence.is_empty() {
                write!(formatter, ", {}", self.licence)?;
            }
            write!(formatter, ")")?;
        }
        Ok(())
    }
}

/// Why data of networks cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkDataError {
    /// Neither of the forms that are known.
    #[error(
        "no data of networks; expected a MaxMind database, or CSV with a header \
         `network,asn,organisation,country`, or rows `first,last,number,organisation`"
    )]
    NoTable,
    /// The compact form is damaged.
    #[error("a damaged table of networks ({0}); fetch it again with `portreeve networks update`")]
    BrokenTable(&'static str),
    /// The MaxMind database cannot be read.
    #[error("a MaxMind database that cannot be read: {0}")]
    BrokenDatabase(String),
    /// There is nothing in it.
    #[error("a table of networks without a single range that can be read{0}")]
    Empty(String),
}

/// One set of data, in memory.
#[derive(Debug)]
pub struct NetworkData(Box<Form>);

#[derive(Debug)]
enum Form {
    Table(RangeTable),
    MaxMind(MaxMind),
}

impl NetworkData {
    /// The format of data of networks by its first bytes and its last ones (a MaxMind database is
    /// told by what stands near its end, in the last 128 KiB); `None` where it is none.
    pub fn recognise(head: &[u8], tail: &[u8]) -> Option<&'static str> {
        if head.starts_with(table::MAGIC) {
            Some("networks.table")
        } else if tail
            .windows(maxmind::MARKER.len())
            .any(|window| window == maxmind::MARKER)
        {
            Some("networks.maxmind")
        } else if csv::recognise(head) {
            Some("networks.csv")
        } else {
            None
        }
    }

    /// Takes a table.
    pub fn of_table(table: RangeTable) -> Self {
        Self(Box::new(Form::Table(table)))
    }

    /// Reads data in any of the known forms. Also tells what could not be read, where the rest
    /// could.
    pub fn read(name: &str, bytes: Vec<u8>) -> Result<(Self, Vec<String>), NetworkDataError> {
        let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
        match Self::recognise(&bytes, tail).ok_or(NetworkDataError::NoTable)? {
            "networks.table" => Ok((Self::of_table(RangeTable::from_bytes(&bytes)?), Vec::new())),
            "networks.maxmind" => {
                let database = MaxMind::new(name, bytes)?;
                Ok((Self(Box::new(Form::MaxMind(database))), Vec::new()))
            }
            _ => {
                let mut reader = TableReader::default();
                reader.read(name, &bytes)?;
                let (table, unread, mut problems) = reader.finish(DataOrigin {
                    name: name.to_owned(),
                    ..DataOrigin::default()
                });
                if table.is_empty() {
                    let first = problems.first().map(|problem| format!(": {problem}"));
                    return Err(NetworkDataError::Empty(first.unwrap_or_default()));
                }
                let more = unread.saturating_sub(problems.len() as u64);
                if more > 0 {
                    problems.push(format!("{name}: {more} more rows without a range"));
                }
                Ok((Self::of_table(table), problems))
            }
        }
    }

    /// Where it comes from.
    pub fn origin(&self) -> &DataOrigin {
        match &*self.0 {
            Form::Table(table) => table.origin(),
            Form::MaxMind(database) => &database.origin,
        }
    }

    /// How many ranges it has, where that is known without counting.
    pub fn ranges(&self) -> Option<usize> {
        match &*self.0 {
            Form::Table(table) => Some(table.len()),
            Form::MaxMind(_) => None,
        }
    }

    /// Whether it tells operators by their AS numbers.
    pub fn tells_asn(&self) -> bool {
        match &*self.0 {
            Form::Table(table) => table.tells_asn(),
            Form::MaxMind(database) => database.tells_asn,
        }
    }

    /// Whether it tells countries.
    pub fn tells_country(&self) -> bool {
        match &*self.0 {
            Form::Table(table) => table.tells_country(),
            Form::MaxMind(database) => database.tells_country,
        }
    }

    fn find(&self, address: IpAddr) -> Option<Told<'_>> {
        match &*self.0 {
            Form::Table(table) => table.find(address),
            Form::MaxMind(database) => database.find(address),
        }
    }
}

/// How much of the end of a file may hold the mark of a MaxMind database.
pub const TAIL: usize = 128 * 1024;

/// What is known of networks: made once for a run, asked once an address.
#[derive(Debug)]
pub struct Networks {
    declared: Declared,
    /// The first that tells something of an address counts for it.
    data: Vec<NetworkData>,
    providers: Providers,
}

impl Default for Networks {
    fn default() -> Self {
        Self::new(&Settings::default(), Vec::new())
    }
}

/// What is known of one address's network. What is not known is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Network<'n> {
    /// The number of the autonomous system that announces it.
    pub asn: Option<u32>,
    /// Who runs that.
    pub organisation: Option<&'n str>,
    /// Two capital letters: where the data place it.
    pub country: Option<&'n str>,
    /// What kind of network it is: the declared class, else one that is sure enough.
    pub class: Option<&'n str>,
    /// How sure the class is, from 0 to 1; 1 where it is declared.
    pub certainty: f64,
    /// Whether the class is the user's word.
    pub declared: bool,
    /// The name that the user or the data give it.
    label: Option<&'n str>,
    address: Option<IpAddr>,
    /// Whether it is a declared way out of the own organisation's: offices, pipelines.
    pub own: bool,
    /// The vendor whose declared network it is, by its number in [`Settings::vendors`].
    pub vendor: Option<usize>,
}

/// Why a network is said to be what it is.
#[derive(Debug, Default)]
pub struct Explanation<'n> {
    /// What is known.
    pub network: Network<'n>,
    /// The declaration that holds, in words.
    pub declaration: Option<String>,
    /// The data that tell something of the address.
    pub told_by: Vec<&'n DataOrigin>,
    /// All classes that signs speak for, the surest first.
    pub classes: Vec<(&'n str, f64)>,
    /// The signs.
    pub signs: Vec<&'n ProviderSign>,
}

impl<'n> Network<'n> {
    /// What the network is called, to tell whether two addresses are in one: the declared range's
    /// name, else the AS number as `AS64500`, else the /24 or /48 around the address. Nothing has
    /// no name.
    pub fn name(&self) -> Option<Cow<'n, str>> {
        let address = self.address?;
        Some(match (self.label, self.asn) {
            (Some(label), _) => Cow::Borrowed(label),
            (None, Some(asn)) => Cow::Owned(format!("AS{asn}")),
            (None, None) => Cow::Owned(ranges::prefix(address).to_string()),
        })
    }
}

impl Networks {
    /// Joins what the user declares with data of networks; of two sets that tell something the
    /// first counts.
    pub fn new(settings: &Settings, data: Vec<NetworkData>) -> Self {
        Self {
            declared: Declared::new(settings),
            // Without data no operator is known, and there is nothing to judge.
            providers: if data.is_empty() {
                Providers::none()
            } else {
                Providers::built_in()
            },
            data,
        }
    }

    /// Whether neither user nor data tell anything of any network.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty() && self.declared.is_empty()
    }

    /// The sets of data that are used.
    pub fn data(&self) -> &[NetworkData] {
        &self.data
    }

    /// What is known of the network of an address, as recorded. Of what is no address, as the name
    /// of a service, nothing is known.
    pub fn of(&self, address: &str) -> Network<'_> {
        address
            .parse()
            .map(|address| self.judge(address).0)
            .unwrap_or_default()
    }

    /// The same, with the reasons; `None` for what is no address.
    pub fn explain(&self, address: &str) -> Option<Explanation<'_>> {
        let address = address.parse().ok()?;
        let (network, judgement) = self.judge(address);
        Some(Explanation {
            declaration: self.declared.words(address, network.asn),
            told_by: self
                .data
                .iter()
                .filter(|data| {
                    data.find(address)
                        .is_some_and(|told| told != Told::default())
                })
                .map(NetworkData::origin)
                .collect(),
            signs: judgement
                .signs
                .iter()
                .filter_map(|number| self.providers.sign(*number))
                .collect(),
            classes: judgement.classes,
            network,
        })
    }

    fn judge(&self, address: IpAddr) -> (Network<'_>, Judgement<'_>) {
        let mut told = Told::default();
        for found in self.data.iter().filter_map(|data| data.find(address)) {
            // Number and operator belong together, whoever tells them.
            if told.asn.is_none() && told.organisation.is_none() {
                told.asn = found.asn;
                told.organisation = found.organisation;
            }
            told.country = told.country.or(found.country);
            told.class = told.class.or(found.class);
            told.name = told.name.or(found.name);
        }
        let judgement = self.providers.judge(told.asn, told.organisation);
        let declared = self.declared.find(address, told.asn);
        let sure = judgement
            .classes
            .first()
            .filter(|(_, certainty)| *certainty >= self.providers.bound());
        let class = declared.class.or(told.class);
        let network = Network {
            asn: told.asn,
            organisation: told.organisation,
            country: told.country,
            class: class.or(sure.map(|(class, _)| *class)),
            certainty: match (class, sure) {
                (Some(_), _) => 1.0,
                (None, Some((_, certainty))) => *certainty,
                (None, None) => 0.0,
            },
            declared: declared.class.is_some(),
            label: declared.name.or(told.name),
            address: Some(address),
            own: declared.own,
            vendor: declared.vendor,
        };
        (network, judgement)
    }

    /// Whether a principal's calls from a network are expected: from a way out of the own
    /// organisation's, or from a vendor's by a principal that is the vendor's.
    pub fn expects(&self, network: &Network<'_>, principal: &str) -> bool {
        network.own
            || network
                .vendor
                .is_some_and(|vendor| self.declared.is_vendors(vendor, principal))
    }
}

/// Whether the recorded address is the caller's own. It is not where a service is named in its
/// place, and not where Identity Center takes a person's role session: it calls
/// `AssumeRoleWithSAML` itself, from an address of the provider's; the person's stands in the call
/// of the portal before.
pub fn is_callers_address<'t>(
    kind: OriginKind,
    operation: &str,
    mut targets: impl Iterator<Item = &'t str>,
) -> bool {
    matches!(kind, OriginKind::Public | OriginKind::Private)
        && !(operation == "AssumeRoleWithSAML"
            && targets.any(|target| target.contains(RESERVED_ROLE)))
}

/// How the names of Identity Center's roles begin.
pub(crate) const RESERVED_ROLE: &str = "AWSReservedSSO_";
