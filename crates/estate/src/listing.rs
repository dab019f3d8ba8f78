//! Lists of resources in the shape of the AWS command line: one description of each kind of list
//! is enough to read it.

use std::borrow::Cow;

use portreeve_model::{Entity, EntityKind, PolicyLayer};

use crate::arn;
use crate::json::Json;
use crate::object::Object;
use crate::reader::Reader;

/// How the resources of one kind are listed. Member names may lead into objects with dots.
pub(crate) struct Listing {
    /// The service in the resources' ARNs.
    pub(crate) service: &'static str,
    /// What the resources are.
    pub(crate) kind: EntityKind,
    /// Members of the document that hold a list of them, or one of them. An empty name stands for
    /// the document itself.
    pub(crate) members: &'static [&'static str],
    /// Members that hold the ARN.
    pub(crate) id: &'static [&'static str],
    /// Members that hold the name, for exports without an ARN.
    pub(crate) name: &'static [&'static str],
    /// What stands before the name in the ARN, `project/`.
    pub(crate) resource: &'static str,
    /// Members that hold the policy of the resource. Empty where the kind has none.
    pub(crate) policy: &'static [&'static str],
    /// Members that hold the ARN or the name of a role that the resource acts as.
    pub(crate) roles: &'static [&'static str],
    /// Members that hold the name of an image.
    pub(crate) images: &'static [&'static str],
    /// Members that are kept as attributes.
    pub(crate) kept: &'static [&'static str],
    /// Members that are kept as attributes whatever they are, as [`Object::keep_whole`] does.
    pub(crate) whole: &'static [&'static str],
}

impl Listing {
    /// What a listing need not say.
    pub(crate) const DEFAULT: Listing = Listing {
        service: "",
        kind: EntityKind::Other,
        members: &[],
        id: &[],
        name: &[],
        resource: "",
        policy: &[],
        roles: &[],
        images: &[],
        kept: &[],
        whole: &[],
    };

    /// Whether a document holds such a list, were it an empty one.
    pub(crate) fn is_in(&self, document: &Object<'_>) -> bool {
        self.members
            .iter()
            .any(|member| match document.get(member) {
                _ if member.is_empty() => self.is_itself(document),
                Some(list) if list.is_array() => {
                    let mut elements = list.elements();
                    let first = elements.next();
                    first.is_none_or(|first| self.fits(first))
                }
                Some(one) => self.fits(one),
                None => false,
            })
    }

    /// Whether the document itself is such a resource. A name alone says too little for that.
    fn is_itself(&self, document: &Object<'_>) -> bool {
        self.id.iter().any(|name| document.get(name).is_some()) && self.fits(document.json)
    }

    fn fits(&self, element: Json<'_>) -> bool {
        let object = Object::new(element, String::new());
        let id = self.id.iter().find_map(|name| object.get(name));
        match id.and_then(|id| id.string()) {
            Some(id) => arn::parts(&id).is_some_and(|parts| parts[1] == self.service),
            None => self.name.iter().any(|name| object.get(name).is_some()),
        }
    }

    /// Reads all such lists of a document; `also` reads what is particular to the kind.
    pub(crate) fn read_with(
        &self,
        document: &Object<'_>,
        reader: &mut Reader<'_>,
        also: &mut dyn FnMut(&Object<'_>, &mut Entity, &mut Reader<'_>),
    ) {
        for member in self.members {
            if member.is_empty() {
                if self.is_itself(document) {
                    let object = Object::new(document.json, document.path.clone());
                    self.read_one(&object, reader, also);
                }
                continue;
            }
            match document.get(member) {
                Some(value) if value.is_array() => {
                    let mut list = document.list(member, reader);
                    while let Some(object) = list.next(reader) {
                        self.read_one(&object, reader, also);
                    }
                }
                Some(_) => {
                    if let Some(object) = document.object(member, reader) {
                        self.read_one(&object, reader, also);
                    }
                }
                None => {}
            }
        }
    }

    /// Reads all such lists of a document.
    pub(crate) fn read(&self, document: &Object<'_>, reader: &mut Reader<'_>) {
        self.read_with(document, reader, &mut |_, _, _| {});
    }

    fn read_one(
        &self,
        object: &Object<'_>,
        reader: &mut Reader<'_>,
        also: &mut dyn FnMut(&Object<'_>, &mut Entity, &mut Reader<'_>),
    ) {
        let Some(id) = self.id_of(object, reader) else {
            return;
        };
        let mut entity = Entity::new(id.as_str(), self.kind);
        if entity.account.is_none() {
            entity.account = reader.account.clone();
        }
        entity.tags = object.tags(reader);
        for kept in [self.name, self.kept, self.roles, self.images] {
            object.keep(kept, &mut entity, reader);
        }
        object.keep_whole(self.whole, &mut entity, reader);
        let account = entity.account.clone();
        for role in self.roles {
            let role = object.text(role, reader);
            if let Some(role) = role.and_then(|role| arn::role(&role, account.as_deref())) {
                reader.runs_as(&id, &role);
            }
        }
        for image in self.images {
            if let Some(image) = object.text(image, reader) {
                reader.pulls(&id, &image);
            }
        }
        let given = self.policy.iter().find(|name| object.has_path(name));
        if let Some(name) = given {
            let seen = match object.document(name, reader) {
                Some(policy) => {
                    reader.policy(
                        id.as_str(),
                        PolicyLayer::Resource,
                        "resource policy",
                        policy,
                    );
                    "given"
                }
                None if object.get(name).is_none() => "none",
                None => "unreadable",
            };
            entity
                .attributes
                .insert("Policy".to_owned(), seen.to_owned());
        }
        also(object, &mut entity, reader);
        reader.add(entity);
    }

    /// The id of an element: its ARN, else one made of its name, the account and the region that
    /// the document says it is of.
    fn id_of(&self, object: &Object<'_>, reader: &mut Reader<'_>) -> Option<String> {
        if let Some(name) = self.id.iter().find(|name| object.get(name).is_some()) {
            return object.arn(&[*name], reader).map(Cow::into_owned);
        }
        let names: Vec<&str> = self.id.iter().chain(self.name).copied().collect();
        let name = object.required(&names, reader)?;
        let region = object.text("Region", reader).map(Cow::into_owned);
        let region = region.or_else(|| reader.region.clone());
        let (Some(region), Some(account)) = (region, reader.account.clone()) else {
            let reason = "has no ARN, and the document has no `Account` and `Region` to make one";
            reader.letter(object.json.offset, &object.path, reason);
            return None;
        };
        let partition = arn::partition(&region);
        let (service, resource) = (self.service, self.resource);
        let name = name.trim_start_matches('/');
        Some(format!(
            "arn:{partition}:{service}:{region}:{account}:{resource}{name}"
        ))
    }
}
