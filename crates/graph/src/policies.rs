//! The policies of an estate, each text kept once: read coarsely at once, compiled for
//! authorisation when first asked about.

use std::sync::{Arc, OnceLock};
use std::thread;

use foldhash::{HashMap, HashMapExt};
use portreeve_authz::aws::{AttachedPolicy, Document, KmsGrant};
use portreeve_model::{PolicyLayer, Relation};
use serde::{Deserialize, Serialize};

use crate::outline::{Actions, Outline, Outliner};
use crate::parallel::threads;

/// A policy's place: a name with a text.
pub(crate) type PolicyId = u32;

/// Fewer documents than this are not worth a thread.
const WORTH_A_THREAD: usize = 512;

/// One text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Text {
    text: Arc<str>,
    outline: Outline,
    #[serde(skip)]
    compiled: OnceLock<Arc<Document>>,
}

/// The policy that says the same as a grant; no text where the grant is not understood.
fn policy_of_grant(text: &str) -> Arc<str> {
    let policy = KmsGrant::from_json(text).and_then(|grant| grant.as_policy());
    policy.unwrap_or_default().into()
}

/// All policies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Policies {
    texts: Vec<Text>,
    /// Name and text of each.
    list: Vec<(String, u32)>,
}

impl Policies {
    /// Reads the policies of relations; which of them each relation holds. A grant is held as the
    /// policy that says the same; one that is not understood has no text.
    pub(crate) fn read(relations: &[Relation], actions: &Actions) -> (Self, Vec<Option<PolicyId>>) {
        let mut policies = Self::default();
        let mut places: HashMap<&str, u32> = HashMap::new();
        let mut named: HashMap<(&str, u32), PolicyId> = HashMap::new();
        let mut held = Vec::with_capacity(relations.len());
        for relation in relations {
            let Relation::Policy {
                layer,
                name,
                document,
                ..
            } = relation
            else {
                held.push(None);
                continue;
            };
            let place = *places.entry(document).or_insert_with(|| {
                policies.texts.push(Text {
                    text: match layer {
                        PolicyLayer::Grant => policy_of_grant(document),
                        _ => document.clone(),
                    },
                    ..Text::default()
                });
                policies.texts.len() as u32 - 1
            });
            let id = *named.entry((name, place)).or_insert_with(|| {
                policies.list.push((name.clone(), place));
                policies.list.len() as u32 - 1
            });
            held.push(Some(id));
        }
        policies.outline(actions);
        (policies, held)
    }

    fn outline(&mut self, actions: &Actions) {
        let share = self.texts.len().div_ceil(threads()).max(WORTH_A_THREAD);
        let read = |texts: &mut [Text]| {
            let mut outliner = Outliner::new(actions);
            for text in texts {
                text.outline = outliner.read(&text.text);
            }
        };
        if self.texts.len() <= share {
            read(&mut self.texts);
            return;
        }
        thread::scope(|scope| {
            for texts in self.texts.chunks_mut(share) {
                scope.spawn(move || read(texts));
            }
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn name(&self, policy: PolicyId) -> &str {
        &self.list[policy as usize].0
    }

    pub(crate) fn outline_of(&self, policy: PolicyId) -> &Outline {
        &self.text(policy).outline
    }

    /// Whether it may change any answer that the graph asks for.
    pub(crate) fn matters(&self, policy: PolicyId) -> bool {
        let outline = self.outline_of(policy);
        let denies = outline
            .denials
            .iter()
            .any(|denial| !denial.actions.is_empty());
        !outline.plain || denies || !outline.actions.is_empty()
    }

    /// Forgets the texts of policies that nobody asks about.
    pub(crate) fn keep(&mut self, used: impl Fn(PolicyId) -> bool) {
        let mut kept = vec![false; self.texts.len()];
        for (policy, (_, text)) in self.list.iter().enumerate() {
            kept[*text as usize] |= used(policy as PolicyId);
        }
        for (text, kept) in self.texts.iter_mut().zip(kept) {
            if !kept {
                *text = Text::default();
            }
        }
    }

    /// The policy as authorisation takes it.
    pub(crate) fn attached(&self, policy: PolicyId) -> AttachedPolicy {
        AttachedPolicy::new(self.name(policy), self.compile(policy).clone())
    }

    /// Its document, compiled if it was not yet.
    pub(crate) fn compile(&self, policy: PolicyId) -> &Arc<Document> {
        let text = self.text(policy);
        text.compiled.get_or_init(|| {
            Arc::new(if text.text.trim().is_empty() {
                Document::unseen("the policy's text is not in the inventory")
            } else {
                Document::parse_lenient(&text.text)
            })
        })
    }

    /// Whether every place that it refers to is there: of one that was loaded.
    pub(crate) fn is_sound(&self) -> bool {
        self.list
            .iter()
            .all(|(_, text)| (*text as usize) < self.texts.len())
    }

    fn text(&self, policy: PolicyId) -> &Text {
        &self.texts[self.list[policy as usize].1 as usize]
    }
}
