use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::test_database::{Data, database};
use super::*;
use crate::settings::{DeclaredNetwork, NetworkDetail, Vendor};

fn csv(text: &str) -> NetworkData {
    NetworkData::read("t.csv", text.as_bytes().to_vec())
        .unwrap()
        .0
}

fn settings() -> Settings {
    let networks = [
        ("198.51.100.0/24", "corporate"),
        ("198.51.100.200/29", "pipeline"),
        ("203.0.113.0/28", "guest"),
    ]
    .map(|(range, class)| (range.parse().unwrap(), class.to_owned()));
    let detail = NetworkDetail {
        name: Some("office Berlin".to_owned()),
        own: None,
    };
    Settings {
        networks: networks.into(),
        network_details: BTreeMap::from([("198.51.100.0/24".parse().unwrap(), detail)]),
        autonomous_systems: BTreeMap::from([(
            64_501,
            DeclaredNetwork {
                class: "corporate".to_owned(),
                name: None,
                own: Some(true),
            },
        )]),
        vendors: vec![Vendor {
            name: "Watcher".to_owned(),
            networks: vec!["192.0.2.64/28".parse().unwrap()],
            principals: vec!["arn:aws:iam::*:role/watcher-*".to_owned()],
        }],
        ..Settings::default()
    }
}

const RANGES: &str = "network,asn,organisation,country
192.0.2.0/24,9009,M247 Europe SRL,RO
198.51.100.0/24,64500,Example Net,DE
203.0.113.0/24,64501,Own Net,DE
2001:db8::/32,16509,\"Amazon.com, Inc.\",US
";

#[test]
fn the_users_word_goes_before_what_data_say() {
    let networks = Networks::new(&settings(), vec![csv(RANGES)]);
    let office = networks.of("198.51.100.10");
    assert_eq!(office.class, Some("corporate"));
    assert_eq!(office.name().as_deref(), Some("office Berlin"));
    assert_eq!(office.asn, Some(64_500));
    assert!(office.own && office.declared && office.certainty == 1.0);

    let runner = networks.of("198.51.100.201");
    assert_eq!(runner.name().as_deref(), Some("198.51.100.200/29"));
    assert!(runner.own);

    // The range is closer than the AS number around it.
    let guest = networks.of("203.0.113.1");
    assert_eq!((guest.class, guest.own), (Some("guest"), false));
    let own = networks.of("203.0.113.99");
    assert_eq!((own.class, own.own), (Some("corporate"), true));
    assert_eq!(own.name().as_deref(), Some("AS64501"));
}

#[test]
fn a_vendors_network_is_expected_of_its_own_roles_only() {
    let networks = Networks::new(&settings(), Vec::new());
    let vendor = networks.of("192.0.2.70");
    assert_eq!(vendor.class, Some("vendor"));
    assert_eq!(vendor.name().as_deref(), Some("Watcher"));
    assert!(!vendor.own);
    assert!(networks.expects(&vendor, "arn:aws:iam::111122223333:role/watcher-scan"));
    assert!(!networks.expects(&vendor, "arn:aws:iam::111122223333:role/admin"));
    let elsewhere = networks.of("192.0.2.90");
    assert!(!networks.expects(&elsewhere, "arn:aws:iam::111122223333:role/watcher-scan"));
    let office = networks.of("198.51.100.10");
    assert!(networks.expects(&office, "arn:aws:iam::111122223333:role/admin"));
}

#[test]
fn without_data_a_network_is_called_by_its_prefix() {
    let networks = Networks::default();
    let of = |address: &str| networks.of(address).name().map(Cow::into_owned);
    assert_eq!(of("192.0.2.41").as_deref(), Some("192.0.2.0/24"));
    assert_eq!(of("2001:db8:1:2::3").as_deref(), Some("2001:db8:1::/48"));
    assert_eq!(of("s3.amazonaws.com"), None);
    assert_eq!(of(""), None);
    assert_eq!(networks.of("192.0.2.41").class, None);
    assert!(networks.explain("AWS Internal").is_none());
}

#[test]
fn data_name_operator_country_and_class() {
    let networks = Networks::new(&Settings::default(), vec![csv(RANGES)]);
    let exit = networks.of("192.0.2.41");
    assert_eq!(exit.asn, Some(9_009));
    assert_eq!(exit.organisation, Some("M247 Europe SRL"));
    assert_eq!(exit.country, Some("RO"));
    assert_eq!(exit.class, Some("hosting"));
    assert!(exit.certainty > 0.8 && exit.certainty < 1.0 && !exit.declared);
    assert_eq!(exit.name().as_deref(), Some("AS9009"));
    assert_eq!(networks.of("2001:db8::1").class, Some("cloud"));

    let why = networks.explain("192.0.2.41").unwrap();
    assert_eq!(why.network, exit);
    assert_eq!(why.told_by.len(), 1);
    assert!(
        why.signs
            .iter()
            .any(|sign| sign.class == "vpn" && sign.source.is_some())
    );
    assert!(why.declaration.is_none());
}

