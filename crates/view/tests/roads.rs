//! How ways, losses and graphs look, in every form that they are written in.

use std::collections::BTreeSet;

use portreeve_graph::{Access, Catalogue, Circumstances, Graph};
use portreeve_model::{BlindSpot, Entity, EntityId, EntityKind, Estate, PolicyLayer, Relation};
use portreeve_view::network::Network;
use portreeve_view::roads::{Loss, Roads};
use portreeve_view::terminal::Options;
use portreeve_view::{dot, graphml, html, json, opengraph, terminal, text};
use serde_json::{Value, json};

const DEV: &str = "arn:aws:iam::111122223333:user/dev";
/// A name that an intruder chose.
const ODD: &str = "arn:aws:iam::111122223333:user/<b>\"\\\u{1b}[2J&";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const VENDOR: &str = "arn:aws:iam::999988887777:root";
const WEB: &str = "arn:aws:s3:::web";
const LOGS: &str = "arn:aws:s3:::logs";

fn catalogue() -> Catalogue {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../escalations/aws");
    let files = ["sts-assume-role", "s3-write-object", "s3-read-object"].map(|name| {
        let text = std::fs::read_to_string(format!("{folder}/{name}.yml")).unwrap();
        (name, text)
    });
    let (catalogue, errors) =
        Catalogue::parse(files.iter().map(|(name, text)| (*name, text.as_str())));
    assert!(errors.is_empty(), "{errors:?}");
    catalogue
}

