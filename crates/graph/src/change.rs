//! What a change of a policy opens: the graph with the change, against the graph without it.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_authz::aws::decode_document;
use portreeve_model::{
    Entity, EntityId, EntityKind, Estate, PolicyChange, PolicyChangeKind, PolicyLayer, Relation,
    Revision,
};

use crate::catalogue::Catalogue;
use crate::difference::{wider_doors, wider_paths};
use crate::graph::Graph;
use crate::jewels::DeclaredJewel;
use crate::outline::{Actions, Outline};
use crate::path::{AttackPath, JewelKind};

/// How many of those whom a change is about are asked for their paths: a policy of a group may be
/// everyone's.
const MOST_STARTS: usize = 16;

/// Tells what single changes open in an estate.
///
/// Each change is judged by itself against the estate as the inventory shows it, which may be older
/// or younger than the change: what a change opens is what the graph with it has and the graph
/// without it has not. A judgement builds up to two graphs; equal changes are for the caller to
/// ask about once.
#[derive(Clone, Debug)]
pub struct Changes {
    estate: Arc<Estate>,
    graph: Arc<Graph>,
    catalogue: Arc<Catalogue>,
    declared: Vec<DeclaredJewel>,
}

/// Something that a change opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What opens.
    pub kind: OpeningKind,
    /// The opening in words, with names.
    pub words: String,
}

/// What kind of way opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpeningKind {
    /// Someone from outside the estate gets in.
    Door,
    /// Somebody gets to where everything can be done in an account.
    Administrator,
    /// Somebody gets to another crown jewel.
    Jewel,
}

impl OpeningKind {
    /// The word that rules see.
    pub fn as_str(self) -> &'static str {
        match self {
            OpeningKind::Door => "door",
            OpeningKind::Administrator => "administrator",
            OpeningKind::Jewel => "jewel",
        }
    }
}

impl Changes {
    /// Changes of an estate. `graph` is the estate's, built with the same catalogue and jewels.
    pub fn new(
        estate: Arc<Estate>,
        graph: Arc<Graph>,
        catalogue: Arc<Catalogue>,
        declared: Vec<DeclaredJewel>,
    ) -> Self {
        Self {
            estate,
            graph,
            catalogue,
            declared,
        }
    }

    /// How many entities the estate has: what a judgement costs grows with it.
    pub fn size(&self) -> usize {
        self.estate.len()
    }

    /// What a change opens; nothing where it opens nothing, or where its policy's text is not
    /// known. `managed` gives the texts of managed policies that the estate does not hold.
    pub fn opened(
        &self,
        change: &PolicyChange<'_>,
        managed: &dyn Fn(&str) -> Option<Arc<str>>,
    ) -> Vec<Opening> {
        self.judge(change, managed).unwrap_or_default()
    }

    /// The same, with nothing where the change cannot be judged: where its policy's text is not
    /// known, or the estate does not hold what it takes away.
    pub fn judge(
        &self,
        change: &PolicyChange<'_>,
        managed: &dyn Fn(&str) -> Option<Arc<str>>,
    ) -> Option<Vec<Opening>> {
        let subject = self
            .graph
            .find(&change.subject)
            .unwrap_or_else(|| EntityId::from(&*change.subject));
        let pair = self.pair(&subject, change, managed)?;
        let with = self.build(&pair.with);
        let without = pair.without.as_ref().map(|estate| self.build(estate));
        let without = without.as_ref().unwrap_or(&self.graph);

        let mut found = doors(without, &with);
        let mut starts = pair.starts;
        starts.insert(subject);
        for start in starts.iter().take(MOST_STARTS) {
            found.extend(paths(without, &with, start.as_str()));
        }
        found.sort_by(|a, b| (a.kind, &a.words).cmp(&(b.kind, &b.words)));
        found.dedup();
        Some(found)
    }

    /// Whether the estate holds what a change is about, or anything else of its account. Of the
    /// rest silence proves nothing: what such a change opens may lie where nothing is known.
    pub fn knows(&self, change: &PolicyChange<'_>) -> bool {
        let subject = &*change.subject;
        let account = EntityId::from(subject).aws_account().map(str::to_owned);
        self.estate.get(subject).is_some()
            || account.is_some_and(|account| {
                self.estate
                    .entities()
                    .any(|entity| entity.id.aws_account() == Some(&account))
            })
    }

    fn build(&self, estate: &Estate) -> Graph {
        Graph::build(estate, &self.catalogue, &self.declared)
    }

