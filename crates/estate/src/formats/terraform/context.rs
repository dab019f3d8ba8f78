//! What instances need of one another: the ids of what they name, also of what does not exist yet.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::BlindSpot;

use super::instance::Instance;
use super::references::{References, without_indexes};
use crate::arn;
use crate::object::Object;
use crate::reader::Reader;

/// Where a kind of resource gets its id before it exists, and by what others name it.
struct Naming {
    kind: &'static str,
    /// The service and what stands before the name in the ARN.
    service: &'static str,
    resource: &'static str,
    /// The attribute that holds the name.
    name: &'static str,
    /// Whether the ARN has a region.
    regional: bool,
    /// Attributes by which others name it, besides its ARN.
    called: &'static [&'static str],
}

const fn naming(
    kind: &'static str,
    service: &'static str,
    resource: &'static str,
    name: &'static str,
    regional: bool,
    called: &'static [&'static str],
) -> Naming {
    Naming {
        kind,
        service,
        resource,
        name,
        regional,
        called,
    }
}

const NAMINGS: &[Naming] = &[
    naming(
        "aws_iam_role",
        "iam",
        "role",
        "name",
        false,
        &["name", "id"],
    ),
    naming(
        "aws_iam_user",
        "iam",
        "user",
        "name",
        false,
        &["name", "id"],
    ),
    naming(
        "aws_iam_group",
        "iam",
        "group",
        "name",
        false,
        &["name", "id"],
    ),
    naming("aws_iam_policy", "iam", "policy", "name", false, &["id"]),
    naming(
        "aws_iam_instance_profile",
        "iam",
        "instance-profile",
        "name",
        false,
        &["name", "id"],
    ),
    naming(
        "aws_iam_openid_connect_provider",
        "iam",
        "oidc-provider/",
        "url",
        false,
        &["id"],
    ),
    naming(
        "aws_iam_saml_provider",
        "iam",
        "saml-provider/",
        "name",
        false,
        &["id"],
    ),
    naming(
        "aws_iam_service_linked_role",
        "iam",
        "role",
        "name",
        false,
        &["name", "id"],
    ),
    naming(
        "aws_kms_key",
        "kms",
        "key/",
        "key_id",
        true,
        &["key_id", "id"],
    ),
    naming("aws_kms_external_key", "kms", "key/", "id", true, &["id"]),
    naming(
        "aws_secretsmanager_secret",
        "secretsmanager",
        "secret:",
        "name",
        true,
        &["id", "name"],
    ),
    naming(
        "aws_ssm_parameter",
        "ssm",
        "parameter/",
        "name",
        true,
        &["name", "id"],
    ),
    naming(
        "aws_sqs_queue",
        "sqs",
        "",
        "name",
        true,
        &["url", "id", "name"],
    ),
    naming("aws_sns_topic", "sns", "", "name", true, &["id"]),
    naming(
        "aws_dynamodb_table",
        "dynamodb",
        "table/",
        "name",
        true,
        &["name", "id"],
    ),
    naming("aws_db_instance", "rds", "db:", "identifier", true, &[]),
    naming(
        "aws_rds_cluster",
        "rds",
        "cluster:",
        "cluster_identifier",
        true,
        &[],
    ),
    naming(
        "aws_ecr_repository",
        "ecr",
        "repository/",
        "name",
        true,
        &["name", "id"],
    ),
    naming(
        "aws_lambda_function",
        "lambda",
        "function:",
        "function_name",
        true,
        &["function_name", "id", "qualified_arn", "invoke_arn"],
    ),
    naming("aws_instance", "ec2", "instance/", "id", true, &["id"]),
    naming(
        "aws_launch_template",
        "ec2",
        "launch-template/",
        "id",
        true,
        &["id", "name"],
    ),
    naming(
        "aws_ecs_task_definition",
        "ecs",
        "task-definition/",
        "family",
        true,
        &["family", "arn_without_revision"],
    ),
    naming(
        "aws_ecs_cluster",
        "ecs",
        "cluster/",
        "name",
        true,
        &["name", "id"],
    ),
    naming("aws_ecs_service", "ecs", "service/", "name", true, &["id"]),
    naming(
        "aws_codebuild_project",
        "codebuild",
        "project/",
        "name",
        true,
        &["name", "id"],
    ),
    naming(
        "aws_cloudformation_stack",
        "cloudformation",
        "stack/",
        "name",
        true,
        &["id", "name"],
    ),
    naming(
        "aws_sfn_state_machine",
        "states",
        "stateMachine:",
        "name",
        true,
        &["id"],
    ),
    naming(
        "aws_glue_job",
        "glue",
        "job/",
        "name",
        true,
        &["name", "id"],
    ),
    naming(
        "aws_glue_dev_endpoint",
        "glue",
        "devEndpoint/",
        "name",
        true,
        &["name", "id"],
    ),
    naming(
        "aws_sagemaker_notebook_instance",
        "sagemaker",
        "notebook-instance/",
        "name",
        true,
        &["name", "id"],
    ),
    naming(
        "aws_apprunner_service",
        "apprunner",
        "service/",
        "service_name",
        true,
        &[],
    ),
    naming(
        "aws_cloudfront_distribution",
        "cloudfront",
        "distribution/",
        "id",
        false,
        &["id"],
    ),
    naming(
        "aws_organizations_policy",
        "organizations",
        "policy/new/",
        "id",
        false,
        &["id"],
    ),
    naming(
        "aws_ssoadmin_permission_set",
        "sso",
        "permissionSet/new/",
        "name",
        false,
        &["id"],
    ),
];

