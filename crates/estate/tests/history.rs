//! The laws of the estate as it was, over generated lives of a few roles and policies.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_estate::history::{Change, Covered, History};
use portreeve_model::{
    Effect, EntityId, EntityKind, Estate, Held, Hole, PolicyLayer, Relation, Spot, Timestamp,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

/// What an account holds: roles with their inline policies and attachments.
#[derive(Clone, Debug, Default, PartialEq)]
struct Account {
    roles: BTreeMap<String, Role>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Role {
    inline: BTreeMap<String, u8>,
    attached: BTreeSet<String>,
}

fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn managed(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

fn document(number: u8) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Action": format!("s3:Get{number}"), "Resource": "*"}]})
}

impl Account {
    /// The export of what it holds, read.
    fn inventory(&self) -> Estate {
        let roles: Vec<Value> = self
            .roles
            .iter()
            .map(|(name, role)| {
                json!({
                    "Arn": arn(name), "RoleName": name, "AssumeRolePolicyDocument": {"Statement": []},
                    "RolePolicyList": role.inline.iter().map(|(name, number)| {
                        json!({"PolicyName": name, "PolicyDocument": document(*number)})
                    }).collect::<Vec<_>>(),
                    "AttachedManagedPolicies": role.attached.iter().map(|name| {
                        json!({"PolicyName": name, "PolicyArn": managed(name)})
                    }).collect::<Vec<_>>(),
                })
            })
            .collect();
        let policies: Vec<Value> = ["a", "b"]
            .iter()
            .map(|name| {
                json!({
                    "Arn": managed(name), "PolicyName": name, "DefaultVersionId": "v1",
                    "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": document(9)}],
                })
            })
            .collect();
        let anchor = json!({"Arn": format!("arn:aws:iam::{ACCOUNT}:user/root-of-all"), "UserName": "root-of-all"});
        let export =
            json!({"RoleDetailList": roles, "Policies": policies, "UserDetailList": [anchor]});
        let mut estate = Estate::default();
        let letters =
            portreeve_estate::read("iam.json", export.to_string().as_bytes(), &mut estate);
        assert!(letters.is_empty(), "{letters:?}");
        estate
    }

    /// Makes a call where it would succeed; its effects.
    fn call(&mut self, kind: u8, role: u8, policy: u8, number: u8) -> Option<Vec<Effect>> {
        let role = ["x", "y"][usize::from(role) % 2].to_owned();
        let policy = ["a", "b"][usize::from(policy) % 2].to_owned();
        let id = EntityId::from(arn(&role));
        let effect = |spot, before, after| {
            Some(vec![Effect {
                spot,
                before,
                after,
            }])
        };
        let entity = Spot::Entity {
            id: id.clone(),
            kind: EntityKind::Role,
        };
        let inline = Spot::Document {
            subject: id.clone(),
            layer: PolicyLayer::Identity,
            name: policy.clone(),
        };
        let attachment = Spot::Relation(Relation::Policy {
            subject: id.clone(),
            layer: PolicyLayer::Identity,
            name: managed(&policy),
            document: "".into(),
        });
        let known = self.roles.get_mut(&role);
        match (kind % 6, known) {
            (0, None) => {
                self.roles.insert(role, Role::default());
                let trust = Spot::Document {
                    subject: id,
                    layer: PolicyLayer::Trust,
                    name: String::new(),
                };
                let mut effects = effect(entity, Held::Nothing, Held::there())?;
                effects.extend(effect(
                    trust,
                    Held::Unknown,
                    Held::told(Some(r#"{"Statement":[]}"#)),
                )?);
                Some(effects)
            }
            (1, Some(held)) if held.inline.is_empty() && held.attached.is_empty() => {
                self.roles.remove(&role);
                effect(entity, Held::Something, Held::Nothing)
            }
            (2, Some(held)) => {
                held.inline.insert(policy, number);
                effect(
                    inline,
                    Held::Unknown,
                    Held::told(Some(document(number).to_string())),
                )
            }
            (3, Some(held)) => {
                held.inline.remove(&policy)?;
                effect(inline, Held::Something, Held::Nothing)
            }
            (4, Some(held)) => {
                held.attached.insert(policy);
                effect(attachment, Held::Unknown, Held::there())
            }
            (5, Some(held)) => {
                held.attached.remove(&policy).then_some(())?;
                effect(attachment, Held::there(), Held::Nothing)
            }
            _ => None,
        }
    }
}

/// A life: what it held from each second on, and the changes.
#[derive(Clone, Debug)]
struct Life {
    states: Vec<(i64, Account)>,
    changes: Vec<Change>,
}

impl Life {
    fn state(&self, second: i64) -> &Account {
        let next = self.states.partition_point(|(from, _)| *from <= second);
        &self.states[next - 1].1
    }
}

fn life() -> impl Strategy<Value = Life> {
    let call = (0u8..6, 0u8..2, 0u8..2, 0u8..3, 0i64..4);
    prop::collection::vec(call, 1..40).prop_map(|calls| {
        let mut account = Account::default();
        account.roles.insert("x".into(), Role::default());
        let mut life = Life {
            states: vec![(i64::MIN, account.clone())],
            changes: Vec::new(),
        };
        let mut second = 10;
        for (kind, role, policy, number, pause) in calls {
            // Some calls fall into one second.
            second += pause;
            if let Some(effects) = account.call(kind, role, policy, number) {
                life.changes.push(Change {
                    time: at(second),
                    account: Some(ACCOUNT.into()),
                    event: Some(life.changes.len().to_string()),
                    effects,
                });
                match life.states.last_mut() {
                    Some((from, state)) if *from == second => *state = account.clone(),
                    _ => life.states.push((second, account.clone())),
                }
            }
        }
        life
    })
}

fn covered(holes: Vec<Hole>) -> Covered {
    Covered {
        from: at(0),
        until: at(1_000),
        accounts: BTreeMap::from([(ACCOUNT.to_owned(), holes)]),
    }
}

fn history(life: &Life, taken: i64, changes: Vec<Change>, holes: Vec<Hole>) -> History {
    let inventory = life.state(taken).inventory();
    History::new(inventory, Some(at(taken)), changes, covered(holes))
}

/// What is told contradicts the truth nowhere: each text that is told holds, and each that holds is
/// told, unless its subject has something that is not known.
/// `known` are the roles of which inventory or logs tell at all; of others everything is unknown.
fn is_sound(told: &Estate, truth: &Account, known: &BTreeSet<String>) -> Result<(), String> {
    let mut expected = truth.inventory();
    portreeve_estate::complete(&mut expected);
    let policies = |estate: &Estate| -> Vec<(EntityId, PolicyLayer, Value)> {
        estate
            .relations()
            .iter()
            .filter_map(|relation| match relation {
                Relation::Policy {
                    subject,
                    layer,
                    document,
                    ..
                } if !document.is_empty() => Some((
                    subject.clone(),
                    *layer,
                    serde_json::from_str(document).unwrap(),
                )),
                _ => None,
            })
            .collect()
    };
    let unseen = |subject: &EntityId, layer: PolicyLayer| {
        told.relations().iter().any(|relation| {
            matches!(relation, Relation::Policy { subject: it, layer: of, document, .. }
                if it == subject && *of == layer && document.is_empty())
        })
    };
    let (told_policies, true_policies) = (policies(told), policies(&expected));
    for (subject, layer, document) in &told_policies {
        let there = told.get(subject.as_str()).is_some_and(|it| !it.inferred);
        if there && !true_policies.contains(&(subject.clone(), *layer, document.clone())) {
            return Err(format!("{subject} {layer:?} {document} does not hold"));
        }
    }
    for (subject, layer, document) in &true_policies {
        let is_told = told_policies.contains(&(subject.clone(), *layer, document.clone()));
        let inferred = told.get(subject.as_str()).is_some_and(|it| it.inferred);
        if known.contains(subject.as_str()) && !is_told && !inferred && !unseen(subject, *layer) {
            return Err(format!("{subject} {layer:?} {document} is not told"));
        }
    }
    for name in ["x", "y"] {
        let id = arn(name);
        if !known.contains(&id) {
            continue;
        }
        let told = told.get(&id);
        let is_certain = told.is_none_or(|it| !it.inferred);
        if is_certain && told.is_some() != truth.roles.contains_key(name) {
            return Err(format!("whether {name} is there is told wrongly"));
        }
    }
    Ok(())
}

/// The roles that an inventory shows or changes name.
fn known(account: &Account, changes: &[Change]) -> BTreeSet<String> {
    let named = changes.iter().flat_map(|change| &change.effects);
    named
        .map(|effect| effect.spot.subject().to_string())
        .chain(account.roles.keys().map(|name| arn(name)))
        .collect()
}

fn texts(estate: &Estate) -> Vec<Relation> {
    estate.relations().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the logs and the inventory's time, nothing wrong is told.
    #[test]
    fn nothing_wrong_is_told(life in life(), taken in 0i64..120, instants in prop::collection::vec(0i64..120, 6)) {
        let known = known(life.state(taken), &life.changes);
        let history = history(&life, taken, life.changes.clone(), Vec::new());
        for second in instants {
            let told = history.at(at(second)).estate;
            let sound = is_sound(&told, life.state(second), &known);
            prop_assert_eq!(sound, Ok(()), "at {} from {}", second, taken);
        }
    }

    /// Where changes are missing in a hole, nothing wrong is told either.
    #[test]
    fn nothing_wrong_is_told_across_a_hole(
        life in life(),
        taken in 0i64..120,
        from in 0i64..80,
        length in 1i64..20,
        instants in prop::collection::vec(0i64..120, 6),
    ) {
        let hole = Hole { from: at(from), until: at(from + length) };
        let mut changes = life.changes.clone();
        changes.retain(|it| it.time < hole.from || it.time >= hole.until);
        let known = known(life.state(taken), &changes);
        let history = history(&life, taken, changes, vec![hole]);
        for second in instants {
            let told = history.at(at(second)).estate;
            let sound = is_sound(&told, life.state(second), &known);
            prop_assert_eq!(sound, Ok(()), "at {} from {}", second, taken);
        }
    }

    /// At its own time an inventory says what it says, whatever the logs: to go away from it and
    /// back changes nothing.
    #[test]
    fn an_inventory_is_itself_at_its_own_time(life in life(), taken in 0i64..120) {
        let history = history(&life, taken, life.changes.clone(), Vec::new());
        let mut itself = life.state(taken).inventory();
        portreeve_estate::complete(&mut itself);
        let told = history.at(at(taken)).estate;
        prop_assert_eq!(texts(&told), texts(&itself));
        prop_assert_eq!(told.len(), itself.len());
        // Forwards to the end and, from an inventory that is made there, backwards again.
        let later = life.state(119);
        let back = History::new(later.inventory(), Some(at(119)), life.changes.clone(), covered(Vec::new()));
        prop_assert_eq!(is_sound(&back.at(at(taken)).estate, life.state(taken), &known(later, &life.changes)), Ok(()));
    }

    /// The order of changes, and that some come twice, does not show.
    #[test]
    fn the_order_of_changes_does_not_matter(life in life(), taken in 0i64..120, second in 0i64..120, turn in 0usize..40) {
        let one = history(&life, taken, life.changes.clone(), Vec::new());
        let mut changes = life.changes.clone();
        changes.reverse();
        let turn = turn % changes.len().max(1);
        changes.rotate_left(turn);
        changes.extend(life.changes.iter().take(turn).cloned());
        let other = history(&life, taken, changes, Vec::new());
        let (one, other) = (one.at(at(second)), other.at(at(second)));
        prop_assert_eq!(texts(&one.estate), texts(&other.estate));
        prop_assert_eq!(one.estate.blind_spots, other.estate.blind_spots);
    }

    /// Without the inventory's time nothing wrong is told either, as long as the logs are whole.
    #[test]
    fn a_time_that_is_inferred_tells_nothing_wrong(life in life(), taken in 0i64..120, second in 0i64..120) {
        let inventory = life.state(taken).inventory();
        let known = known(life.state(taken), &life.changes);
        let history = History::new(inventory, None, life.changes.clone(), covered(Vec::new()));
        let told = history.at(at(second)).estate;
        prop_assert_eq!(is_sound(&told, life.state(second), &known), Ok(()), "at {} from {}", second, taken);
    }
}
