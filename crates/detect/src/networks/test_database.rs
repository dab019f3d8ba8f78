//! Writes small databases in the MaxMind format, by its public specification, so that tests need
//! nobody's data.

/// A value of the format's data section.
#[allow(dead_code)]
pub(crate) enum Data<'d> {
    Text(&'d str),
    Short(u16),
    Number(u32),
    Long(u64),
    Yes,
    Map(&'d [(&'d str, Data<'d>)]),
}

impl Data<'_> {
    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Data::Text(text) => {
                control(bytes, 2, text.len());
                bytes.extend_from_slice(text.as_bytes());
            }
            Data::Short(number) => {
                control(bytes, 5, 2);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            Data::Long(number) => {
                control(bytes, 9, 8);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            Data::Number(number) => {
                control(bytes, 6, 4);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            Data::Yes => control(bytes, 14, 1),
            Data::Map(pairs) => {
                control(bytes, 7, pairs.len());
                for (key, value) in *pairs {
                    Data::Text(key).write(bytes);
                    value.write(bytes);
                }
            }
        }
    }
}

/// The byte that says what comes and how long it is; kinds above 7 take a second one.
fn control(bytes: &mut Vec<u8>, kind: u8, size: usize) {
    let (length, more) = if size < 29 {
        (size as u8, None)
    } else {
        (29, Some((size - 29) as u8))
    };
    if kind <= 7 {
        bytes.push(kind << 5 | length);
    } else {
        bytes.push(length);
        bytes.push(kind - 7);
    }
    bytes.extend(more);
}

/// A database of IPv4 networks, each with its record. The networks must be apart.
pub(crate) fn database(kind: &str, networks: &[(&str, Data<'_>)]) -> Vec<u8> {
    // Nodes of the tree: to where each bit leads; 0 for nowhere.
    #[derive(Clone, Copy, PartialEq)]
    enum To {
        Nothing,
        Node(usize),
        Data(usize),
    }
    let mut nodes = vec![[To::Nothing; 2]];
    let mut data = Vec::new();
    for (network, record) in networks {
        let network: ipnet::Ipv4Net = network.parse().unwrap();
        let offset = data.len();
        record.write(&mut data);
        let mut node = 0;
        for depth in 0..network.prefix_len() {
            let bit = (network.network().to_bits() >> (31 - depth) & 1) as usize;
            if depth + 1 == network.prefix_len() {
                nodes[node][bit] = To::Data(offset);
            } else {
                node = match nodes[node][bit] {
                    To::Node(next) => next,
                    _ => {
                        nodes.push([To::Nothing; 2]);
                        let next = nodes.len() - 1;
                        nodes[node][bit] = To::Node(next);
                        next
                    }
                };
            }
        }
    }
    let mut bytes = Vec::new();
    for node in &nodes {
        for to in node {
            let value = match to {
                To::Nothing => nodes.len(),
                To::Node(next) => *next,
                To::Data(offset) => nodes.len() + 16 + offset,
            };
            bytes.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
        }
    }
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend(data);
    bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    Data::Map(&[
        ("binary_format_major_version", Data::Short(2)),
        ("binary_format_minor_version", Data::Short(0)),
        ("build_epoch", Data::Long(1_780_000_000)),
        ("database_type", Data::Text(kind)),
        ("description", Data::Map(&[])),
        ("ip_version", Data::Short(4)),
        ("node_count", Data::Number(nodes.len() as u32)),
        ("record_size", Data::Short(24)),
    ])
    .write_metadata(&mut bytes);
    bytes
}

impl Data<'_> {
    /// The metadata's own fields, with the list of languages that nothing else needs.
    fn write_metadata(&self, bytes: &mut Vec<u8>) {
        let Data::Map(pairs) = self else { return };
        control(bytes, 7, pairs.len() + 1);
        for (key, value) in *pairs {
            Data::Text(key).write(bytes);
            value.write(bytes);
        }
        Data::Text("languages").write(bytes);
        control(bytes, 11, 0);
    }
}
