//! The nodes of the graph: everything that a relation or a policy names, in the order of ids.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt, HashSet};
use portreeve_model::{Entity, EntityId, EntityKind, Estate, Relation};
use serde::{Deserialize, Serialize};

/// A node's place.
pub(crate) type NodeId = u32;

/// What is known of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: EntityId,
    pub(crate) kind: EntityKind,
    pub(crate) account: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// What people call it where its id does not tell.
    pub(crate) called: Vec<String>,
    #[serde(skip)]
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) inferred: bool,
}

/// All nodes, in the order of their ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Nodes {
    list: Vec<Node>,
    #[serde(skip)]
    places: HashMap<EntityId, NodeId>,
    /// The node of each one's account.
    #[serde(skip)]
    accounts: Vec<Option<NodeId>>,
    /// The kinds of what each account is known to have.
    kinds: BTreeMap<String, BTreeSet<EntityKind>>,
}

/// The id of an account.
pub(crate) fn account_id(account: &str) -> EntityId {
    format!("arn:aws:iam::{account}:root").into()
}

impl Nodes {
    /// The nodes of an estate.
    pub(crate) fn named_by(estate: &Estate) -> BTreeMap<EntityId, Node> {
        let own = estate.entities();
        let own = own.map(|entity| (entity.id.clone(), node(entity.clone())));
        let mut entities: BTreeMap<EntityId, Node> = own.collect();
        // A map in order takes many a comparison of long ids, and nearly all that is named is known.
        let known: HashSet<&EntityId> = estate.entities().map(|entity| &entity.id).collect();
        let mut name = |id: &EntityId, kind: EntityKind| {
            if !known.contains(id) && !entities.contains_key(id) {
                entities.insert(id.clone(), inferred(id.clone(), kind));
            }
        };
        for relation in estate.relations() {
            for (id, kind) in named_by(relation) {
                name(id, kind);
            }
        }
        entities
    }

    /// All nodes: those [named by](Self::named_by) the estate, and `outside` identities that its policies
    /// name.
    pub(crate) fn of(
        estate: &Estate,
        mut entities: BTreeMap<EntityId, Node>,
        outside: BTreeSet<String>,
    ) -> Self {
        for id in outside {
            let id = EntityId::from(id);
            entities
                .entry(id.clone())
                .or_insert_with(|| inferred(id, EntityKind::External));
        }
        for relation in estate.relations() {
            if let Relation::Contains { parent, child } = relation
                && let Some(account) = parent.aws_account()
                && let Some(child) = entities.get_mut(child)
                && child.account.is_none()
                && child.kind != EntityKind::External
            {
                child.account = Some(account.to_owned());
            }
        }
        let accounts: BTreeSet<String> = entities
            .values()
            .filter(|node| node.kind != EntityKind::External && !node.inferred)
            .filter_map(|node| node.account.clone())
            .collect();
        // Where there is but one account, what does not tell its own is in that one.
        if let (1, Some(only)) = (accounts.len(), accounts.first()) {
            for node in entities.values_mut() {
                if node.account.is_none() && node.id.as_str().starts_with("arn:aws:s3:::") {
                    node.account = Some(only.clone());
                }
            }
        }
        for account in &accounts {
            let id = account_id(account);
            entities
                .entry(id.clone())
                .or_insert_with(|| inferred(id, EntityKind::Account));
        }

        let list: Vec<Node> = entities.into_values().collect();
        let mut kinds: BTreeMap<String, BTreeSet<EntityKind>> = BTreeMap::new();
        for node in list.iter().filter(|node| !node.inferred) {
            if let Some(account) = &node.account {
                kinds.entry(account.clone()).or_default().insert(node.kind);
            }
        }
        let mut nodes = Self {
            list,
            places: HashMap::new(),
            accounts: Vec::new(),
            kinds,
        };
        nodes.find_places();
        nodes
    }

    /// Works out what follows from the list.
    pub(crate) fn find_places(&mut self) {
        self.places = HashMap::with_capacity(self.list.len());
        for (place, node) in self.list.iter().enumerate() {
            self.places.insert(node.id.clone(), place as NodeId);
        }
        let mut known: HashMap<&str, Option<NodeId>> = HashMap::new();
        let accounts = self.list.iter().map(|node| {
            let account = node.account.as_deref()?;
            let find = || self.find(account_id(account).as_str());
            *known.entry(account).or_insert_with(find)
        });
        self.accounts = accounts.collect();
    }

    /// Whether loaded nodes are in the order of their ids, each once.
    pub(crate) fn is_sound(&self) -> bool {
        self.list.len() < (u32::MAX / 2) as usize && self.list.is_sorted_by(|a, b| a.id < b.id)
    }

    pub(crate) fn find(&self, id: &str) -> Option<NodeId> {
        self.places.get(id).copied()
    }

    /// Whether an account is known to have something of a kind.
    pub(crate) fn has(&self, account: Option<&str>, kind: EntityKind) -> bool {
        account
            .and_then(|account| self.kinds.get(account))
            .is_some_and(|kinds| kinds.contains(&kind))
    }

    pub(crate) fn get(&self, node: NodeId) -> &Node {
        &self.list[node as usize]
    }

    pub(crate) fn id(&self, node: NodeId) -> &EntityId {
        &self.list[node as usize].id
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.list
            .iter()
            .enumerate()
            .map(|(place, node)| (place as NodeId, node))
    }

    /// Forgets what only the building of a graph asks for.
    pub(crate) fn forget_attributes(&mut self) {
        for node in &mut self.list {
            node.attributes = BTreeMap::new();
        }
    }

