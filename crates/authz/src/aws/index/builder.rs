use super::super::arn::ArnParts;
use super::super::document::lower_case;
use super::super::evaluate::{has_allow, is_service_linked};
use super::super::keys::is_federated_user;
use super::super::request::{
    AttachedPolicy, Caller, CallerKind, Context, PrincipalPolicies, ResourcePolicies,
    ResourcePolicyKind,
};
use super::asker::Asker;
use super::policies::{PolicyId, PolicyTable};
use super::{ActionId, Map, PrincipalId, ResourceId, id};

/// The policies of a principal, by id.
#[derive(Default)]
pub(super) struct PolicySet {
    pub(super) identity: Vec<PolicyId>,
    pub(super) boundary: Vec<PolicyId>,
    pub(super) session: Vec<PolicyId>,
    pub(super) endpoint: Vec<PolicyId>,
    pub(super) scps: Vec<Vec<PolicyId>>,
}

/// Principals of the same policies, kind and account.
pub(super) struct Class {
    pub(super) policies: PrincipalPolicies,
    pub(super) set: PolicySet,
    /// Kind, account and exemptions, in bytes.
    pub(super) frame: Box<[u8]>,
    pub(super) members: Vec<PrincipalId>,
    /// Equal for classes that differ in nothing but what their own policies say.
    pub(super) shape: u32,
}

pub(super) struct Principal {
    pub(super) caller: Caller,
    pub(super) class: u32,
}

pub(super) struct Resource {
    pub(super) arn: Box<str>,
    /// Whether it stands for all that its name covers as a pattern.
    pub(super) broad: bool,
    pub(super) owner: Option<Box<str>>,
    pub(super) policies: ResourcePolicies,
    /// Its own context, where it has one.
    pub(super) context: Option<Context>,
    pub(super) context_id: u32,
    /// Its own policy and what allows beside it.
    pub(super) own: Vec<PolicyId>,
    /// Each level of RCPs, and whether it has an allow.
    pub(super) rcps: Vec<(bool, Vec<PolicyId>)>,
    /// The patterns that cover it, sorted.
    pub(super) covering: Box<[u32]>,
}

impl Resource {
    /// Whether it has a policy that was not seen: a role or a key always has one.
    pub(super) fn is_unseen(&self) -> bool {
        self.policies.policy.is_none() && self.policies.kind != ResourcePolicyKind::Ordinary
    }
}

/// What an [`Index`] is built from.
pub struct IndexBuilder {
    context: Context,
    table: PolicyTable,
    principals: Vec<Principal>,
    classes: Vec<Class>,
    class_ids: Map<Box<[u8]>, u32>,
    resources: Vec<Resource>,
    actions: Vec<Box<str>>,
    action_ids: Map<Box<str>, u32>,
    context_ids: Map<Context, u32>,
    shape_ids: Map<Box<[u8]>, u32>,
}

impl IndexBuilder {
    /// A builder of an index for questions in one context.
    pub fn new(context: Context) -> Self {
        Self {
            context,
            table: PolicyTable::default(),
            principals: Vec::new(),
            classes: Vec::new(),
            class_ids: Map::default(),
            resources: Vec::new(),
            actions: Vec::new(),
            action_ids: Map::default(),
            context_ids: Map::default(),
            shape_ids: Map::default(),
        }
    }

