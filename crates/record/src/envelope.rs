/// The keys that lead to an array of records, as a tree: `Records`, `hits.hits`.
#[derive(Debug)]
pub(crate) struct Envelopes {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    key: Vec<u8>,
    array: bool,
    children: Vec<u16>,
}

/// A place in the tree.
pub(crate) type Place = u16;
pub(crate) const ROOT: Place = 0;

impl Envelopes {
    pub(crate) fn new(paths: &[String]) -> Self {
        let mut nodes = vec![Node::default()];
        for path in paths {
            let mut at = 0;
            for key in path.split('.') {
                let found = nodes[at]
                    .children
                    .iter()
                    .map(|child| *child as usize)
                    .find(|child| nodes[*child].key == key.as_bytes());
                at = found.unwrap_or_else(|| {
                    let child = nodes.len().min(Place::MAX as usize);
                    nodes.push(Node {
                        key: key.into(),
                        ..Node::default()
                    });
                    nodes[at].children.push(child as Place);
                    child
                });
            }
            nodes[at].array = at != 0;
        }
        Self { nodes }
    }

    /// Where a key leads from a place.
    pub(crate) fn step(&self, from: Place, key: &[u8]) -> Option<Place> {
        let from = self.nodes.get(from as usize)?;
        from.children.iter().copied().find(|child| {
            self.nodes
                .get(*child as usize)
                .is_some_and(|node| node.key == key)
        })
    }

    /// Whether an array here holds records.
    pub(crate) fn is_array(&self, place: Place) -> bool {
        self.nodes
            .get(place as usize)
            .is_some_and(|node| node.array)
    }

    /// Whether an object here may hold an array of records.
    pub(crate) fn is_object(&self, place: Place) -> bool {
        self.nodes
            .get(place as usize)
            .is_some_and(|node| !node.children.is_empty())
    }
}
