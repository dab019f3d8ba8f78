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
        ..Plan::default()
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
    let estate = estate(9);
    let graph = Graph::build(&estate, &catalogue(), &[]);
    let find = |start: &str| {
        let mut ids = estate.entities().map(|entity| entity.id.as_str());
        ids.find(|id| id.starts_with(start))
            .expect("it is in the estate")
            .to_owned()
    };
    let sso = "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_WebDeploy_";
    let developer = find(&format!("arn:aws:iam::111122223333:{sso}"));
    let preview = find("arn:aws:iam::111122223333:role/gha-preview");
    let origin = find("arn:aws:s3:::halyard-web-prod-");
    let image = find("arn:aws:ecr:eu-west-1:111122223333:repository/web-edge");
    let wallet = find("arn:aws:secretsmanager:eu-west-1:111122223333:secret:halyard/wallet/");
    let key = estate
        .entities()
        .find(|entity| {
            entity
                .attributes
                .get("KeySpec")
                .is_some_and(|spec| spec == "ECC_SECG_P256K1")
        })
        .expect("the signing key is in the estate")
        .id
        .to_string();

    let kind = |id: &str| graph.jewel(id).map(|jewel| jewel.kind);
    assert_eq!(kind(&origin), Some(JewelKind::WebOrigin));
    assert_eq!(kind(&image), Some(JewelKind::ImageRepository));
    assert_eq!(kind(&wallet), Some(JewelKind::WalletSecret));
    assert_eq!(kind(&key), Some(JewelKind::SigningKey));

    assert!(
        graph.path(&developer, &origin).is_some(),
        "the session writes the web origin"
    );
    assert!(graph.path(&developer, &key).is_none());
    assert!(graph.path(&preview, &image).is_some());
    let by_image = graph
        .path(&preview, &wallet)
        .expect("what is pushed runs as the node's role");
    assert!(by_image.steps.len() >= 3, "{by_image:?}");
    assert!(
        graph
            .path("arn:aws:iam::111122223333:role/gha-terraform", &wallet)
            .is_none()
    );
}