fn estate() -> Estate {
    let mut estate = Estate::default();
    let policy = |estate: &mut Estate, subject: &str, layer, name: &str, statement: Value| {
        estate.relate(Relation::Policy {
            subject: subject.into(),
            layer,
            name: name.into(),
            document: json!({"Version": "2012-10-17", "Statement": statement})
                .to_string()
                .into(),
        });
    };
    for (id, kind) in [
        (DEV, EntityKind::User),
        (ODD, EntityKind::User),
        (DEPLOY, EntityKind::Role),
        (WEB, EntityKind::Bucket),
        (LOGS, EntityKind::Bucket),
    ] {
        estate.add(Entity::new(id, kind));
    }
    let trust = json!([
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": VENDOR}, "Action": "sts:AssumeRole"}]);
    policy(&mut estate, DEPLOY, PolicyLayer::Trust, "trust", trust);
    let assume = json!({"Sid": "Deploy", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": DEPLOY,
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    for user in [DEV, ODD] {
        policy(
            &mut estate,
            user,
            PolicyLayer::Identity,
            "developers",
            assume.clone(),
        );
    }
    let read =
        json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"});
    policy(&mut estate, DEV, PolicyLayer::Identity, "logs", read);
    let write = json!({"Sid": "Publish", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::web/*"});
    policy(&mut estate, DEPLOY, PolicyLayer::Identity, "publish", write);
    estate.relate(Relation::Serves {
        distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
        origin: WEB.into(),
    });
    estate.finish();
    estate
}

fn graph() -> Graph {
    Graph::build(&estate(), &catalogue(), &[])
}

fn blind_spots() -> Vec<BlindSpot> {
    vec![BlindSpot {
        missing: "keys of account 111122223333".into(),
        consequence: "which keys sign, and who may use them".into(),
        remedy: "aws kms list-keys".into(),
    }]
}

fn with_roads<T>(look: impl FnOnce(&Roads<'_>) -> T) -> T {
    let graph = graph();
    let mut paths = graph.paths_from_doors();
    paths.extend(graph.paths_to_jewels(DEV));
    graph.rank(&mut paths);
    look(&Roads {
        given: &[],
        paths: &paths,
        jewels: &graph.jewels(),
        doors: graph.doors(),
        reach: &graph.reach_of_jewels(5),
        blind_spots: &blind_spots(),
    })
}

fn with_loss<T>(names: &[&str], look: impl FnOnce(&Loss<'_>) -> T) -> T {
    let graph = graph();
    let starts: Vec<EntityId> = names.iter().map(|name| EntityId::from(*name)).collect();
    let asked: Vec<String> = starts.iter().map(|id| id.short_name().to_owned()).collect();
    look(&Loss {
        asked: &asked,
        given: &["without mfa".to_owned()],
        blast: &graph.blast(&starts),
        jewels: &graph.jewels(),
        blind_spots: &blind_spots(),
    })
}

#[test]
fn paths_on_a_terminal() {
    insta::assert_snapshot!(with_roads(|roads| terminal::paths(
        roads,
        &Options::default()
    )));
}

#[test]
fn a_loss_on_a_terminal() {
    insta::assert_snapshot!(with_loss(&[DEV], |loss| terminal::loss(
        loss,
        &Options::default()
    )));
    let nothing = with_loss(&[LOGS], |loss| terminal::loss(loss, &Options::default()));
    assert!(nothing.contains("0 crown jewels"), "{nothing}");
}

#[test]
fn an_answer_on_a_terminal() {
    let estate = estate();
    let access = Access::of(&estate);
    let circumstances = Circumstances::default();
    let verdict = access
        .can(DEV, "sts:AssumeRole", DEPLOY, &circumstances)
        .unwrap();
    insta::assert_snapshot!(terminal::verdict(&verdict, &[], &Options::default()));
    let holders = access
        .who_can("sts:AssumeRole", DEPLOY, &circumstances)
        .unwrap();
    insta::assert_snapshot!(terminal::holders(
        &holders,
        &blind_spots(),
        &Options::default()
    ));
}

#[test]
fn no_line_but_a_command_is_wider_than_the_page() {
    let estate = estate();
    let access = Access::of(&estate);
    let circumstances = Circumstances::default();
    let can = access.can(ODD, "sts:AssumeRole", DEPLOY, &circumstances);
    let who = access.who_can("sts:AssumeRole", DEPLOY, &circumstances);
    let (can, who) = (can.unwrap(), who.unwrap());
    for width in [30, 44, 80, 120] {
        let options = Options {
            width,
            ..Options::default()
        };
        let shown = [
            with_roads(|roads| terminal::paths(roads, &options)),
            with_loss(&[DEV, ODD], |loss| terminal::loss(loss, &options)),
            terminal::verdict(&can, &blind_spots(), &options),
            terminal::holders(&who, &blind_spots(), &options),
        ];
        for line in shown.iter().flat_map(|text| text.lines()) {
            let command = line.trim() == "aws kms list-keys";
            assert!(command || text::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn machines_find_the_promised_keys() {
    let value = |write: &dyn Fn(&mut Vec<u8>)| -> Value {
        let mut out = Vec::new();
        write(&mut out);
        serde_json::from_slice(&out).unwrap()
    };
    let paths = value(&|out| with_roads(|roads| json::answer(roads, out).unwrap()));
    for key in ["paths", "jewels", "doors", "reach", "blind_spots"] {
        assert!(!paths[key].as_array().unwrap().is_empty(), "{key}");
    }
    for key in ["from", "to", "via", "permissions", "conditions"] {
        assert!(!paths["paths"][0]["steps"][0][key].is_null(), "{key}");
    }
    let loss = value(&|out| with_loss(&[DEV], |loss| json::answer(loss, out).unwrap()));
    for key in [
        "asked",
        "starts",
        "doors",
        "hops",
        "paths",
        "jewels",
        "blind_spots",
    ] {
        assert!(loss[key].is_array(), "{key}");
    }
    let first = &loss["hops"][0];
    assert_eq!(first["hop"], 1);
    for key in ["id", "kind", "conditions", "jewel", "from"] {
        assert!(!first["reached"][0][key].is_null(), "{key}");
    }
    assert_eq!(loss["counts"]["jewels"], 1);

    let estate = estate();
    let verdict = Access::of(&estate)
        .can(DEV, "sts:AssumeRole", DEPLOY, &Circumstances::default())
        .unwrap();
    let blind_spots = blind_spots();
    let answer = json::WithBlindSpots {
        answer: &verdict,
        blind_spots: &blind_spots,
    };
    let verdict = value(&|out| json::answer(&answer, out).unwrap());
    assert_eq!(verdict["decision"], "depends");
    assert_eq!(verdict["layer"], "trust");
    assert_eq!(
        verdict["depends_on"][0]["key"],
        "aws:MultiFactorAuthPresent"
    );
    assert_eq!(verdict["layers"][0]["result"], "allow");
    assert_eq!(verdict["blind_spots"].as_array().unwrap().len(), 1);
}

#[test]
fn pages_stand_alone_and_obey_no_name() {
    let estate = estate();
    let access = Access::of(&estate);
    let can = access
        .can(ODD, "sts:AssumeRole", DEPLOY, &Circumstances::default())
        .unwrap();
    let who = access
        .who_can("sts:AssumeRole", DEPLOY, &Circumstances::default())
        .unwrap();
    let pages = [
        with_roads(html::paths),
        with_loss(&[ODD], html::loss),
        html::verdict(&can, &blind_spots()),
        html::holders(&who, &blind_spots()),
    ];
    for page in pages {
        assert!(page.starts_with("<!DOCTYPE html>"));
        assert!(page.contains("<svg") && page.contains("What could not be seen"));
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("<b>\""));
        assert!(!page.contains('\u{1b}'));
        for tag in ["svg", "section", "table", "details", "ol", "ul"] {
            let opened = page.matches(&format!("<{tag}")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}

/// A graph in one of the forms for other tools.
fn written(write: impl Fn(&Network<'_>, &mut Vec<u8>) -> std::io::Result<()>) -> String {
    let graph = graph();
    let blast = graph.blast(&[DEV.into(), ODD.into()]);
    let ids: BTreeSet<&str> = blast.reached().map(|entry| entry.id.as_str()).collect();
    let starts = BTreeSet::from([DEV, ODD]);
    let network = Network::around(&graph, &blast.paths, &starts, &ids);
    // What leads nowhere has no edge in the graph.
    assert_eq!(network.unreached(), [LOGS]);
    let mut out = Vec::new();
    write(&network, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn opengraph_keeps_to_its_schema() {
    let text = written(opengraph::write);
    let document: Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    check_opengraph(&document);
    let graph = graph();
    let mut out = Vec::new();
    opengraph::write(&Network::whole(&graph), &mut out).unwrap();
    check_opengraph(&serde_json::from_slice(&out).unwrap());
}

/// What BloodHound's schema asks for.
fn check_opengraph(document: &Value) {
    assert!(document["metadata"]["source_kind"].is_string());
    let nodes = document["graph"]["nodes"].as_array().unwrap();
    let ids: BTreeSet<&str> = nodes
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), nodes.len(), "ids are unique");
    let flat = |properties: &Value| {
        for (key, value) in properties.as_object().unwrap() {
            let plain = value.is_string() || value.is_boolean() || value.is_number();
            let list = value
                .as_array()
                .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string));
            assert!(plain || list, "{key}: {value}");
        }
    };
    for node in nodes {
        let kinds = node["kinds"].as_array().unwrap();
        assert!((1..=3).contains(&kinds.len()));
        flat(&node["properties"]);
    }
    let edges = document["graph"]["edges"].as_array().unwrap();
    assert!(!edges.is_empty());
    for edge in edges {
        let kind = edge["kind"].as_str().unwrap();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!(!kind.is_empty() && kind.bytes().all(word), "{kind}");
        for end in ["start", "end"] {
            assert_eq!(edge[end]["match_by"], "id");
            assert!(ids.contains(edge[end]["value"].as_str().unwrap()));
        }
        flat(&edge["properties"]);
    }
}

#[test]
fn graphml_is_well_formed() {
    let text = written(graphml::write);
    insta::assert_snapshot!(text);
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') || tag.starts_with('?') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty());
    let declared: BTreeSet<&str> = text
        .split("<key id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    for key in text.split("<data key=\"").skip(1) {
        assert!(declared.contains(key.split('"').next().unwrap()));
    }
    // Every line that is no text of a record holds what XML may.
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn dot_names_only_what_it_declares() {
    let text = written(dot::write);
    insta::assert_snapshot!(text);
    assert!(text.starts_with("digraph") && text.ends_with("}\n"));
    let nodes: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.starts_with("  n") && line.contains(" [label") && !line.contains("->"))
        .map(|line| line.trim().split(' ').next().unwrap())
        .collect();
    for line in text.lines().filter(|line| line.contains(" -> ")) {
        let (from, rest) = line.trim().split_once(" -> ").unwrap();
        assert!(nodes.contains(from) && nodes.contains(rest.split(' ').next().unwrap()));
    }
    for line in text.lines() {
        // Quotation marks that are not escaped come in pairs.
        let plain = line.replace("\\\\", "").replace("\\\"", "");
        assert_eq!(plain.matches('"').count() % 2, 0, "{line}");
    }
}
