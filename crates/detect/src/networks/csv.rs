//! Tables of ranges as people and public sets write them: CSV with a header in any order of
//! columns, or the open set's own form without one.

use std::net::IpAddr;

use csv::{ByteRecord, ReaderBuilder};
use ipnet::IpNet;

use super::table::{TableBuilder, Told};
use super::{DataOrigin, NetworkDataError, RangeTable};

/// How many problems are told one by one.
const PROBLEMS: usize = 20;

/// Which column says what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Columns {
    network: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    asn: Option<usize>,
    organisation: Option<usize>,
    country: Option<usize>,
    class: Option<usize>,
    name: Option<usize>,
    /// Whether the first line names the columns.
    header: bool,
}

impl Columns {
    /// Tells the columns by the first line; `None` where it is no table of ranges.
    fn of(line: &ByteRecord) -> Option<Self> {
        Self::of_header(line).or_else(|| Self::of_row(line))
    }

    /// Names that public sets use: GeoLite2's blocks, the open sets, IPinfo's tables, and plain
    /// ones.
    fn of_header(line: &ByteRecord) -> Option<Self> {
        let mut columns = Self {
            header: true,
            ..Self::default()
        };
        for (at, field) in line.iter().enumerate() {
            let name: String = String::from_utf8_lossy(field)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_ascii_lowercase()
                .replace([' ', '-'], "_");
            let column = match name.as_str() {
                "network" | "cidr" | "prefix" | "range" => &mut columns.network,
                "range_start" | "ip_range_start" | "start_ip" | "start" | "first" => {
                    &mut columns.first
                }
                "range_end" | "ip_range_end" | "end_ip" | "end" | "last" => &mut columns.last,
                "asn" | "as_number" | "autonomous_system_number" => &mut columns.asn,
                "organisation"
                | "organization"
                | "as_name"
                | "as_organisation"
                | "as_organization"
                | "autonomous_system_organization"
                | "isp" => &mut columns.organisation,
                "country" | "country_code" | "country_iso_code" => &mut columns.country,
                "class" | "network_class" => &mut columns.class,
                "name" | "label" => &mut columns.name,
                _ => continue,
            };
            *column = column.or(Some(at));
        }
        let ranges =
            columns.network.is_some() || (columns.first.is_some() && columns.last.is_some());
        let says = [
            columns.asn,
            columns.organisation,
            columns.country,
            columns.class,
            columns.name,
        ];
        (ranges && says.iter().any(Option::is_some)).then_some(columns)
    }

    /// Rows of the open sets: `first,last,number,organisation`, or `first,last,country`.
    fn of_row(line: &ByteRecord) -> Option<Self> {
        let first: IpAddr = text(line, Some(0))?.parse().ok()?;
        let last: IpAddr = text(line, Some(1))?.parse().ok()?;
        if first > last {
            return None;
        }
        let columns = Self {
            first: Some(0),
            last: Some(1),
            ..Self::default()
        };
        let third = text(line, Some(2))?;
        match line.len() {
            3 | 4 if as_number(third).is_some() => Some(Self {
                asn: Some(2),
                organisation: (line.len() == 4).then_some(3),
                ..columns
            }),
            3 if country(third).is_some() => Some(Self {
                country: Some(2),
                ..columns
            }),
            _ => None,
        }
    }
}

/// Whether a text begins as a table of ranges does.
pub(super) fn recognise(head: &[u8]) -> bool {
    let end = head.iter().position(|byte| *byte == b'\n');
    // A first line that does not end here is no line of such a table.
    let line = &head[..end.unwrap_or(head.len())];
    if line.len() > 4096 || line.contains(&0) {
        return false;
    }
    first_line(line).is_some_and(|line| Columns::of(&line).is_some())
}

fn first_line(bytes: &[u8]) -> Option<ByteRecord> {
    let mut reader = reader(bytes);
    let mut line = ByteRecord::new();
    matches!(reader.read_byte_record(&mut line), Ok(true)).then_some(line)
}

fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes)
}

/// Reads tables into one. Several files may make one set: that of IPv4 and that of IPv6.
#[derive(Debug, Default)]
pub struct TableReader {
    builder: TableBuilder,
    problems: Vec<String>,
    unread: u64,
}