/// The ids of instances, and how they are found.
#[derive(Default)]
pub(super) struct Context {
    /// By address.
    ids: BTreeMap<String, String>,
    /// Addresses by address without indexes.
    bases: BTreeMap<String, Vec<String>>,
    /// Ids by kind and by what others call it.
    named: BTreeMap<(String, String), BTreeSet<String>>,
    references: References,
    accounts: Places,
    regions: Places,
    /// Instances that could not be placed, since nothing tells their account.
    unplaced: RefCell<BTreeSet<String>>,
    /// Attributes of which nobody can tell what they name.
    unknown: RefCell<BTreeSet<String>>,
}

/// Accounts or regions, by provider.
#[derive(Default)]
struct Places {
    by_provider: BTreeMap<String, BTreeSet<String>>,
    all: BTreeSet<String>,
}

impl Places {
    fn add(&mut self, provider: &str, place: &str) {
        self.all.insert(place.to_owned());
        let own = self.by_provider.entry(provider.to_owned()).or_default();
        own.insert(place.to_owned());
    }

    /// The only place of a provider, else the only one of all.
    fn of(&self, provider: &str) -> Option<&str> {
        let only = |places: &BTreeSet<String>| match places.len() {
            1 => places.first().cloned(),
            _ => None,
        };
        let own = self
            .by_provider
            .get(provider)
            .filter(|own| only(own).is_some());
        let chosen = own.unwrap_or(&self.all);
        chosen
            .first()
            .filter(|_| chosen.len() == 1)
            .map(String::as_str)
    }
}