    /// The estate with the change and without it. What the estate shows stands for what held
    /// before, unless it shows the change itself.
    fn pair(
        &self,
        subject: &EntityId,
        change: &PolicyChange<'_>,
        managed: &dyn Fn(&str) -> Option<Arc<str>>,
    ) -> Option<Pair> {
        let policy = |subject: &EntityId, layer, name: &str, document: &str| Relation::Policy {
            subject: subject.clone(),
            layer,
            name: name.to_owned(),
            document: document.into(),
        };
        let own = |layer: PolicyLayer| {
            self.policies(move |of, its_layer, _| of == subject && its_layer == layer)
        };
        let mut starts = BTreeSet::new();
        let (former, with, without) = match &change.kind {
            PolicyChangeKind::Put {
                layer,
                name,
                document,
            } => {
                starts.extend(self.affected(subject, *layer, document));
                let mut former = own(*layer);
                // A resource has one policy; a principal has many, told apart by name.
                former.retain(|held| *layer != PolicyLayer::Identity || text(held).0 == name);
                let is_shown = former.iter().any(|held| is_same(text(held).1, document));
                let with = vec![policy(subject, *layer, name, document)];
                (former, with, is_shown.then(Vec::new))
            }
            PolicyChangeKind::Add { layer, document } => {
                starts.extend(self.affected(subject, *layer, document));
                let former = own(*layer);
                let held = former.first().map_or("", |held| text(held).1);
                let (with, without) = Statements::of(held).with_and_without(document)?;
                let with = vec![policy(subject, *layer, "", &with)];
                let without = without.map(|text| vec![policy(subject, *layer, "", &text)]);
                (former, with, without)
            }
            PolicyChangeKind::Attach { policy: name } => {
                starts.extend(self.members(subject));
                let held = self.policies(|_, layer, its_name| {
                    layer == PolicyLayer::Identity && its_name == name
                });
                let document = held
                    .iter()
                    .map(|held| text(held).1)
                    .find(|document| !document.is_empty())
                    .map(Arc::from)
                    .or_else(|| managed(name))?;
                let mut former = own(PolicyLayer::Identity);
                former.retain(|held| text(held).0 == name);
                let is_shown = !former.is_empty();
                let with = vec![policy(subject, PolicyLayer::Identity, name, &document)];
                (former, with, is_shown.then(Vec::new))
            }
            PolicyChangeKind::Version { document } => {
                let former = self.policies(|_, layer, its_name| {
                    matches!(layer, PolicyLayer::Identity | PolicyLayer::Boundary)
                        && its_name == change.subject
                });
                let mut with = Vec::new();
                for held in &former {
                    if let Relation::Policy {
                        subject,
                        layer,
                        name,
                        ..
                    } = held
                    {
                        starts.insert(subject.clone());
                        starts.extend(self.members(subject));
                        with.push(policy(subject, *layer, name, document));
                    }
                }
                let is_shown = former.iter().any(|held| is_same(text(held).1, document));
                (former, with, is_shown.then(Vec::new))
            }
            PolicyChangeKind::Join { group } => {
                let group = self
                    .graph
                    .lookup(group)
                    .into_iter()
                    .find(|id| id.as_str().contains(":group/"))?;
                let membership = Relation::MemberOf {
                    member: subject.clone(),
                    group,
                };
                let former: Vec<&Relation> = self
                    .estate
                    .relations()
                    .iter()
                    .filter(|relation| **relation == membership)
                    .collect();
                let is_shown = !former.is_empty();
                (former, vec![membership], is_shown.then(Vec::new))
            }
            PolicyChangeKind::RemoveBoundary => {
                let former = own(PolicyLayer::Boundary);
                if former.is_empty() {
                    return None;
                }
                (former, Vec::new(), None)
            }
        };
        if with.is_empty() && former.is_empty() {
            return None;
        }
        Some(Pair {
            with: self.rewritten(subject, &former, with),
            without: without.map(|without| self.rewritten(subject, &former, without)),
            starts,
        })
    }

    /// The estate's policies of which something holds.
    fn policies(&self, holds: impl Fn(&EntityId, PolicyLayer, &str) -> bool) -> Vec<&Relation> {
        self.estate
            .relations()
            .iter()
            .filter(|relation| match relation {
                Relation::Policy {
                    subject,
                    layer,
                    name,
                    ..
                } => holds(subject, *layer, name),
                _ => false,
            })
            .collect()
    }

    /// The estate with relations taken out and others put in.
    fn rewritten(&self, subject: &EntityId, out: &[&Relation], added: Vec<Relation>) -> Estate {
        let mut revision = Revision {
            gone: out.iter().copied().cloned().collect(),
            come: added.into_iter().collect(),
            ..Revision::default()
        };
        if self.estate.get(subject.as_str()).is_none() {
            let entity = Entity::new(subject.as_str(), kind_of(subject));
            revision.born.insert(subject.clone(), entity);
        }
        self.estate.revised(&revision)
    }

    /// Who may get further by a document: those of the estate whom it names, or its holders.
    fn affected(
        &self,
        subject: &EntityId,
        layer: PolicyLayer,
        document: &str,
    ) -> BTreeSet<EntityId> {
        if layer == PolicyLayer::Identity {
            return self.members(subject);
        }
        Outline::of(document, &Actions::default())
            .grants
            .iter()
            .flat_map(|grant| &grant.principals)
            .filter_map(|principal| self.graph.find(principal))
            .collect()
    }

