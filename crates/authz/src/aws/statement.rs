//! Statements of a policy, compiled.

use super::arn::ArnPattern;
use super::condition::Condition;
use super::pattern::{Pattern, Syntax, Tri};
use super::principal::PrincipalElement;

/// What a statement does to the requests that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// A part of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part<T> {
    /// The statement does not have it.
    Absent,
    /// It is there and cannot be understood: it may mean anything.
    Unreadable,
    /// As it was read.
    Read(T),
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ActionElement {
    pub(super) negated: bool,
    pub(super) patterns: Box<[ActionPattern]>,
}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResourceElement {
    pub(super) negated: bool,
    pub(super) patterns: Box<[ArnPattern]>,
}

/// A pattern of actions, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ActionPattern {
    Everything,
    /// Actions of one service, by name.
    Service(Box<str>, Pattern),
    /// A wildcard in the service: over the whole action.
    Whole(Pattern),
}

impl ActionPattern {
    pub(super) fn compile(text: &str) -> Result<Self, &'static str> {
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Ok(ActionPattern::Everything);
        }
        let lower = text.to_ascii_lowercase();
        let (service, name) = lower
            .split_once(':')
            .ok_or("has no service before a colon")?;
        if service.is_empty() || name.is_empty() || name.contains(':') {
            return Err("is not of the form service:Action");
        }
        let syntax = Syntax {
            wildcards: true,
            variables: false,
        };
        if service.contains(['*', '?']) {
            return Ok(ActionPattern::Whole(Pattern::compile(&lower, syntax)?));
        }
        Ok(ActionPattern::Service(
            service.into(),
            Pattern::compile(name, syntax)?,
        ))
    }

    /// The one service whose actions it names.
    pub(super) fn service(&self) -> Option<&str> {
        match self {
            ActionPattern::Service(service, _) => Some(service),
            _ => None,
        }
    }

    fn covers(&self, action: &Action<'_>) -> bool {
        match self {
            ActionPattern::Everything => true,
            ActionPattern::Service(service, name) => {
                **service == *action.service && name.covers_text(action.name)
            }
            ActionPattern::Whole(pattern) => pattern.covers_text(action.whole),
        }
    }
}

/// An action that is asked for, in lower case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    pub(super) whole: &'a str,
    pub(super) service: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Action<'a> {
    pub(super) fn new(lower_case: &'a str) -> Self {
        let (service, name) = lower_case.split_once(':').unwrap_or(("", lower_case));
        Self {
            whole: lower_case,
            service,
            name,
        }
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    /// Its place in the policy, from 0.
    pub(super) index: usize,
    pub(super) sid: Option<Box<str>>,
    /// `None` where it cannot be told: then it may be either.
    pub(super) effect: Option<Effect>,
    /// `None` where it cannot be told.
    pub(super) actions: Option<ActionElement>,
    pub(super) principal: Part<PrincipalElement>,
    pub(super) resources: Part<ResourceElement>,
    pub(super) conditions: Box<[Condition]>,
    /// Why a part of it could not be understood. Such a statement never applies for certain.
    pub(super) defect: Option<Box<str>>,
}

impl Statement {
    /// A statement of which nothing is known.
    pub(super) fn unknown(index: usize, reason: &str) -> Self {
        Self {
            index,
            sid: None,
            effect: None,
            actions: None,
            principal: Part::Unreadable,
            resources: Part::Unreadable,
            conditions: Box::new([]),
            defect: Some(reason.into()),
        }
    }

    /// The patterns of its resources.
    pub(super) fn resource_patterns(&self) -> &[ArnPattern] {
        match &self.resources {
            Part::Read(element) => &element.patterns,
            Part::Absent | Part::Unreadable => &[],
        }
    }

    /// The condition keys that it hangs on, in lower case: of its conditions and its variables.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let variables = self
            .resource_patterns()
            .iter()
            .flat_map(ArnPattern::variables)
            .map(|variable| &*variable.lower_case_key);
        self.conditions
            .iter()
            .flat_map(Condition::keys)
            .chain(variables)
    }

    pub(super) fn may_have(&self, effect: Effect) -> bool {
        self.effect.is_none_or(|own| own == effect)
    }

    pub(super) fn covers_action(&self, action: &Action<'_>) -> Tri {
        match &self.actions {
            None => Tri::Maybe,
            Some(element) => {
                let found = element
                    .patterns
                    .iter()
                    .any(|pattern| pattern.covers(action));
                (found != element.negated).into()
            }
        }
    }
}
