//! What a loss would cost, and in which order ways want a look.

use portreeve_graph::{Graph, JewelKind};
use portreeve_model::{Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::{Value, json};

const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const VENDOR: &str = "arn:aws:iam::999988887777:root";
const DEV: &str = "arn:aws:iam::111122223333:user/dev";
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SUPPORT: &str = "arn:aws:iam::111122223333:role/support";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const WEB: &str = "arn:aws:s3:::web";
const LOGS: &str = "arn:aws:s3:::logs";
const WALLET: &str = "arn:aws:kms:us-east-1:111122223333:key/1";
const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";

fn policy(estate: &mut Estate, subject: &str, layer: PolicyLayer, statement: Value) {
    estate.relate(Relation::Policy {
        subject: subject.into(),
        layer,
        name: format!("{}-{}", layer.as_str(), estate.relations().len()),
        document: json!({"Version": "2012-10-17", "Statement": statement})
            .to_string()
            .into(),
    });
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// A vendor's account and a repository's builds get into roles; the support role may become the one
/// that deploys; a wallet's key signs for who has a second factor.
fn town() -> Estate {
    let mut estate = Estate::default();
    for (id, kind) in [
        (ACCOUNT, EntityKind::Account),
        (DEV, EntityKind::User),
        (KEY, EntityKind::AccessKey),
        (SUPPORT, EntityKind::Role),
        (DEPLOY, EntityKind::Role),
        (WEB, EntityKind::Bucket),
        (LOGS, EntityKind::Bucket),
    ] {
        estate.add(Entity::new(id, kind));
    }
    let mut wallet = Entity::new(WALLET, EntityKind::Key);
    let spec = ("KeySpec".to_owned(), "ECC_SECG_P256K1".to_owned());
    wallet.attributes.extend([spec]);
    estate.add(wallet);
    let trust =
        |who: Value| json!({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"});
    let everyone = PolicyLayer::Identity;
    policy(
        &mut estate,
        SUPPORT,
        PolicyLayer::Trust,
        trust(json!({"AWS": VENDOR})),
    );
    policy(
        &mut estate,
        SUPPORT,
        everyone,
        allow("sts:AssumeRole", DEPLOY),
    );
    policy(
        &mut estate,
        DEPLOY,
        PolicyLayer::Trust,
        json!([trust(json!({"AWS": ACCOUNT})),
            {"Effect": "Allow", "Principal": {"Federated": GITHUB},
             "Action": "sts:AssumeRoleWithWebIdentity",
             "Condition": {"StringEquals":
                {"token.actions.githubusercontent.com:sub": "repo:halyard/web:ref:refs/heads/main"}}}]),
    );
    policy(
        &mut estate,
        DEPLOY,
        everyone,
        allow("s3:PutObject", "arn:aws:s3:::web/*"),
    );
    policy(
        &mut estate,
        DEV,
        everyone,
        allow("s3:GetObject", "arn:aws:s3:::logs/*"),
    );
    policy(
        &mut estate,
        DEV,
        everyone,
        json!({"Effect": "Allow", "Action": "kms:Sign", "Resource": WALLET,
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
    );
    policy(
        &mut estate,
        WALLET,
        PolicyLayer::Resource,
        json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}),
    );
    estate.relate(Relation::Proves {
        credential: KEY.into(),
        principal: DEV.into(),
    });
    estate.relate(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: WEB.into(),
    });
    estate.finish();
    estate
}

fn graph() -> Graph {
    Graph::build(&town(), &crate::common::catalogue(), &[])
}

/// What is reached, with the number of steps.
fn reached(graph: &Graph, starts: &[&str]) -> Vec<(u32, String)> {
    let starts: Vec<EntityId> = starts.iter().map(|id| EntityId::from(*id)).collect();
    let blast = graph.blast(&starts);
    let hops = blast.hops.iter();
    hops.flat_map(|hop| {
        let entries = hop.reached.iter();
        entries.map(move |entry| (hop.hop, entry.id.short_name().to_owned()))
    })
    .collect()
}

#[test]
fn what_one_key_reaches_comes_by_hop() {
    let graph = graph();
    let blast = graph.blast(&[KEY.into()]);
    assert_eq!(
        reached(&graph, &[KEY]),
        [(1, "dev".into()), (2, "logs".into()), (2, "1".into())]
    );
    let wallet = blast.reached().find(|entry| entry.id.as_str() == WALLET);
    let wallet = wallet.expect("the wallet");
    assert!(wallet.jewel && wallet.from.as_str() == KEY);
    assert_eq!(*wallet.conditions, ["aws:MultiFactorAuthPresent"]);
    assert_eq!(blast.paths.len(), 1);
    assert_eq!(blast.paths[0].to.as_str(), WALLET);
    assert!(blast.doors.is_empty());
}

#[test]
fn several_lost_together_reach_what_any_of_them_does() {
    let graph = graph();
    let both = reached(&graph, &[KEY, SUPPORT]);
    assert!(both.contains(&(1, "deploy".to_owned())));
    assert!(both.contains(&(2, "logs".to_owned())));
    // A start is lost already, and is no cost.
    let blast = graph.blast(&[KEY.into(), DEV.into()]);
    assert!(blast.reached().all(|entry| entry.id.as_str() != DEV));
    assert!(blast.reached().all(|entry| entry.from.as_str() == DEV));
    assert_eq!(graph.blast(&[]).hops, []);
}

#[test]
fn the_loss_of_a_third_party_is_told_with_its_doors() {
    let graph = graph();
    assert_eq!(graph.vendor("999988887777"), [EntityId::from(VENDOR)]);
    let blast = graph.blast(&graph.vendor("999988887777"));
    assert_eq!(blast.doors.len(), 1);
    assert_eq!(blast.doors[0].to.as_str(), SUPPORT);
    assert_eq!(blast.paths[0].to.as_str(), WEB);
    let builds = graph.vendor("token.actions.githubusercontent.com");
    assert_eq!(builds.len(), 1);
    // By the name of an owner or a repository, as a whole word.
    assert_eq!(graph.vendor("halyard"), builds);
    assert_eq!(graph.vendor("halyard/web"), builds);
    assert!(graph.vendor("halyar").is_empty());
    assert!(graph.vendor("").is_empty());
    let blast = graph.blast(&builds);
    assert_eq!(blast.paths[0].steps.len(), 2);
}

#[test]
fn doors_come_first_then_what_is_open_then_the_gravest() {
    let graph = graph();
    let mut paths = graph.paths_from_doors();
    assert!(paths.iter().all(|path| path.conditions.is_empty()));
    let from_doors = paths.len();
    paths.extend(graph.paths_to_jewels(DEV));
    paths.extend(graph.paths_to_jewels(SUPPORT));
    paths.reverse();
    graph.rank(&mut paths);
    let doors: Vec<&str> = graph.doors().iter().map(|door| door.id.as_str()).collect();
    for (place, path) in paths.iter().enumerate() {
        let is_door = doors.contains(&path.from.as_str());
        assert_eq!(is_door, place < from_doors, "{} at {place}", path.from);
    }
    let rest: Vec<&str> = paths[from_doors..].iter().map(|p| p.to.as_str()).collect();
    assert_eq!(rest, [WEB, WALLET], "what hangs on a condition comes last");
}

#[test]
fn jewels_say_from_whom_they_are_reachable() {
    let graph = graph();
    let reach = graph.reach_of_jewels(2);
    let of = |id: &str| {
        reach
            .iter()
            .find(|reach| reach.jewel.as_str() == id)
            .unwrap()
    };
    assert_eq!(graph.jewel(WEB).unwrap().kind, JewelKind::WebOrigin);
    // The role that deploys, the one that may become it, the vendor, the repository's builds.
    assert_eq!((of(WEB).principals, of(WEB).open), (4, 4));
    assert_eq!(of(WEB).from[0].as_str(), DEPLOY);
    assert_eq!(of(WEB).from.len(), 2);
    assert_eq!((of(WALLET).principals, of(WALLET).open), (1, 0));
}

/// The way on which something lies begins at the nearest start, passes it, and ends at the jewel
/// nearest to it; every step begins where the one before it ends.
#[test]
fn ways_pass_through_what_is_asked_about() {
    let graph = Graph::build(&town(), &crate::common::catalogue(), &[]);
    let starts: Vec<EntityId> = graph.doors().iter().map(|door| door.id.clone()).collect();
    let asked = [DEPLOY, SUPPORT, WEB, WALLET, DEV, LOGS, "nobody"].map(EntityId::from);
    let found = graph.through(&starts, &asked);
    for (id, path) in &found {
        assert_eq!(path.from, path.steps[0].from);
        assert_eq!(path.to, path.steps.last().unwrap().to);
        for pair in path.steps.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
        let passed = path
            .steps
            .iter()
            .any(|step| step.from == *id || step.to == *id);
        assert!(passed, "{id} lies not on {path:?}");
        assert!(graph.jewel(path.to.as_str()).is_some());
    }
    let deploy = &found[&EntityId::from(DEPLOY)];
    assert!(starts.contains(&deploy.from), "{deploy:?}");
    assert!(!found.contains_key(&EntityId::from("nobody")));
    // Without a start the way begins at the thing itself; a jewel that nobody reaches has none.
    let alone = graph.through(&[], &asked);
    assert_eq!(alone[&EntityId::from(DEPLOY)].from.as_str(), DEPLOY);
    assert!(!alone.contains_key(&EntityId::from(WALLET)));
    // One start or all of them: the best of the single ones is found.
    let is_reached = |id: &EntityId| {
        let mut ways = starts.iter();
        ways.any(|start| graph.path(start.as_str(), id.as_str()).is_some())
    };
    for id in &asked {
        let cost = |path: &portreeve_graph::AttackPath| (path.conditions.len(), path.steps.len());
        let single = starts
            .iter()
            .filter_map(|start| graph.through(std::slice::from_ref(start), [id]).remove(id))
            .filter(|path| starts.contains(&path.from) || path.from == *id && !is_reached(id))
            .map(|path| cost(&path))
            .min();
        assert_eq!(found.get(id).map(cost), single, "{id}");
    }
}
