//! A built graph as bytes: a head with what it was built of, then the graph.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `portreeve-graph` and a zero |
//! | 4 | the version of the form, little-endian |
//! | 32 | the digest of the inputs |
//! | 32 | the SHA-256 of the body |
//! | 8 | the length of the body, little-endian |
//! | the rest | the body, in the form of the crate `postcard` |

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::ask::Circumstances;
use crate::catalogue::{Catalogue, Escalation};
use crate::doors::Door;
use crate::edges::Edges;
use crate::evaluate::{Evaluator, base_context};
use crate::graph::Graph;
use crate::jewels::DeclaredJewel;
use crate::nodes::{NodeId, Nodes};
use crate::outline::Actions;
use crate::path::Jewel;
use crate::plan::{Plan, Targets};
use crate::world::World;

const NAME: &[u8; 16] = b"portreeve-graph\0";

/// The version of the form. It rises with every change of what is saved.
const VERSION: u32 = 4;

/// What a graph is built of, as a digest: equal inputs make the same graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs([u8; 32]);

impl Inputs {
    /// The digest of a catalogue, of declared jewels and of the files of an inventory. The order of
    /// files counts: give them in an order of their own.
    pub fn of<'b>(
        catalogue: &Catalogue,
        declared: &[DeclaredJewel],
        files: impl IntoIterator<Item = &'b [u8]>,
    ) -> Self {
        let mut digest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        add(env!("CARGO_PKG_VERSION").as_bytes());
        add(&(catalogue.len() as u64).to_le_bytes());
        for (id, file) in catalogue.digests() {
            add(id.as_bytes());
            add(file);
        }
        add(&(declared.len() as u64).to_le_bytes());
        for jewel in declared {
            add(jewel.id.as_bytes());
            add(jewel.kind.map_or("", |kind| kind.as_str()).as_bytes());
            add(jewel.reason.as_deref().unwrap_or_default().as_bytes());
        }
        for file in files {
            add(&Sha256::digest(file));
        }
        Self(digest.finalize().into())
    }

    /// The same, of a graph that is built in circumstances of which something is known
    /// ([`Graph::build_in`]): another graph.
    #[must_use]
    pub fn given(self, circumstances: &Circumstances) -> Self {
        if *circumstances == Circumstances::default() {
            return self;
        }
        let mut digest = Sha256::new();
        digest.update(self.0);
        digest.update([u8::from(circumstances.strict)]);
        for (key, values) in &circumstances.context {
            for text in std::iter::once(key).chain(values) {
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text.as_bytes());
            }
            digest.update((values.len() as u64).to_le_bytes());
        }
        Self(digest.finalize().into())
    }
}

/// Why a graph was not saved.
#[derive(Debug, Error)]
pub enum SaveError {
    /// It could not be written.
    #[error("the graph could not be written: {0}")]
    Io(#[from] io::Error),
    /// It could not be put into bytes.
    #[error("the graph could not be put into bytes: {0}")]
    Form(postcard::Error),
}

/// Why a graph was not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It could not be read.
    #[error("the graph could not be read: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no graph at all.
    #[error("this is no saved graph")]
    NotAGraph,
    /// It was saved by another version of this program.
    #[error("the graph was saved in the form {found}, this program reads the form {VERSION}")]
    Version {
        /// The version of the form that was found.
        found: u32,
    },
    /// It was built of another inventory, another catalogue or other declared jewels.
    #[error("the graph is stale: it was built of other inputs; build it anew")]
    Stale,
    /// Its bytes are not those that were saved, or do not hang together.
    #[error("the saved graph is damaged: {0}")]
    Damaged(&'static str),
}

/// What a graph is made of.
pub(crate) struct Parts<'g> {
    pub(crate) evaluator: &'g Evaluator,
    pub(crate) edges: &'g Edges,
    pub(crate) jewels: &'g BTreeMap<NodeId, Jewel>,
    pub(crate) doors: &'g [Door],
    pub(crate) notes: &'g [String],
}

#[derive(Serialize)]
struct Body<'g> {
    nodes: &'g Nodes,
    world: &'g World,
    actions: &'g Actions,
    plans: Vec<(&'g Escalation, &'g [NodeId], &'g [NodeId])>,
    circumstances: &'g Circumstances,
    edges: &'g Edges,
    jewels: &'g BTreeMap<NodeId, Jewel>,
    doors: &'g [Door],
    notes: &'g [String],
}