    /// The node of the account that a node is in.
    pub(crate) fn account_node(&self, node: NodeId) -> Option<NodeId> {
        *self.accounts.get(node as usize)?
    }
}

/// What people call an entity whose id is a number: a person's or a group's name, a key's aliases, a
/// wallet's name.
fn called(entity: &Entity) -> Vec<String> {
    let attribute = match entity.kind {
        EntityKind::Person => "UserName",
        EntityKind::PersonGroup => "DisplayName",
        EntityKind::Key => "Aliases",
        EntityKind::Wallet => "Name",
        _ => return Vec::new(),
    };
    let Some(names) = entity.attributes.get(attribute) else {
        return Vec::new();
    };
    if entity.kind != EntityKind::Key {
        return vec![names.clone()];
    }
    let aliases = names.split(", ");
    let short = |alias: &str| alias.strip_prefix("alias/").unwrap_or(alias).to_owned();
    aliases.map(short).collect()
}

/// A node of which only the id is known.
fn inferred(id: EntityId, kind: EntityKind) -> Node {
    let mut entity = Entity::new(id, kind);
    entity.inferred = true;
    node(entity)
}

fn node(entity: Entity) -> Node {
    Node {
        called: called(&entity),
        id: entity.id,
        kind: entity.kind,
        account: entity.account,
        tags: entity.tags,
        attributes: entity.attributes,
        inferred: entity.inferred,
    }
}

/// The entities that a relation names, with the kind that each must then be.
fn named_by(relation: &Relation) -> Vec<(&EntityId, EntityKind)> {
    let guess = |id: &EntityId| kind_of_arn(id.as_str());
    match relation {
        Relation::Contains { parent, child } => {
            vec![(parent, guess(parent)), (child, guess(child))]
        }
        Relation::ManagementAccount { account } => vec![(account, EntityKind::Account)],
        Relation::MemberOf { member, group } => {
            vec![(member, guess(member)), (group, guess(group))]
        }
        Relation::Policy { subject, .. } => vec![(subject, guess(subject))],
        Relation::Proves {
            credential,
            principal,
        } => vec![
            (credential, guess(credential)),
            (principal, guess(principal)),
        ],
        Relation::RunsAs {
            workload,
            principal,
        } => vec![(workload, guess(workload)), (principal, guess(principal))],
        Relation::Pulls {
            workload,
            repository,
        } => vec![
            (workload, guess(workload)),
            (repository, EntityKind::ImageRepository),
        ],
        Relation::Serves {
            distribution,
            origin,
        } => vec![
            (distribution, EntityKind::Distribution),
            (origin, guess(origin)),
        ],
        Relation::SignsInAs { person, role } => {
            vec![(person, EntityKind::Person), (role, EntityKind::Role)]
        }
        Relation::Stores { store, credential } => {
            vec![(store, guess(store)), (credential, guess(credential))]
        }
        Relation::SignsFor { signer, wallet } => {
            vec![(signer, guess(signer)), (wallet, EntityKind::Wallet)]
        }
        Relation::OwnerOf { owner, wallet, .. } => {
            vec![(owner, guess(owner)), (wallet, EntityKind::Wallet)]
        }
        Relation::Kind { principal, .. } => vec![(principal, guess(principal))],
    }
}

/// What an id is the id of, as far as its text tells.
pub(crate) fn kind_of_arn(id: &str) -> EntityKind {
    if id.starts_with("AKIA") || id.starts_with("ASIA") {
        return EntityKind::AccessKey;
    }
    if id.starts_with("password:") {
        return EntityKind::Password;
    }
    if id.starts_with("eip155:") {
        return EntityKind::Wallet;
    }
    let mut parts = id.splitn(6, ':');
    let service = parts.nth(2).unwrap_or_default();
    let resource = parts.nth(2).unwrap_or_default();
    let kind = resource.split(['/', ':']).next().unwrap_or_default();
    match (service, kind) {
        ("iam", "root") => EntityKind::Account,
        ("iam", "user") => EntityKind::User,
        ("iam", "group") => EntityKind::Group,
        ("iam", "role") => EntityKind::Role,
        ("iam", "policy") => EntityKind::Policy,
        ("s3", _) if !resource.contains('/') => EntityKind::Bucket,
        ("kms", "key") => EntityKind::Key,
        ("secretsmanager", "secret") => EntityKind::Secret,
        ("ssm", "parameter") => EntityKind::Parameter,
        ("sqs", _) => EntityKind::Queue,
        ("sns", _) => EntityKind::Topic,
        ("lambda", "function") => EntityKind::Function,
        ("ec2", "instance") => EntityKind::Instance,
        ("ec2", "launch-template") => EntityKind::LaunchTemplate,
        ("ecs", "task" | "task-definition") => EntityKind::Task,
        ("ecs", "service") => EntityKind::ContainerService,
        ("ecs" | "eks", "cluster") => EntityKind::Cluster,
        ("codebuild", "project") => EntityKind::BuildProject,
        ("cloudformation", "stack") => EntityKind::Stack,
        ("apprunner", "service") => EntityKind::Application,
        ("ecr", "repository") => EntityKind::ImageRepository,
        ("cloudfront", "distribution") => EntityKind::Distribution,
        ("dynamodb", "table") | ("rds", _) => EntityKind::Database,
        ("glue" | "sagemaker" | "datapipeline" | "elasticmapreduce", _) => EntityKind::DataJob,
        _ => EntityKind::Other,
    }
}