impl Context {
    pub(super) fn of(
        instances: &[Instance<'_>],
        document: &Object<'_>,
        reader: &mut Reader<'_>,
    ) -> Self {
        let mut context = Self {
            references: References::of(document),
            ..Self::default()
        };
        for (key, config) in document
            .get("configuration.provider_config")
            .into_iter()
            .flat_map(|all| all.members())
        {
            let region = config.get("expressions");
            let region = region.and_then(|all| all.get("region")?.get("constant_value")?.string());
            if let Some(region) = region {
                context.regions.add(&key, &region);
            }
        }
        for instance in instances {
            let provider = context.provider(instance);
            match instance.kind.as_str() {
                "aws_caller_identity" => {
                    let account = instance.text("account_id", reader);
                    if let Some(account) = account {
                        context.accounts.add(&provider, &account);
                    }
                }
                "aws_region" => {
                    let region = instance.text("name", reader);
                    if let Some(region) = region {
                        context.regions.add(&provider, &region);
                    }
                }
                _ => {
                    let arn = instance.text("arn", reader);
                    let Some([_, _, region, account, _]) = arn.as_deref().and_then(arn::parts)
                    else {
                        continue;
                    };
                    if arn::is_account(account) && instance.managed {
                        context.accounts.add(&provider, account);
                    }
                    if !region.is_empty() {
                        context.regions.add(&provider, region);
                    }
                }
            }
        }
        if context.accounts.all.is_empty() {
            context.accounts.all.extend(reader.account.clone());
        }
        if context.regions.all.is_empty() {
            context.regions.all.extend(reader.region.clone());
        }
        for instance in instances {
            if let Some(id) = context.make_id(instance, reader) {
                context.note(instance, id, reader);
            }
        }
        context
    }

    fn provider(&self, instance: &Instance<'_>) -> String {
        let base = without_indexes(&instance.address);
        let configured = self.references.provider(&base);
        configured.unwrap_or(&instance.provider).to_owned()
    }

    fn note(&mut self, instance: &Instance<'_>, id: String, reader: &mut Reader<'_>) {
        let kind = instance.kind.as_str();
        let called = match kind {
            "aws_s3_bucket" => &["bucket", "id"][..],
            _ => {
                let naming = NAMINGS.iter().find(|naming| naming.kind == kind);
                naming.map_or(&[][..], |naming| naming.called)
            }
        };
        for name in called.iter().chain(&["arn"]) {
            if let Some(name) = instance.text(name, reader) {
                let key = (kind.to_owned(), name.into_owned());
                self.named.entry(key).or_default().insert(id.clone());
            }
        }
        let base = without_indexes(&instance.address);
        let addresses = self.bases.entry(base).or_default();
        addresses.push(instance.address.clone());
        self.ids.insert(instance.address.clone(), id);
    }

    /// The id of an instance: its ARN, or what it will be.
    fn make_id(&self, instance: &Instance<'_>, reader: &mut Reader<'_>) -> Option<String> {
        let kind = instance.kind.as_str();
        if kind == "aws_s3_bucket" {
            let name = instance.text("bucket", reader);
            let name = name.map_or_else(|| placeholder(instance), |name| name.into_owned());
            return Some(format!("arn:aws:s3:::{name}"));
        }
        if kind == "aws_ecs_service" || kind == "aws_cloudformation_stack" {
            let id = instance.text("id", reader);
            if let Some(id) = id.filter(|id| id.starts_with("arn:")) {
                return Some(id.into_owned());
            }
        }
        let naming = NAMINGS.iter().find(|naming| naming.kind == kind)?;
        let arn = instance.text("arn", reader);
        if let Some(arn) = arn.filter(|arn| arn::parts(arn).is_some()) {
            return Some(arn.into_owned());
        }
        let provider = self.provider(instance);
        let Some(account) = self.accounts.of(&provider) else {
            self.unplaced.borrow_mut().insert(instance.address.clone());
            return None;
        };
        let region = match naming.regional {
            true => self.regions.of(&provider).unwrap_or("unknown-region"),
            false => "",
        };
        let name = instance.text(naming.name, reader);
        let name = name.map_or_else(|| placeholder(instance), |name| name.into_owned());
        let name = match kind {
            "aws_iam_openid_connect_provider" => name.trim_start_matches("https://").to_owned(),
            "aws_ssm_parameter" => name.trim_start_matches('/').to_owned(),
            // Secrets Manager adds a hyphen and six characters to the name.
            "aws_secretsmanager_secret" => format!("{name}-000000"),
            "aws_ecs_task_definition" => format!("{name}:0"),
            "aws_organizations_policy" => {
                let layer = instance.text("type", reader).unwrap_or_default();
                let layer = layer.to_ascii_lowercase();
                format!(
                    "{}/{}",
                    if layer.is_empty() {
                        "service_control_policy"
                    } else {
                        &layer
                    },
                    name
                )
            }
            _ => name,
        };
        let path = match naming.resource {
            "role" | "user" | "group" | "policy" | "instance-profile" => {
                let path = instance.text("path", reader);
                path.map_or_else(|| "/".to_owned(), |path| path.into_owned())
            }
            _ => String::new(),
        };
        let (service, resource) = (naming.service, naming.resource);
        Some(format!(
            "arn:aws:{service}:{region}:{account}:{resource}{path}{name}"
        ))
    }

    /// The id of an instance itself.
    pub(super) fn id(&self, instance: &Instance<'_>) -> Option<&str> {
        self.ids.get(&instance.address).map(String::as_str)
    }

    /// The account that an instance is made in.
    pub(super) fn account(&self, instance: &Instance<'_>) -> Option<&str> {
        let id = self.id(instance).and_then(arn::parts).map(|parts| parts[3]);
        id.filter(|account| arn::is_account(account))
            .or_else(|| self.accounts.of(&self.provider(instance)))
    }

    /// The id of what an attribute names: one of the kind that is called so, or where that is known
    /// only after the apply what the configuration refers to.
    pub(super) fn named(
        &self,
        instance: &Instance<'_>,
        attribute: &str,
        kind: &str,
        reader: &mut Reader<'_>,
    ) -> Option<String> {
        match instance.text(attribute, reader) {
            Some(name) => self.called(instance, &name, kind),
            None if instance.is_unknown(attribute) => {
                let found = self.referred(instance, attribute, kind);
                if found.is_none() {
                    self.note_unknown(instance, attribute);
                }
                found
            }
            None => None,
        }
    }

    /// The ids of all that a list names.
    pub(super) fn all_named(
        &self,
        instance: &Instance<'_>,
        attribute: &str,
        kind: &str,
    ) -> Vec<String> {
        self.note_unknown(instance, attribute);
        let names = instance.texts(attribute).into_iter();
        names
            .filter_map(|name| self.called(instance, &name, kind))
            .collect()
    }

    /// Notes an attribute of which something is known only after the apply, and which the
    /// configuration does not lead to either. What the provider computes is none.
    fn note_unknown(&self, instance: &Instance<'_>, attribute: &str) {
        if instance.is_unknown(attribute) && self.is_configured(instance, attribute) {
            let place = format!("{} of {}", attribute, instance.address);
            self.unknown.borrow_mut().insert(place);
        }
    }

    /// The id of what is called by a name: an ARN is one itself.
    pub(super) fn called(&self, instance: &Instance<'_>, name: &str, kind: &str) -> Option<String> {
        let key = (kind.to_owned(), name.to_owned());
        let account = self.account(instance);
        let known = self.named.get(&key).into_iter().flatten();
        let mut fitting = known.filter(|id| {
            let own = arn::parts(id).map(|parts| parts[3]);
            own.is_none_or(|own| own.is_empty() || account.is_none_or(|account| account == own))
        });
        if let (Some(only), None) = (fitting.next(), fitting.next()) {
            return Some(only.clone());
        }
        if name.starts_with("arn:") {
            return arn::parts(name).map(|_| name.to_owned());
        }
        if kind == "aws_s3_bucket" {
            return Some(format!("arn:aws:s3:::{name}"));
        }
        // Of what this document does not hold only its name is known.
        let naming = NAMINGS.iter().find(|naming| naming.kind == kind)?;
        let account = account?;
        let region = match naming.regional {
            true => self.regions.of(&self.provider(instance))?,
            false => "",
        };
        let slash = if naming.service == "iam" && !naming.resource.ends_with('/') {
            "/"
        } else {
            ""
        };
        Some(format!(
            "arn:aws:{}:{region}:{account}:{}{slash}{name}",
            naming.service, naming.resource
        ))
    }

    /// The id of the only instance of a kind that an attribute's configuration refers to.
    pub(super) fn referred(
        &self,
        instance: &Instance<'_>,
        attribute: &str,
        kind: &str,
    ) -> Option<String> {
        let base = without_indexes(&instance.address);
        let own_keys = keys(&instance.address);
        let mut found = BTreeSet::new();
        for target in self.references.behind(&base, attribute) {
            let (_, last) = target.rsplit_once('.')?;
            let of_kind = target
                .strip_suffix(last)
                .is_some_and(|rest| rest.trim_end_matches('.').rsplit('.').next() == Some(kind));
            let Some(addresses) = self.bases.get(&target).filter(|_| of_kind) else {
                continue;
            };
            let same: Vec<&String> = match addresses.as_slice() {
                [only] => vec![only],
                // With `count` and `for_each` the one of the same key is meant.
                many => many
                    .iter()
                    .filter(|address| keys(address) == own_keys)
                    .collect(),
            };
            found.extend(same.into_iter().filter_map(|address| self.ids.get(address)));
        }
        match found.len() {
            1 => found.first().map(|id| (*id).clone()),
            _ => None,
        }
    }

    /// Whether the configuration sets an attribute; what it does not set the provider computes. Where
    /// there is no configuration, it may.
    pub(super) fn is_configured(&self, instance: &Instance<'_>, attribute: &str) -> bool {
        self.references
            .sets(&without_indexes(&instance.address), attribute)
    }

    /// What could not be placed, and what nobody can tell yet, are blind spots.
    pub(super) fn say_what_is_missing(&self, reader: &mut Reader<'_>) {
        let list = |names: &RefCell<BTreeSet<String>>| {
            let names = names.borrow();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        if let Some(names) = list(&self.unplaced) {
            reader.blind_spot(BlindSpot {
                missing: format!("the account of {names}"),
                consequence:
                    "Terraform does not tell in which account these will be, and they are \
                              left out"
                        .to_owned(),
                remedy:
                    "add `data \"aws_caller_identity\" \"current\" {}` to the configuration, or \
                         give the inventory of one account"
                        .to_owned(),
            });
        }
        if let Some(names) = list(&self.unknown) {
            reader.blind_spot(BlindSpot {
                missing: format!("what is known only after apply: {names}"),
                consequence: "which principal, policy or resource is meant is not known, and what \
                              follows from it is not in the graph"
                    .to_owned(),
                remedy: "name it in the configuration, or compare again after the apply".to_owned(),
            });
        }
    }
}

/// The keys of `count` and `for_each` in an address.
fn keys(address: &str) -> Vec<&str> {
    address
        .split('[')
        .skip(1)
        .filter_map(|part| part.split(']').next())
        .collect()
}

/// What stands for a name that is known only after the apply.
fn placeholder(instance: &Instance<'_>) -> String {
    instance
        .address
        .chars()
        .map(|character| match character {
            ':' | '/' | '*' | '?' | '"' | ' ' => '_',
            other => other,
        })
        .collect()
}
