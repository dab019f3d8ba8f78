//! All estates of pathfinding-labs read without a dead letter.

use std::collections::BTreeSet;
use std::path::PathBuf;

use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};

fn estates() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/pathfinding_labs/estates"
    ));
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
#[allow(clippy::print_stdout)]
fn every_estate_reads_whole() {
    let files = estates();
    if files.is_empty() {
        println!("skipped: ../shared/data/pathfinding_labs is absent");
        return;
    }
    let mut all = Estate::default();
    let mut bound = 0;
    for (file, bytes) in &files {
        let format = portreeve_estate::recognise(&bytes[..bytes.len().min(64 * 1024)]);
        assert_eq!(
            format.unwrap().id(),
            "aws.account-authorization-details",
            "{file}"
        );
        let mut estate = Estate::default();
        assert_eq!(
            portreeve_estate::read(file, bytes, &mut estate),
            [],
            "{file}"
        );
        portreeve_estate::complete(&mut estate);
        let json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let list = |name: &str| json[name].as_array().unwrap().clone();
        let known = |kind: EntityKind| {
            let known = |entity: &&portreeve_model::Entity| entity.kind == kind && !entity.inferred;
            estate.entities().filter(known).count()
        };
        assert_eq!(
            known(EntityKind::User),
            list("UserDetailList").len(),
            "{file}"
        );
        assert_eq!(
            known(EntityKind::Role),
            list("RoleDetailList").len(),
            "{file}"
        );
        assert_eq!(
            known(EntityKind::Group),
            list("GroupDetailList").len(),
            "{file}"
        );
        let workloads: BTreeSet<_> = estate
            .relations()
            .iter()
            .filter_map(|relation| match relation {
                Relation::RunsAs { workload, .. } => Some(workload.as_str().to_owned()),
                _ => None,
            })
            .collect();
        for item in list("Compute")
            .iter()
            .filter(|item| item["Arn"].is_string())
        {
            let id = item["Arn"].as_str().unwrap();
            let entity = estate.get(id).unwrap_or_else(|| panic!("{file}: {id}"));
            let carries_role = item
                .as_object()
                .unwrap()
                .keys()
                .any(|key| key.contains("role") || key == "iam_instance_profile");
            assert_eq!(workloads.contains(id), carries_role, "{file}: {id}");
            assert!(!carries_role || entity.kind.is_workload(), "{file}: {id}");
        }
        bound += workloads.len();
        for policy in list("ResourcePolicies") {
            let id = policy["Resource"].as_str().unwrap();
            let held = estate.relations().iter().any(|relation| {
                matches!(relation, Relation::Policy { subject, layer: PolicyLayer::Resource, .. }
                    if subject.as_str() == id)
            });
            assert!(held, "{file}: {id}");
            assert_eq!(estate.get(id).unwrap().kind, EntityKind::Bucket);
        }
        let unseen = estate.relations().iter().any(
            |relation| matches!(relation, Relation::Policy { document, .. } if document.is_empty()),
        );
        assert!(!unseen, "{file}");
        portreeve_estate::read(file, bytes, &mut all);
    }
    assert_eq!(files.len(), 53);
    assert_eq!(bound, 13);
    portreeve_estate::complete(&mut all);
    assert!(all.len() > 200);
}

#[test]
#[allow(clippy::print_stdout)]
fn the_order_of_files_does_not_matter() {
    let files = estates();
    if files.is_empty() {
        println!("skipped: ../shared/data/pathfinding_labs is absent");
        return;
    }
    let read = |order: &[usize]| {
        let mut estate = Estate::default();
        for index in order {
            let (file, bytes) = &files[*index];
            portreeve_estate::read(file, bytes, &mut estate);
        }
        portreeve_estate::complete(&mut estate);
        let entities: Vec<_> = estate
            .entities()
            .map(|entity| format!("{entity:?}"))
            .collect();
        (entities, estate.relations().to_vec(), estate.blind_spots)
    };
    let forward: Vec<usize> = (0..files.len()).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    let strided: Vec<usize> = forward
        .iter()
        .map(|index| index * 17 % files.len())
        .collect();
    let expected = read(&forward);
    assert!(read(&backward) == expected);
    assert!(read(&strided) == expected);
}
