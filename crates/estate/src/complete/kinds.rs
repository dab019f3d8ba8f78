//! What kind of principal each is.

use std::collections::{BTreeMap, HashSet};

use portreeve_model::{
    EntityId, EntityKind, Estate, PolicyLayer, PrincipalKind, Relation, is_pipeline_issuer,
};

use super::policies::{Principal, principals};

/// Services that run what users give them.
const WORKLOAD_SERVICES: &[&str] = &[
    "ec2",
    "lambda",
    "edgelambda",
    "ecs-tasks",
    "ecs",
    "pods.eks",
    "eks",
    "eks-fargate-pods",
    "batch",
    "glue",
    "sagemaker",
    "states",
    "apprunner",
    "tasks.apprunner",
    "build.apprunner",
    "cloudformation",
    "datapipeline",
    "elasticmapreduce",
    "emr-serverless",
    "bedrock",
    "bedrock-agentcore",
    "elasticbeanstalk",
    "events",
    "scheduler",
    "ssm",
];

const PIPELINE_SERVICES: &[&str] = &["codebuild", "codepipeline", "codedeploy"];

/// Adds one `Kind` to each principal whose kind the inventory tells. Those of which it is not told
/// have none.
pub(super) fn tell(estate: &mut Estate) {
    let mut kinds: BTreeMap<EntityId, PrincipalKind> = BTreeMap::new();
    let mut claim = |id: &EntityId, kind: PrincipalKind| {
        let known = kinds.entry(id.clone()).or_insert(kind);
        if weight(kind) > weight(*known) {
            *known = kind;
        }
    };
    // What only people have.
    let mut human = HashSet::new();
    for entity in estate.entities() {
        match entity.kind {
            EntityKind::Password | EntityKind::MfaDevice => {
                human.insert(&entity.id);
            }
            EntityKind::Person => claim(&entity.id, PrincipalKind::Human),
            EntityKind::Service => claim(&entity.id, PrincipalKind::Service),
            EntityKind::Role if entity.id.as_str().contains(":role/aws-service-role/") => {
                claim(&entity.id, PrincipalKind::Service);
            }
            EntityKind::Role if entity.id.short_name().starts_with("AWSReservedSSO_") => {
                claim(&entity.id, PrincipalKind::Human);
            }
            _ => {}
        }
    }
    for relation in estate.relations() {
        match relation {
            Relation::Proves {
                credential,
                principal,
            } if principal.as_str().contains(":user/") && human.contains(credential) => {
                claim(principal, PrincipalKind::Human);
            }
            Relation::Policy {
                subject,
                layer: PolicyLayer::Trust,
                document,
                ..
            } if !subject.as_str().contains(":role/aws-service-role/") => {
                for principal in principals(document) {
                    if let Some(kind) = kind_of(&principal) {
                        claim(subject, kind);
                    } else if is_vendor(&principal, document, estate) {
                        claim(subject, PrincipalKind::Service);
                    }
                }
            }
            _ => {}
        }
    }
    for (principal, kind) in kinds {
        estate.relate(Relation::Kind { principal, kind });
    }
}

/// Where a role trusts several, the rarer and more telling trust says what it is.
fn weight(kind: PrincipalKind) -> u8 {
    match kind {
        PrincipalKind::Unknown => 0,
        PrincipalKind::Service => 1,
        PrincipalKind::Workload => 2,
        PrincipalKind::Pipeline => 3,
        PrincipalKind::Human => 4,
    }
}

/// Whether a trust is that of a vendor's service: an account that no file knows, which has to name
/// an external id. See "Access to AWS accounts owned by third parties", AWS IAM user guide. Without
/// the external id the account may be one of the own that was not exported.
fn is_vendor(principal: &Principal, trust: &str, estate: &Estate) -> bool {
    let Principal::Aws(name) = principal else {
        return false;
    };
    let id = EntityId::from(name.as_str());
    let account = id.aws_account().unwrap_or(name);
    let root = format!("arn:aws:iam::{account}:root");
    trust.contains("sts:ExternalId")
        && estate
            .get(&root)
            .is_some_and(|entity| entity.kind == EntityKind::External)
}

fn kind_of(principal: &Principal) -> Option<PrincipalKind> {
    match principal {
        Principal::Aws(name) => name
            .contains("/AWSReservedSSO_")
            .then_some(PrincipalKind::Human),
        Principal::Federated(provider) if provider.contains(":saml-provider/") => {
            Some(PrincipalKind::Human)
        }
        Principal::Federated(provider) => {
            let host = provider
                .split_once(":oidc-provider/")
                .map_or(provider.as_str(), |(_, host)| host);
            if host.starts_with("oidc.eks.") {
                return Some(PrincipalKind::Workload);
            }
            is_pipeline_issuer(host).then_some(PrincipalKind::Pipeline)
        }
        Principal::Service(name) => {
            let service = name.split(".amazonaws.com").next().unwrap_or(name.as_str());
            Some(if PIPELINE_SERVICES.contains(&service) {
                PrincipalKind::Pipeline
            } else if WORKLOAD_SERVICES.contains(&service) {
                PrincipalKind::Workload
            } else {
                PrincipalKind::Service
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_account_with_an_external_id_is_a_vendor() {
        let mut estate = Estate::default();
        estate.add(portreeve_model::Entity::new(
            "arn:aws:iam::999988887777:root",
            EntityKind::External,
        ));
        estate.add(portreeve_model::Entity::new(
            "arn:aws:iam::111122223333:root",
            EntityKind::Account,
        ));
        let vendor =
            |name: &str, trust: &str| is_vendor(&Principal::Aws(name.to_owned()), trust, &estate);
        let asks = r#"{"StringEquals":{"sts:ExternalId":"7"}}"#;
        assert!(vendor("arn:aws:iam::999988887777:root", asks));
        assert!(vendor("999988887777", asks));
        assert!(!vendor("arn:aws:iam::999988887777:root", "{}"));
        assert!(!vendor("arn:aws:iam::111122223333:root", asks));
        assert!(!vendor("*", asks));
    }

    #[test]
    fn trust_tells_kinds() {
        let federated = |name: &str| kind_of(&Principal::Federated(name.to_owned()));
        let oidc = "arn:aws:iam::111122223333:oidc-provider";
        for host in [
            "token.actions.githubusercontent.com",
            "gitlab.com",
            "gitlab.example.org",
            "oidc.circleci.com/org/1",
            "app.terraform.io",
        ] {
            let kind = federated(&format!("{oidc}/{host}"));
            assert_eq!(kind, Some(PrincipalKind::Pipeline), "{host}");
        }
        let eks = federated(&format!("{oidc}/oidc.eks.eu-west-1.amazonaws.com/id/A"));
        assert_eq!(eks, Some(PrincipalKind::Workload));
        let saml = federated("arn:aws:iam::111122223333:saml-provider/okta");
        assert_eq!(saml, Some(PrincipalKind::Human));
        assert_eq!(federated("cognito-identity.amazonaws.com"), None);
        let service = |name: &str| kind_of(&Principal::Service(name.to_owned()));
        assert_eq!(
            service("codebuild.amazonaws.com"),
            Some(PrincipalKind::Pipeline)
        );
        assert_eq!(
            service("ec2.amazonaws.com.cn"),
            Some(PrincipalKind::Workload)
        );
        assert_eq!(
            service("config.amazonaws.com"),
            Some(PrincipalKind::Service)
        );
    }
}
