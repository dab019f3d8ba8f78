//! One question, and whether a statement speaks of it.

use super::arn::{ArnParts, ArnPattern, Missing};
use super::keys::{Keys, class};
use super::outcome::Found;
use super::pattern::{Tri, Variable};
use super::principal::{Doubt, Naming};
use super::request::{Caller, Request, Target};
use super::statement::{Action, Effect, Part, ResourceElement};
use crate::{Atom, KeyClass, PolicyLayer};

/// What is acted on, made ready for comparison.
enum Asked<'a> {
    Exact(ArnParts<'a>),
    Within(ArnPattern),
}

/// One question, made ready.
pub(super) struct Question<'a> {
    pub(super) caller: &'a Caller,
    pub(super) action: Action<'a>,
    keys: Keys<'a>,
    asked: Asked<'a>,
    has_boundary: bool,
    /// For a question about some resource among many: what denies for certain take away.
    pub(super) taken: Vec<&'a ArnPattern>,
}

impl<'a> Question<'a> {
    pub(super) fn new(
        request: &Request<'a>,
        lower_case_action: &'a str,
        resource_account: Option<&'a str>,
        has_boundary: bool,
    ) -> Self {
        let asked = match request.target {
            Target::Exact(arn) => Asked::Exact(ArnParts::new(arn)),
            Target::Any => Asked::Within(ArnPattern::Everything),
            // A pattern that is none covers no more than its own text.
            Target::Within(text) => match ArnPattern::compile(text, false, Missing::Everything) {
                Ok(pattern) => Asked::Within(pattern),
                Err(_) => Asked::Exact(ArnParts::new(text)),
            },
        };
        Self {
            caller: request.principal,
            action: Action::new(lower_case_action),
            keys: Keys::new(request.context, request.principal, resource_account),
            asked,
            has_boundary,
            taken: Vec::new(),
        }
    }

    /// How a statement, of which the question asks whether it has an effect, speaks of the
    /// request. What it hangs on is added to `atoms` where the answer is not *no*.
    pub(super) fn speaks(
        &self,
        found: Found<'_>,
        effect: Effect,
        atoms: &mut Vec<Atom>,
    ) -> Option<(Tri, Naming)> {
        let statement = found.statement;
        let mut result = statement.covers_action(&self.action);
        if result == Tri::No {
            return None;
        }
        let naming = self.naming(found, effect);
        if naming.any() == Tri::No {
            return None;
        }
        let before = atoms.len();
        let must_hold = effect == Effect::Allow;
        let (resources, needs_resource) = self.resources(found, effect, must_hold, atoms);
        result = result.min(resources);
        for condition in &statement.conditions {
            if result == Tri::No {
                break;
            }
            let mut key_unknown = false;
            let mut variables = Vec::new();
            let mut unknown = |variable: &Variable| variables.push(variable.clone());
            let tested = condition.test(&self.keys, &mut key_unknown, &mut unknown);
            result = result.min(tested);
            if tested != Tri::Maybe {
                continue;
            }
            if key_unknown {
                atoms.push(Atom::new(
                    found.layer,
                    &*condition.operator_name,
                    &*condition.key,
                    condition
                        .texts
                        .iter()
                        .map(|text| text.to_string())
                        .collect(),
                    class(&condition.lower_case_key),
                    must_hold,
                ));
            }
            atoms.extend(variables.iter().map(|variable| {
                variable_atom(found.layer, variable, condition.texts.iter(), must_hold)
            }));
        }
        if result == Tri::No {
            atoms.truncate(before);
            return None;
        }
        let misplaced = needs_resource.then_some("it has no Resource, which it needs here");
        let reason = statement
            .defect
            .as_deref()
            .or(misplaced)
            .or(self.misplaced(found));
        if let Some(reason) = reason {
            result = Tri::Maybe;
            let name = format!("{}#{}", found.policy, statement.index);
            let reason = vec![reason.to_owned()];
            atoms.push(Atom::new(
                found.layer,
                "Unseen",
                name,
                reason,
                KeyClass::Unseen,
                must_hold,
            ));
        }
        Some((result, naming))
    }

    /// The test of a caller's name that a naming hangs on.
    pub(super) fn doubt(&self, found: Found<'_>, doubt: Doubt, must_hold: bool) -> Atom {
        let name = format!("{}#{}", found.policy, found.statement.index);
        let (operator, key, values, class) = match doubt {
            Doubt::SessionName => (
                "StringEquals",
                "sts:RoleSessionName".to_owned(),
                vec![name],
                KeyClass::Settable,
            ),
            Doubt::CanonicalId => (
                "Unseen",
                name,
                vec!["it names an account by a canonical id".to_owned()],
                KeyClass::Unseen,
            ),
            Doubt::PartlyListed => (
                "Unseen",
                name,
                vec!["its NotPrincipal lists not all that the caller is known by".to_owned()],
                KeyClass::Unseen,
            ),
        };
        Atom::new(found.layer, operator, key, values, class, must_hold)
    }

    fn naming(&self, found: Found<'_>, effect: Effect) -> Naming {
        let direct = |tri| Naming {
            direct: tri,
            role: Tri::No,
            account: Tri::No,
            doubt: None,
        };
        match &found.statement.principal {
            Part::Read(element) => {
                element.naming(self.caller, effect == Effect::Deny, self.has_boundary)
            }
            Part::Absent => direct(Tri::Yes),
            Part::Unreadable => direct(Tri::Maybe),
        }
    }