#[test]
fn sets_complete_each_other_and_the_first_counts() {
    let countries = csv("192.0.2.0,192.0.2.255,NL\n");
    let mine = csv("network,asn,organisation,class\n192.0.2.40/29,64502,Exit Ltd,vpn\n");
    let networks = Networks::new(&Settings::default(), vec![mine, countries, csv(RANGES)]);
    let exit = networks.of("192.0.2.41");
    assert_eq!(exit.asn, Some(64_502));
    assert_eq!(exit.organisation, Some("Exit Ltd"));
    assert_eq!(exit.country, Some("NL"));
    assert_eq!(
        (exit.class, exit.certainty, exit.declared),
        (Some("vpn"), 1.0, false)
    );
    let other = networks.of("192.0.2.1");
    assert_eq!((other.asn, other.country), (Some(9_009), Some("NL")));
}

#[test]
fn databases_of_maxminds_format_are_read_whoever_made_them() {
    let systems = database(
        "GeoLite2-ASN",
        &[(
            "192.0.2.0/24",
            Data::Map(&[
                ("autonomous_system_number", Data::Number(9_009)),
                (
                    "autonomous_system_organization",
                    Data::Text("M247 Europe SRL"),
                ),
            ]),
        )],
    );
    let countries = database(
        "GeoLite2-Country",
        &[(
            "192.0.2.0/24",
            Data::Map(&[("country", Data::Map(&[("iso_code", Data::Text("RO"))]))]),
        )],
    );
    let info = database(
        "ipinfo lite",
        &[(
            "198.51.100.0/25",
            Data::Map(&[
                ("asn", Data::Text("AS64500")),
                ("as_name", Data::Text("Example Net")),
                ("country_code", Data::Text("DE")),
            ]),
        )],
    );
    let anonymous = database(
        "GeoIP2-Anonymous-IP",
        &[(
            "203.0.113.0/24",
            Data::Map(&[("is_anonymous_vpn", Data::Yes)]),
        )],
    );
    let tail = &systems[systems.len().saturating_sub(TAIL)..];
    assert_eq!(
        NetworkData::recognise(&systems, tail),
        Some("networks.maxmind")
    );
    let read = |bytes: Vec<u8>| NetworkData::read("db.mmdb", bytes).unwrap().0;
    let systems = read(systems);
    let origin = systems.origin().to_string();
    assert!(
        origin.starts_with("GeoLite2-ASN of 2026-05-28 (GeoLite2 data created by MaxMind"),
        "{origin}"
    );
    assert!(systems.tells_asn() && !systems.tells_country());
    let data = vec![systems, read(countries), read(info), read(anonymous)];
    let networks = Networks::new(&Settings::default(), data);
    let exit = networks.of("192.0.2.41");
    assert_eq!((exit.asn, exit.country), (Some(9_009), Some("RO")));
    assert_eq!(exit.class, Some("hosting"));
    let plain = networks.of("198.51.100.10");
    assert_eq!(
        (plain.asn, plain.organisation),
        (Some(64_500), Some("Example Net"))
    );
    assert_eq!(plain.country, Some("DE"));
    assert_eq!(networks.of("203.0.113.9").class, Some("vpn"));
    assert_eq!(networks.of("2001:db8::1").asn, None);
}

#[test]
fn what_is_no_data_is_refused_with_what_was_expected() {
    let refused = |bytes: &[u8]| {
        NetworkData::read("x", bytes.to_vec())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(b"{\"Records\":[]}").contains("MaxMind database"));
    assert!(refused(b"network,asn\nx,y\n").contains("line 2"));
    assert!(refused(b"PORTREEVE-NETWORKS\x01\n\x00").contains("networks update"));
    let mut broken = database("x", &[("192.0.2.0/24", Data::Map(&[]))]);
    broken.drain(..40);
    assert!(NetworkData::read("x", broken).is_err());
}

#[test]
fn identity_centers_own_address_is_nobodys() {
    let role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_1";
    let is = |kind, operation, role| is_callers_address(kind, operation, [role].into_iter());
    assert!(!is(OriginKind::Public, "AssumeRoleWithSAML", role));
    let okta = "arn:aws:iam::111122223333:role/okta-admin";
    assert!(is(OriginKind::Public, "AssumeRoleWithSAML", okta));
    assert!(is(OriginKind::Public, "GetObject", role));
    assert!(!is(OriginKind::Service, "GetObject", role));
}

static NETWORKS: LazyLock<Networks> =
    LazyLock::new(|| Networks::new(&settings(), vec![csv(RANGES)]));

proptest! {
    #[test]
    fn any_text_may_be_asked_for(address in any::<String>()) {
        let network = NETWORKS.of(&address);
        prop_assert_eq!(network.name().is_some(), address.parse::<IpAddr>().is_ok());
    }

    /// A damaged database is refused, or answers something; it never panics.
    #[test]
    fn a_damaged_database_does_no_harm(
        changes in prop::collection::vec((0_usize..600, any::<u8>()), 1..6),
        cut in prop::option::of(0_usize..600),
    ) {
        let mut bytes = database(
            "GeoLite2-ASN",
            &[("192.0.2.0/24", Data::Map(&[
                ("autonomous_system_number", Data::Number(9_009)),
                ("country", Data::Map(&[("iso_code", Data::Text("RO"))])),
            ]))],
        );
        for (at, value) in changes {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut);
        }
        if let Ok((data, _)) = NetworkData::read("x", bytes) {
            for address in ["192.0.2.41", "0.0.0.0", "255.255.255.255", "2001:db8::1"] {
                data.find(address.parse().unwrap());
            }
        }
    }
}