    /// Adds a principal with its policies. Time: their number.
    pub fn principal(&mut self, caller: Caller, mut policies: PrincipalPolicies) -> PrincipalId {
        let table = &mut self.table;
        let mut all = |policies: &mut [AttachedPolicy]| -> Vec<PolicyId> {
            policies
                .iter_mut()
                .map(|policy| table.intern(policy))
                .collect()
        };
        let set = PolicySet {
            identity: all(&mut policies.identity),
            boundary: all(policies.boundary.as_mut_slice()),
            session: all(&mut policies.session),
            endpoint: all(&mut policies.endpoint),
            scps: policies.scps.iter_mut().map(|level| all(level)).collect(),
        };
        let frame = frame(&caller, &policies);
        let mut key = frame.clone();
        let put = |key: &mut Vec<u8>, policies: &[PolicyId]| {
            key.extend(id(policies.len()).to_le_bytes());
            for policy in policies {
                key.extend(policy.name.to_le_bytes());
                key.extend(policy.document.to_le_bytes());
            }
        };
        let mut shape = frame.clone();
        for own in [&set.identity, &set.boundary, &set.session, &set.endpoint] {
            put(&mut key, own);
            shape.push(u8::from(own.is_empty()));
        }
        for level in &set.scps {
            put(&mut key, level);
            put(&mut shape, level);
        }
        let principal = PrincipalId(id(self.principals.len()));
        let next = id(self.classes.len());
        let class = *self.class_ids.entry(key.into()).or_insert(next);
        if class == next {
            let next = id(self.shape_ids.len());
            let shape = *self.shape_ids.entry(shape.into()).or_insert(next);
            self.classes.push(Class {
                shape,
                policies,
                set,
                frame: frame.into(),
                members: Vec::new(),
            });
        }
        if let Some(class) = self.classes.get_mut(class as usize) {
            class.members.push(principal);
        }
        self.principals.push(Principal { caller, class });
        principal
    }

    /// Adds a resource, by its ARN (`*` for actions that name none), with its side.
    pub fn resource(&mut self, arn: &str, policies: ResourcePolicies) -> ResourceId {
        self.resource_in(arn, policies, None)
    }

    /// Adds what a pattern covers (`arn:aws:lambda:*:111122223333:function:*`; `*` for anything),
    /// for questions whether there is *some* resource among it: those of
    /// [`Target::Within`](super::super::Target::Within).
    pub fn some_within(&mut self, pattern: &str, policies: ResourcePolicies) -> ResourceId {
        let added = self.resource_in(pattern, policies, None);
        if let Some(resource) = self.resources.get_mut(added.index()) {
            resource.broad = true;
        }
        added
    }

    /// The same, with keys of a context that hold for questions about this resource and stand over
    /// those of the index: its tags (`aws:ResourceTag/…`).
    pub fn resource_in(
        &mut self,
        arn: &str,
        mut policies: ResourcePolicies,
        context: Option<&Context>,
    ) -> ResourceId {
        let table = &mut self.table;
        let mut own: Vec<PolicyId> = policies
            .policy
            .iter_mut()
            .map(|policy| table.intern(policy))
            .collect();
        let beside = policies.access.policies();
        own.extend(beside.map(|policy| table.intern(&mut policy.clone())));
        let rcps = policies
            .rcps
            .iter_mut()
            .map(|level| {
                let ids = level
                    .iter_mut()
                    .map(|policy| table.intern(policy))
                    .collect();
                (has_allow(level), ids)
            })
            .collect();
        let (context, context_id) = match context {
            None => (None, 0),
            Some(own) => {
                let mut merged = self.context.clone();
                merged.extend(own);
                let next = id(self.context_ids.len() + 1);
                let known = *self.context_ids.entry(merged.clone()).or_insert(next);
                (Some(merged), known)
            }
        };
        let owner = policies
            .account
            .as_deref()
            .or(ArnParts::new(arn).account())
            .map(Into::into);
        let resource = ResourceId(id(self.resources.len()));
        self.resources.push(Resource {
            arn: arn.into(),
            broad: false,
            owner,
            policies,
            context,
            context_id,
            own,
            rcps,
            covering: Box::default(),
        });
        resource
    }

    /// Names an action (`s3:GetObject`, case does not matter): the same id for the same action.
    pub fn action(&mut self, action: &str) -> ActionId {
        let lower = lower_case(action);
        let next = id(self.actions.len());
        let known = match self.action_ids.get(&*lower) {
            Some(known) => *known,
            None => {
                self.actions.push((&*lower).into());
                self.action_ids.insert((&*lower).into(), next);
                next
            }
        };
        ActionId(known)
    }

