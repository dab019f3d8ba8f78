//! The edges of the graph: what each step gains, with what allows it.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt};

use crate::evaluate::Permit;
use crate::nodes::NodeId;

/// A text that many edges share.
pub(crate) type Text = u32;

/// Texts, each kept once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    list: Vec<String>,
    places: HashMap<String, Text>,
}

impl Texts {
    pub(crate) fn put(&mut self, text: &str) -> Text {
        if let Some(&place) = self.places.get(text) {
            return place;
        }
        let place = self.list.len() as Text;
        self.list.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }

    pub(crate) fn get(&self, text: Text) -> &str {
        &self.list[text as usize]
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) to: NodeId,
    /// Whether the step changes someone's permissions: of two ways alike, one that does not is
    /// the plainer.
    pub(crate) changes_access: bool,
    pub(crate) via: Text,
    pub(crate) title: Text,
    pub(crate) permissions: Box<[Text]>,
    /// Sorted by their text.
    pub(crate) conditions: Box<[Text]>,
    pub(crate) statements: Box<[Text]>,
}

/// That `by` can give `holder` every permission: it gains one who acts as both.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) by: NodeId,
    pub(crate) holder: NodeId,
    /// The step to the account.
    pub(crate) edge: Edge,
}

/// All edges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    pub(crate) texts: Texts,
    from: Vec<Vec<Edge>>,
    pub(crate) grants: Vec<Grant>,
    grants_of: HashMap<NodeId, Vec<u32>>,
}

impl Edges {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            texts: Texts::default(),
            from: vec![Vec::new(); nodes],
            grants: Vec::new(),
            grants_of: HashMap::new(),
        }
    }

    pub(crate) fn edge(&mut self, to: NodeId, via: &str, title: &str, permit: &Permit) -> Edge {
        let texts = &mut self.texts;
        Edge {
            to,
            changes_access: false,
            via: texts.put(via),
            title: texts.put(title),
            permissions: permit
                .permissions
                .iter()
                .map(|text| texts.put(text))
                .collect(),
            conditions: permit
                .conditions
                .iter()
                .map(|text| texts.put(text))
                .collect(),
            statements: permit
                .statements
                .iter()
                .map(|text| texts.put(text))
                .collect(),
        }
    }

    pub(crate) fn add(&mut self, from: NodeId, edge: Edge) {
        self.from[from as usize].push(edge);
    }

    /// An edge that no permission makes.
    pub(crate) fn relate(&mut self, from: NodeId, to: NodeId, via: &str, title: &str) {
        let edge = self.edge(to, via, title, &Permit::default());
        self.add(from, edge);
    }

    pub(crate) fn grant(&mut self, grant: Grant) {
        let place = self.grants.len() as u32;
        for end in BTreeSet::from([grant.by, grant.holder]) {
            self.grants_of.entry(end).or_default().push(place);
        }
        self.grants.push(grant);
    }

    pub(crate) fn of(&self, node: NodeId) -> &[Edge] {
        self.from.get(node as usize).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn grants_of(&self, node: NodeId) -> impl Iterator<Item = &Grant> {
        let places = self.grants_of.get(&node).into_iter().flatten();
        places.map(|&place| &self.grants[place as usize])
    }

    /// Puts the edges of each node in an order of their own.
    pub(crate) fn finish(&mut self) {
        let texts = &self.texts;
        let words = |list: &[Text]| list.iter().map(|&t| texts.get(t)).collect::<Vec<_>>();
        for list in &mut self.from {
            list.sort_by(|left, right| {
                left.to
                    .cmp(&right.to)
                    .then_with(|| left.conditions.len().cmp(&right.conditions.len()))
                    .then_with(|| left.changes_access.cmp(&right.changes_access))
                    .then_with(|| left.permissions.len().cmp(&right.permissions.len()))
                    .then_with(|| texts.get(left.via).cmp(texts.get(right.via)))
                    .then_with(|| words(&left.conditions).cmp(&words(&right.conditions)))
            });
            list.dedup();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.from.iter().map(Vec::len).sum()
    }
}