#[derive(Deserialize)]
struct OwnedBody {
    nodes: Nodes,
    world: World,
    actions: Actions,
    plans: Vec<(Escalation, Vec<NodeId>, Vec<NodeId>)>,
    circumstances: Circumstances,
    edges: Edges,
    jewels: BTreeMap<NodeId, Jewel>,
    doors: Vec<Door>,
    notes: Vec<String>,
}

pub(crate) fn save(
    parts: &Parts<'_>,
    inputs: &Inputs,
    mut writer: impl Write,
) -> Result<(), SaveError> {
    let evaluator = parts.evaluator;
    let plans = evaluator.plans.iter();
    let body = Body {
        nodes: &evaluator.nodes,
        world: &evaluator.world,
        actions: &evaluator.actions,
        plans: plans
            .map(|plan| {
                let (core, leaves) = (&plan.core.all, &plan.leaves.all);
                (&*plan.escalation, core.as_slice(), leaves.as_slice())
            })
            .collect(),
        circumstances: &evaluator.circumstances,
        edges: parts.edges,
        jewels: parts.jewels,
        doors: parts.doors,
        notes: parts.notes,
    };
    let body = postcard::to_stdvec(&body).map_err(SaveError::Form)?;
    writer.write_all(NAME)?;
    writer.write_all(&VERSION.to_le_bytes())?;
    writer.write_all(&inputs.0)?;
    writer.write_all(&Sha256::digest(&body))?;
    writer.write_all(&(body.len() as u64).to_le_bytes())?;
    writer.write_all(&body)?;
    writer.flush()?;
    Ok(())
}

pub(crate) fn load(inputs: &Inputs, mut reader: impl Read) -> Result<Graph, LoadError> {
    fn part<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], LoadError> {
        let mut bytes = [0; N];
        match reader.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(LoadError::NotAGraph),
            Err(error) => Err(error.into()),
        }
    }
    if &part(&mut reader)? != NAME {
        return Err(LoadError::NotAGraph);
    }
    let found = u32::from_le_bytes(part(&mut reader)?);
    if found != VERSION {
        return Err(LoadError::Version { found });
    }
    if part(&mut reader)? != inputs.0 {
        return Err(LoadError::Stale);
    }
    let digest: [u8; 32] = part(&mut reader)?;
    let length = u64::from_le_bytes(part(&mut reader)?);
    // Memory grows with what is there, not with what the head claims.
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    if body.len() as u64 != length {
        return Err(LoadError::Damaged("it is cut off"));
    }
    if Sha256::digest(&body) != digest.into() {
        return Err(LoadError::Damaged("its digest is another"));
    }
    let body: OwnedBody =
        postcard::from_bytes(&body).map_err(|_| LoadError::Damaged("its body is malformed"))?;
    graph(body)
}

/// Puts a graph together of a body that someone may have made up.
fn graph(body: OwnedBody) -> Result<Graph, LoadError> {
    let mut nodes = body.nodes;
    let mut world = body.world;
    let mut edges = body.edges;
    let count = nodes.len();
    let known = |place: &NodeId| (*place as usize) < count;
    let targets_are_known = body.plans.iter().all(|(_, core, leaves)| {
        core.iter().chain(leaves).all(known) && core.is_sorted() && leaves.is_sorted()
    });
    let is_sound = nodes.is_sound()
        && world.is_sound(count)
        && edges.is_sound(count)
        && body.jewels.keys().all(known)
        && targets_are_known;
    if !is_sound {
        return Err(LoadError::Damaged("its parts do not fit together"));
    }
    nodes.find_places();
    world.find_places(&nodes);
    edges.find_places();
    let plans = body.plans.into_iter().map(|(escalation, core, leaves)| {
        let mut plan = Plan::of(Arc::new(escalation));
        plan.core = Targets::of(&nodes, core);
        plan.leaves = Targets::of(&nodes, leaves);
        plan
    });
    let plans = plans.collect();
    let evaluator = Evaluator {
        nodes,
        world,
        actions: body.actions,
        plans,
        base: body.circumstances.laid_over(base_context()),
        circumstances: body.circumstances,
    };
    Ok(Graph::new(
        evaluator,
        edges,
        body.jewels,
        body.doors,
        body.notes,
    ))
}