    /// Builds the index. Time: for each resource the length of its name and the patterns that
    /// begin as it does; near-linear in the estate.
    pub fn build(mut self) -> Index {
        let mut classes_of = vec![Vec::new(); self.table.document_count()];
        for (place, class) in (0_u32..).zip(&self.classes) {
            let set = &class.set;
            for own in [&set.identity, &set.boundary, &set.session, &set.endpoint] {
                for policy in own {
                    if let Some(list) = classes_of.get_mut(policy.document as usize) {
                        list.push(place);
                    }
                }
            }
        }
        let mut resources_by = vec![Vec::new(); self.table.document_count()];
        let mut unseen = Vec::new();
        for (place, resource) in (0_u32..).zip(&self.resources) {
            for policy in &resource.own {
                if let Some(list) = resources_by.get_mut(policy.document as usize) {
                    list.push(ResourceId(place));
                }
            }
            if resource.is_unseen() {
                unseen.push(ResourceId(place));
            }
        }
        let mut broad = Vec::new();
        let mut resources_of = vec![Vec::new(); self.table.patterns.len()];
        for (place, resource) in (0_u32..).zip(&mut self.resources) {
            if resource.broad {
                broad.push(ResourceId(place));
                continue;
            }
            resource.covering = self.table.patterns.covering(&resource.arn);
            for pattern in &resource.covering {
                if let Some(list) = resources_of.get_mut(*pattern as usize) {
                    list.push(ResourceId(place));
                }
            }
        }
        Index {
            context: self.context,
            table: self.table,
            principals: self.principals,
            classes: self.classes,
            resources: self.resources,
            actions: self.actions,
            resources_of,
            classes_of,
            resources_by,
            unseen,
            broad,
        }
    }
}

/// What of a caller every class has in common.
fn frame(caller: &Caller, policies: &PrincipalPolicies) -> Vec<u8> {
    let kind = match caller.kind {
        CallerKind::User => 0,
        CallerKind::Role => 1,
        CallerKind::Session if is_federated_user(caller) => 2,
        CallerKind::Session => 3,
        CallerKind::Root => 4,
        CallerKind::Service => 5,
        CallerKind::Federated => 6,
        CallerKind::Anonymous => 7,
    };
    let mut frame = vec![
        kind,
        u8::from(is_service_linked(caller)),
        u8::from(policies.exempt_from_scp),
    ];
    frame.extend(id(caller.account.len()).to_le_bytes());
    frame.extend(caller.account.bytes());
    frame
}

/// An estate made ready for many questions; the page of the module says how.
///
/// It does not change and can be shared by threads; each asks through an [`Asker`] of its own.
pub struct Index {
    pub(super) context: Context,
    pub(super) table: PolicyTable,
    pub(super) principals: Vec<Principal>,
    pub(super) classes: Vec<Class>,
    pub(super) resources: Vec<Resource>,
    pub(super) actions: Vec<Box<str>>,
    /// The resources that each pattern covers.
    pub(super) resources_of: Vec<Vec<ResourceId>>,
    /// The classes of whose own policies each is one.
    pub(super) classes_of: Vec<Vec<u32>>,
    /// The resources of whose own side each policy is.
    pub(super) resources_by: Vec<Vec<ResourceId>>,
    /// The resources that have a policy which was not seen.
    pub(super) unseen: Vec<ResourceId>,
    /// The resources that stand for all that a pattern covers.
    pub(super) broad: Vec<ResourceId>,
}

impl Index {
    /// One who asks. What it learns by asking it keeps, so that the same index is best asked
    /// through one and the same.
    pub fn asker(&self) -> Asker<'_> {
        Asker::new(self)
    }

    /// How many principals there are.
    pub fn principal_count(&self) -> usize {
        self.principals.len()
    }

    /// How many resources there are.
    pub fn resource_count(&self) -> usize {
        self.resources.len()
    }

    /// How many actions there are.
    pub fn action_count(&self) -> usize {
        self.actions.len()
    }

    /// How many sets of policies there are among the principals: what they fold into before an
    /// action is asked about.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// How many policies of different content there are.
    pub fn document_count(&self) -> usize {
        self.table.document_count()
    }

    /// A principal; `None` for an id of another index.
    pub fn caller(&self, principal: PrincipalId) -> Option<&Caller> {
        Some(&self.principals.get(principal.index())?.caller)
    }

    /// The ARN of a resource, or its pattern.
    pub fn arn(&self, resource: ResourceId) -> Option<&str> {
        Some(&self.resources.get(resource.index())?.arn)
    }

    /// The name of an action, in lower case.
    pub fn action_name(&self, action: ActionId) -> Option<&str> {
        Some(self.actions.get(action.index())?)
    }
}