    fn members(&self, group: &EntityId) -> BTreeSet<EntityId> {
        self.estate
            .relations()
            .iter()
            .filter_map(|relation| match relation {
                Relation::MemberOf { member, group: of } if of == group => Some(member.clone()),
                _ => None,
            })
            .collect()
    }
}

/// The estate with a change and, where the inventory already shows the change, without it.
struct Pair {
    with: Estate,
    without: Option<Estate>,
    starts: BTreeSet<EntityId>,
}

/// A policy's name and text; empty for other relations.
fn text(relation: &Relation) -> (&str, &str) {
    match relation {
        Relation::Policy { name, document, .. } => (name, document),
        _ => ("", ""),
    }
}

/// Whether two documents are the same JSON.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(&decode_document(text)).ok();
    one == other || read(one).is_some_and(|one| Some(one) == read(other))
}

/// The statements of a policy.
pub(crate) struct Statements(pub(crate) Vec<serde_json::Value>);

impl Statements {
    pub(crate) fn of(document: &str) -> Self {
        let policy: serde_json::Value =
            serde_json::from_str(&decode_document(document)).unwrap_or_default();
        Self(match policy.get("Statement") {
            Some(serde_json::Value::Array(list)) => list.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        })
    }

    /// The policy with the statements of another document and, where it holds them already,
    /// without them.
    fn with_and_without(self, added: &str) -> Option<(String, Option<String>)> {
        let added = Self::of(added);
        if added.0.is_empty() {
            return None;
        }
        // Names of statements differ from what a call said; what they grant does not.
        let bare = |statement: &serde_json::Value| {
            let mut bare = statement.clone();
            if let Some(map) = bare.as_object_mut() {
                map.remove("Sid");
                map.remove("Resource");
            }
            bare
        };
        let rest: Vec<serde_json::Value> = self
            .0
            .iter()
            .filter(|held| !added.0.iter().any(|added| bare(added) == bare(held)))
            .cloned()
            .collect();
        let without = (rest.len() < self.0.len()).then(|| document(&rest));
        let with: Vec<serde_json::Value> = rest.into_iter().chain(added.0).collect();
        Some((document(&with), without))
    }
}

fn document(statements: &[serde_json::Value]) -> String {
    serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// What kind of thing an ARN names, for what the inventory does not hold.
fn kind_of(id: &EntityId) -> EntityKind {
    let kinds = [
        (":role/", EntityKind::Role),
        (":user/", EntityKind::User),
        (":group/", EntityKind::Group),
        (":s3:::", EntityKind::Bucket),
        (":kms:", EntityKind::Key),
        (":secretsmanager:", EntityKind::Secret),
        (":lambda:", EntityKind::Function),
        (":ecr:", EntityKind::ImageRepository),
        (":sqs:", EntityKind::Queue),
        (":sns:", EntityKind::Topic),
    ];
    kinds
        .iter()
        .find(|(part, _)| id.as_str().contains(part))
        .map_or(EntityKind::Other, |(_, kind)| *kind)
}

/// Doors that one graph has and another has not, or has under more conditions.
fn doors(without: &Graph, with: &Graph) -> Vec<Opening> {
    wider_doors(without, with)
        .map(|door| Opening {
            kind: OpeningKind::Door,
            words: format!(
                "a door for {}: {} ({}{})",
                outsider(&door.id),
                door.reason,
                door.to,
                under(&door.conditions)
            ),
        })
        .collect()
}

fn outsider(id: &EntityId) -> &str {
    if id.as_str() == "*" {
        "anyone"
    } else {
        id.as_str()
    }
}

fn under(conditions: &[String]) -> String {
    if conditions.is_empty() {
        String::new()
    } else {
        format!(", depends on {}", conditions.join(", "))
    }
}

/// Jewels that a principal reaches in one graph and not in another, or there under more conditions;
/// and the principal itself, where it becomes one that may do everything.
fn paths(without: &Graph, with: &Graph, start: &str) -> Vec<Opening> {
    let mut found = Vec::new();
    if let Some(jewel) = with.jewel(start)
        && without.jewel(start).is_none()
    {
        found.push(Opening {
            kind: kind(jewel.kind),
            words: format!("{start} becomes {}: {}", jewel.kind.title(), jewel.reason),
        });
    }
    for path in wider_paths(without, with, start) {
        if let Some(jewel) = with.jewel(path.to.as_str())
            && path.to.as_str() != start
        {
            found.push(Opening {
                kind: kind(jewel.kind),
                words: format!("a path to {}: {}", jewel.kind.title(), walk(&path)),
            });
        }
    }
    found
}

fn kind(jewel: JewelKind) -> OpeningKind {
    match jewel {
        JewelKind::Administrator | JewelKind::ManagementAccount => OpeningKind::Administrator,
        _ => OpeningKind::Jewel,
    }
}

/// The stations of a path with the steps between them.
fn walk(path: &AttackPath) -> String {
    let mut text = path.from.to_string();
    for step in &path.steps {
        text.push_str(&format!(" -[{}]-> {}", step.via, step.to));
    }
    text + &under(&path.conditions)
}