impl TableReader {
    /// Reads one file.
    pub fn read(&mut self, name: &str, bytes: &[u8]) -> Result<(), NetworkDataError> {
        let columns = first_line(bytes)
            .and_then(|line| Columns::of(&line))
            .ok_or(NetworkDataError::NoTable)?;
        let mut reader = reader(bytes);
        let mut line = ByteRecord::new();
        let mut skip = columns.header;
        loop {
            match reader.read_byte_record(&mut line) {
                Ok(true) if skip => skip = false,
                Ok(true) => {
                    if let Err(problem) = self.row(&columns, &line) {
                        let at = line.position().map_or(0, csv::Position::line);
                        self.problem(format!("{name}, line {at}: {problem}"));
                    }
                }
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.problem(format!("{name}: {error}"));
                    return Ok(());
                }
            }
        }
    }

    fn problem(&mut self, problem: String) {
        self.unread += 1;
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn row(&mut self, columns: &Columns, line: &ByteRecord) -> Result<(), &'static str> {
        let get = |column| text(line, column);
        if line.iter().all(|field| field.trim_ascii().is_empty()) {
            return Ok(());
        }
        let ends = match get(columns.network) {
            Some(network) => network_ends(network),
            None => get(columns.first)
                .and_then(|first| first.parse().ok())
                .zip(get(columns.last).and_then(|last| last.parse().ok())),
        };
        let (first, last) = ends.ok_or("no range of addresses")?;
        let told = Told {
            asn: get(columns.asn).and_then(as_number),
            organisation: get(columns.organisation),
            country: get(columns.country).and_then(country),
            class: get(columns.class),
            name: get(columns.name),
        };
        if self.builder.add(first, last, &told) {
            Ok(())
        } else {
            Err("a range that ends before it begins")
        }
    }

    /// The table, with what could not be read: how many rows, and the first of them.
    pub fn finish(self, origin: DataOrigin) -> (RangeTable, u64, Vec<String>) {
        (self.builder.build(origin), self.unread, self.problems)
    }
}

/// `192.0.2.0/24`, a single address, or `192.0.2.0 - 192.0.2.9`.
fn network_ends(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Some((network.network(), network.broadcast()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address, address));
    }
    let (first, last) = text.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

fn text(line: &ByteRecord, column: Option<usize>) -> Option<&str> {
    let text = std::str::from_utf8(line.get(column?)?).ok()?.trim();
    (!text.is_empty()).then_some(text)
}

/// `64500` or `AS64500`.
pub(super) fn as_number(text: &str) -> Option<u32> {
    let digits = text
        .strip_prefix("AS")
        .or_else(|| text.strip_prefix("as"))
        .unwrap_or(text);
    let number = digits.parse().ok()?;
    (number != 0).then_some(number)
}

/// Two capital letters.
fn country(text: &str) -> Option<&str> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (RangeTable, u64, Vec<String>) {
        let mut reader = TableReader::default();
        reader.read("t.csv", text.as_bytes()).unwrap();
        reader.finish(DataOrigin::default())
    }

    #[test]
    fn columns_are_told_by_name_in_any_order() {
        for text in [
            "network,asn,organisation,country\n192.0.2.0/24,AS64500,Example Net,DE\n",
            "Country,Organization,ASN,CIDR,Remark\r\nDE,Example Net,64500,192.0.2.0/24,x\r\n",
            "\u{feff}start_ip,end_ip,country_code,asn,as_name\n192.0.2.0,192.0.2.255,DE,AS64500,Example Net\n",
        ] {
            assert!(recognise(text.as_bytes()), "{text}");
            let (table, unread, _) = read(text);
            assert_eq!(unread, 0);
            let told = table.find("192.0.2.77".parse().unwrap()).unwrap();
            assert_eq!(told.asn, Some(64500), "{text}");
            assert_eq!(told.organisation, Some("Example Net"));
            assert_eq!(told.country, Some("DE"));
        }
    }

    #[test]
    fn the_open_sets_have_no_header() {
        let (numbers, ..) = read(
            "1.0.0.0,1.0.0.255,13335,\"Cloudflare, Inc.\"\n2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,2500,WIDE Project\n",
        );
        let told = numbers.find("1.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(told.organisation, Some("Cloudflare, Inc."));
        let told = numbers.find("2001:200::1".parse().unwrap()).unwrap();
        assert_eq!(told.asn, Some(2500));
        let (countries, ..) = read("1.0.0.0,1.0.0.255,AU\n1.0.1.0,1.0.3.255,CN\n");
        let told = countries.find("1.0.2.0".parse().unwrap()).unwrap();
        assert_eq!((told.country, told.asn), (Some("CN"), None));
    }

    #[test]
    fn rows_that_are_none_are_counted_and_the_others_read() {
        let (table, unread, problems) = read(
            "network,class\n192.0.2.0/24,vpn\nnonsense,vpn\n\n192.0.2.9-192.0.2.3,x\n198.51.100.7,home\n",
        );
        assert_eq!(unread, 2);
        assert!(problems[0].contains("line 3"), "{problems:?}");
        assert!(problems[1].contains("ends before"), "{problems:?}");
        let told = table.find("198.51.100.7".parse().unwrap()).unwrap();
        assert_eq!(told.class, Some("home"));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn other_files_are_not_taken_for_tables() {
        for text in [
            "eventTime,eventName,sourceIPAddress\n",
            "name,country\nx,DE\n",
            "192.0.2.1\n192.0.2.2\n",
            "192.0.2.1,192.0.2.2,hello\n",
            "indicator,type\n192.0.2.1,ip\n",
            "{\"Records\":[]}",
            "",
        ] {
            assert!(!recognise(text.as_bytes()), "{text}");
        }
    }
}
