//! What holds of any estate: the order of files does not matter, and nothing that an inventory says
//! stops a check.

mod common;

use std::collections::BTreeMap;

use portreeve_graph::Catalogue;
use portreeve_model::{Entity, EntityKind, Estate};
use portreeve_posture::{Settings, checks};
use proptest::prelude::*;

/// What attributes may hold: what formats write, and what nobody should.
const VALUES: [&str; 18] = [
    "none",
    "given",
    "true",
    "false",
    "NONE",
    "Enabled",
    "COMPLIANCE",
    "-1",
    "99999999999999999999999",
    "[]",
    "[null, 1, \"x\", {}]",
    "{\"a\": ",
    "[{\"Grantee\": {\"URI\": 7}, \"Permission\": \"READ\"}]",
    "[{\"IpProtocol\": \"tcp\", \"FromPort\": \"x\", \"IpRanges\": [{\"CidrIp\": \"0.0.0.0/0\"}]}]",
    "[{\"FieldSelectors\": [{\"Field\": \"eventCategory\", \"Equals\": \"Data\"}]}]",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "\u{0}\u{202e}",
];

/// Something of every service and kind that checks look at.
const THINGS: [(&str, EntityKind); 24] = [
    ("arn:aws:iam::111122223333:root", EntityKind::Account),
    ("arn:aws:iam::111122223333:user/u", EntityKind::User),
    (
        "arn:aws:iam::111122223333:user/u#access-key-1",
        EntityKind::AccessKey,
    ),
    ("arn:aws:iam::111122223333:role/r", EntityKind::Role),
    ("arn:aws:iam::111122223333:policy/p", EntityKind::Policy),
    (
        "arn:aws:iam::111122223333:server-certificate/c",
        EntityKind::Other,
    ),
    (
        "arn:aws:iam::111122223333:saml-provider/s",
        EntityKind::Other,
    ),
    ("arn:aws:s3:::b", EntityKind::Bucket),
    ("arn:aws:kms:eu-west-1:111122223333:key/k", EntityKind::Key),
    (
        "arn:aws:lambda:eu-west-1:111122223333:function:f",
        EntityKind::Function,
    ),
    (
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
        EntityKind::Instance,
    ),
    (
        "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1",
        EntityKind::Other,
    ),
    (
        "arn:aws:ec2:eu-west-1:111122223333:network-acl/acl-1",
        EntityKind::Other,
    ),
    (
        "arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-1",
        EntityKind::Other,
    ),
    (
        "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1",
        EntityKind::Other,
    ),
    (
        "arn:aws:rds:eu-west-1:111122223333:db:d",
        EntityKind::Database,
    ),
    (
        "arn:aws:rds:eu-west-1:111122223333:snapshot:s",
        EntityKind::Other,
    ),
    (
        "arn:aws:eks:eu-west-1:111122223333:cluster/c",
        EntityKind::Cluster,
    ),
    (
        "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t",
        EntityKind::Other,
    ),
    (
        "arn:aws:guardduty:eu-west-1:111122223333:detector/d",
        EntityKind::Other,
    ),
    (
        "arn:aws:config:eu-west-1:111122223333:config-recorder/c",
        EntityKind::Other,
    ),
    (
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s",
        EntityKind::Secret,
    ),
    (
        "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
        EntityKind::PermissionSet,
    ),
    (
        "arn:aws:route53domains::111122223333:domain/d",
        EntityKind::Other,
    ),
];

/// Every attribute that some example's inventory gives to something.
fn names() -> Vec<String> {
    let mut found: BTreeMap<String, ()> = BTreeMap::new();
    for example in checks().iter().flat_map(|check| check.examples) {
        let estate = common::estate(example.inventory);
        for entity in estate.entities() {
            found.extend(entity.attributes.keys().map(|name| (name.clone(), ())));
        }
    }
    found.into_keys().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_attributes_hold_every_check_ends(
        chosen in prop::collection::vec((0..THINGS.len(), any::<prop::sample::Index>(), 0..VALUES.len()), 0..400)
    ) {
        let names = names();
        let mut estate = Estate::default();
        for (id, kind) in THINGS {
            estate.add(Entity::new(id, kind));
        }
        for (thing, name, value) in chosen {
            let (id, kind) = THINGS[thing];
            let mut entity = Entity::new(id, kind);
            entity.attributes.insert(names[name.index(names.len())].clone(), VALUES[value].to_owned());
            estate.add(entity);
        }
        estate.finish();
        let posture = common::posture(&estate, &Catalogue::default(), &Settings::default());
        let listed: usize = posture.checks.iter().map(|check| check.counts.failed).sum();
        prop_assert_eq!(listed, posture.findings.len());
    }

    #[test]
    fn the_order_of_files_does_not_matter(
        mut places in prop::collection::vec(any::<prop::sample::Index>(), 1..8)
    ) {
        let examples: Vec<&str> = checks()
            .iter()
            .flat_map(|check| check.examples)
            .map(|example| example.inventory)
            .collect();
        let catalogue = common::catalogue();
        let of = |order: &[prop::sample::Index]| {
            let mut estate = Estate::default();
            for place in order {
                let text = examples[place.index(examples.len())];
                portreeve_estate::read("file", text.as_bytes(), &mut estate);
            }
            portreeve_estate::complete(&mut estate);
            let posture = common::posture(&estate, &catalogue, &Settings::default());
            serde_json::to_string(&posture).unwrap()
        };
        let one = of(&places);
        places.reverse();
        prop_assert_eq!(one, of(&places));
    }
}
