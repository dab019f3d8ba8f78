//! The simulated estate read by the same code that reads real ones, and the paths in it.

use portreeve_graph::{Catalogue, Graph, JewelKind};
use portreeve_model::{EntityKind, Estate};
use portreeve_simulate::{Intrusion, MemorySink, Plan, simulate};

fn estate(seed: u64) -> Estate {
    let plan = Plan {
        seed,
        days: 1,
        intrusion: Intrusion::None,
        max_records: 1_000,
    };
    let mut sink = MemorySink::default();
    simulate(&plan, &mut sink).expect("the plan is sound");
    let mut estate = Estate::default();
    for (path, bytes) in sink
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("estate/"))
    {
        let letters = portreeve_estate::read(path, bytes, &mut estate);
        assert!(letters.is_empty(), "{path}: {letters:?}");
    }
    portreeve_estate::complete(&mut estate);
    estate
}

fn catalogue() -> Catalogue {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../escalations/aws");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the catalogue's folder")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            Some((name, std::fs::read_to_string(path).ok()?))
        })
        .collect();
    files.sort();
    let (catalogue, errors) = Catalogue::parse(
        files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    assert!(errors.is_empty(), "{errors:?}");
    catalogue
}

#[test]
fn the_estate_is_read_whole() {
    let estate = estate(1);
    let count = |kind| {
        estate
            .entities()
            .filter(|entity| entity.kind == kind && !entity.inferred)
            .count()
    };
    assert!(
        count(EntityKind::Role) >= 110,
        "{}",
        count(EntityKind::Role)
    );
    assert!(count(EntityKind::User) >= 13, "{}", count(EntityKind::User));
    assert_eq!(count(EntityKind::Person), 60);
    assert_eq!(count(EntityKind::Account), 4);
    assert_eq!(estate.blind_spots, []);
}

#[test]
fn the_story_has_its_paths() {
    for seed in [1, 9] {
        let estate = estate(seed);
        let graph = Graph::build(&estate, &catalogue(), &[]);
        let role = |name: &str| {
            let ends = |id: &str| {
                id.contains(":role/")
                    && id
                        .rsplit('/')
                        .next()
                        .is_some_and(|last| last.starts_with(name))
            };
            estate
                .entities()
                .map(|entity| entity.id.as_str())
                .find(|id| id.contains("111122223333") && ends(id))
                .expect("the role is there")
                .to_owned()
        };
        let reaches = |from: &str, kind: JewelKind| {
            graph.paths_to_jewels(from).into_iter().any(|path| {
                graph
                    .jewel(path.to.as_str())
                    .is_some_and(|jewel| jewel.kind == kind)
            })
        };
        let developer = role("AWSReservedSSO_WebDeploy_");
        assert!(
            reaches(&developer, JewelKind::WebOrigin),
            "the stolen session writes the web origin"
        );
        assert!(!reaches(&developer, JewelKind::SigningKey));
        let preview = role("gha-preview");
        assert!(reaches(&preview, JewelKind::ImageRepository));
        assert!(
            reaches(&preview, JewelKind::WalletSecret),
            "by the image, the instances' role reads the secrets"
        );
        assert!(!reaches(&role("gha-terraform"), JewelKind::WalletSecret));
    }
}