    /// A statement that stands in the wrong kind of policy: AWS would refuse it, so that nothing
    /// sure can be said.
    fn misplaced(&self, found: Found<'_>) -> Option<&'static str> {
        let of_resource = is_of_resource(found.layer);
        match &found.statement.principal {
            // An RCP's is always `*`.
            Part::Absent if of_resource && found.layer != PolicyLayer::Rcp => {
                Some("it has no Principal, which it needs here")
            }
            Part::Read(_) if !of_resource => Some("it has a Principal, which has no place here"),
            _ => None,
        }
    }

    /// Whether its resources speak of what is asked, and whether it lacks them.
    fn resources(
        &self,
        found: Found<'_>,
        effect: Effect,
        must_hold: bool,
        atoms: &mut Vec<Atom>,
    ) -> (Tri, bool) {
        match &found.statement.resources {
            Part::Read(element) => {
                let result = self.covers_resource(found, element, effect, must_hold, atoms);
                (result, false)
            }
            // The policy of a resource may leave out that it speaks of that resource.
            Part::Absent if is_of_resource(found.layer) => (Tri::Yes, false),
            Part::Absent => (Tri::Maybe, true),
            Part::Unreadable => (Tri::Maybe, false),
        }
    }

    fn covers_resource(
        &self,
        found: Found<'_>,
        element: &ResourceElement,
        effect: Effect,
        must_hold: bool,
        atoms: &mut Vec<Atom>,
    ) -> Tri {
        let mut variables: Vec<Variable> = Vec::new();
        let mut unknown = |variable: &Variable| variables.push(variable.clone());
        let keys = &self.keys;
        let any = |test: &mut dyn FnMut(&ArnPattern) -> Tri| {
            let mut result = Tri::No;
            for pattern in &element.patterns {
                result = result.max(test(pattern));
                if result == Tri::Yes {
                    break;
                }
            }
            result
        };
        let result = match &self.asked {
            Asked::Exact(arn) => {
                let found = any(&mut |pattern| pattern.covers(arn, keys, &mut unknown));
                if element.negated { found.not() } else { found }
            }
            Asked::Within(asked) => match (effect, element.negated) {
                (Effect::Allow, false) => any(&mut |pattern| {
                    if self.taken.iter().any(|taken| taken.contains(pattern, keys)) {
                        return Tri::No;
                    }
                    pattern.overlaps(asked, keys, &mut unknown)
                }),
                (Effect::Allow, true) => {
                    any(&mut |pattern| pattern.contains(asked, keys).into()).not()
                }
                (Effect::Deny, false) => any(&mut |pattern| {
                    if pattern.contains(asked, keys) {
                        return Tri::Yes;
                    }
                    // It takes a part away at most, unless a variable hides that it takes all.
                    let everything = matches!(asked, ArnPattern::Everything);
                    let overlap = if everything {
                        Tri::No
                    } else {
                        pattern.overlaps(asked, keys, &mut unknown)
                    };
                    if overlap == Tri::Maybe {
                        Tri::Maybe
                    } else {
                        Tri::No
                    }
                }),
                (Effect::Deny, true) => {
                    any(&mut |pattern| pattern.overlaps(asked, keys, &mut unknown)).not()
                }
            },
        };
        if result == Tri::Maybe {
            let values = [found.policy];
            atoms.extend(
                variables
                    .iter()
                    .map(|variable| variable_atom(found.layer, variable, values.iter(), must_hold)),
            );
        }
        result
    }

    /// Remembers what a deny takes away for certain from a question about some resource.
    pub(super) fn take_away(&mut self, found: Found<'a>) {
        if !matches!(self.asked, Asked::Within(_)) || found.statement.defect.is_some() {
            return;
        }
        let Part::Read(element) = &found.statement.resources else {
            return;
        };
        if element.negated || found.statement.effect != Some(Effect::Deny) {
            return;
        }
        let statement = found.statement;
        let (mut key_unknown, mut ignored) = (false, |_: &Variable| {});
        let sure = statement.covers_action(&self.action) == Tri::Yes
            && self.naming(found, Effect::Deny).any() == Tri::Yes
            && self.misplaced(found).is_none()
            && statement.conditions.iter().all(|condition| {
                condition.test(&self.keys, &mut key_unknown, &mut ignored) == Tri::Yes
            });
        if sure {
            self.taken.extend(&element.patterns);
        }
    }
}

fn variable_atom<T: ToString>(
    layer: PolicyLayer,
    variable: &Variable,
    values: impl Iterator<Item = T>,
    must_hold: bool,
) -> Atom {
    let values = values.map(|value| value.to_string()).collect();
    Atom::new(
        layer,
        "Variable",
        &*variable.key,
        values,
        class(&variable.lower_case_key),
        must_hold,
    )
}

/// Whether policies of a layer belong to a resource and name principals.
fn is_of_resource(layer: PolicyLayer) -> bool {
    matches!(
        layer,
        PolicyLayer::Resource | PolicyLayer::Trust | PolicyLayer::Rcp | PolicyLayer::Endpoint
    )
}
