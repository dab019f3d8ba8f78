//! What a reader calls a thing, read from its id.

/// What an id names, as far as the id alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Role,
    User,
    Group,
    Person,
    Account,
    Organization,
    Credential,
    Service,
    External,
    Bucket,
    Object,
    Key,
    Secret,
    Parameter,
    Function,
    Instance,
    Task,
    BuildProject,
    ImageRepository,
    Distribution,
    Policy,
    Wallet,
    Other,
}

impl Kind {
    /// What a call that changed nothing did to it: people are not read.
    pub(crate) fn seen(self) -> &'static str {
        match self {
            Kind::Role | Kind::User | Kind::Group | Kind::Person | Kind::Credential => "used",
            _ => "read",
        }
    }

    /// The kind in words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Kind::Role => "role",
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Person => "person",
            Kind::Account => "account",
            Kind::Organization => "organization",
            Kind::Credential => "credential",
            Kind::Service => "service",
            Kind::External => "outside identity",
            Kind::Bucket => "bucket",
            Kind::Object => "object",
            Kind::Key => "key",
            Kind::Secret => "secret",
            Kind::Parameter => "parameter",
            Kind::Function => "function",
            Kind::Instance => "instance",
            Kind::Task => "task",
            Kind::BuildProject => "build project",
            Kind::ImageRepository => "image repository",
            Kind::Distribution => "distribution",
            Kind::Policy => "policy",
            Kind::Wallet => "wallet",
            Kind::Other => "resource",
        }
    }
}

/// The parts of an id that a reader needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) kind: Kind,
    /// What it is called, without its account: for a session `ROLE/SESSION`.
    pub(crate) name: &'a str,
    /// Its account, where the id tells.
    pub(crate) account: Option<&'a str>,
}

/// Path of the roles that Identity Center makes; it says nothing to a reader.
const RESERVED_PATH: &str = "aws-reserved/sso.amazonaws.com/";

/// Reads an id.
pub(crate) fn of(id: &str) -> Name<'_> {
    let plain = |kind, name| Name {
        kind,
        name,
        account: None,
    };
    if let Some(owner) = id.strip_prefix("password:") {
        return Name {
            kind: Kind::Credential,
            ..of(owner)
        };
    }
    if !id.starts_with("arn:") {
        let key = ["AKIA", "ASIA"].iter().any(|prefix| id.starts_with(prefix));
        return match id {
            _ if key => plain(Kind::Credential, id),
            _ if id.ends_with(".amazonaws.com") => plain(Kind::Service, id),
            _ if id.starts_with("r-") || id.starts_with("ou-") => plain(Kind::Organization, id),
            "*" => plain(Kind::External, "anyone"),
            _ if id.starts_with("eip155:") => {
                plain(Kind::Wallet, id.rsplit(':').next().unwrap_or(id))
            }
            _ if id.contains(':') => plain(Kind::External, id),
            _ => plain(Kind::Other, id),
        };
    }
    let mut parts = id.splitn(6, ':').skip(2);
    let service = parts.next().unwrap_or_default();
    let account = parts.nth(1).filter(|account| !account.is_empty());
    let resource = parts.next().unwrap_or(id);
    let split = resource.find([':', '/']);
    let (head, tail) = match split {
        Some(at) => (&resource[..at], &resource[at + 1..]),
        None => ("", resource),
    };
    let (kind, name) = match (service, head) {
        ("iam", "") if resource == "root" => (Kind::Account, account.unwrap_or(resource)),
        ("iam", "role") => (Kind::Role, without_reserved_path(tail)),
        ("sts", "assumed-role") => (Kind::Role, tail),
        ("iam" | "identitystore", "user") => (
            if service == "iam" {
                Kind::User
            } else {
                Kind::Person
            },
            tail,
        ),
        ("sts", "federated-user") => (Kind::User, tail),
        ("iam" | "identitystore", "group") => (Kind::Group, tail),
        ("iam", "policy") => (Kind::Policy, tail),
        ("iam", "oidc-provider" | "saml-provider") => (Kind::External, tail),
        ("s3", _) if split.is_none() => (Kind::Bucket, resource),
        ("s3", _) => (Kind::Object, resource),
        ("kms", _) => (Kind::Key, tail),
        ("secretsmanager", _) => (Kind::Secret, tail),
        ("ssm", "parameter") => (Kind::Parameter, tail),
        ("lambda", "function") => (Kind::Function, tail),
        ("ec2", "instance") => (Kind::Instance, tail),
        ("ecs", _) => (Kind::Task, tail),
        ("codebuild", _) => (Kind::BuildProject, tail),
        ("ecr", "repository") => (Kind::ImageRepository, tail),
        ("cloudfront", "distribution") => (Kind::Distribution, tail),
        _ => (Kind::Other, resource),
    };
    Name {
        kind,
        name,
        account,
    }
}

/// What a reader calls it.
pub(crate) fn short(id: &str) -> &str {
    of(id).name
}

fn without_reserved_path(role: &str) -> &str {
    let Some(rest) = role.strip_prefix(RESERVED_PATH) else {
        return role;
    };
    // Roles of an instance outside us-east-1 have the region as a further path part.
    match rest.find("AWSReservedSSO_") {
        Some(at) => &rest[at..],
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_people_say_them() {
        let cases = [
            (
                "arn:aws:iam::111122223333:role/ci/deploy",
                Kind::Role,
                "ci/deploy",
            ),
            (
                "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Dev_1/ann",
                Kind::Role,
                "AWSReservedSSO_Dev_1/ann",
            ),
            (
                "arn:aws:iam::111122223333:root",
                Kind::Account,
                "111122223333",
            ),
            ("arn:aws:s3:::web/app.js", Kind::Object, "web/app.js"),
            ("arn:aws:s3:::web", Kind::Bucket, "web"),
            (
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a/b-x",
                Kind::Secret,
                "a/b-x",
            ),
            ("ASIAEXAMPLE", Kind::Credential, "ASIAEXAMPLE"),
            (
                "lambda.amazonaws.com",
                Kind::Service,
                "lambda.amazonaws.com",
            ),
            ("arn:", Kind::Other, "arn:"),
            ("", Kind::Other, ""),
            ("é", Kind::Other, "é"),
        ];
        for (id, kind, name) in cases {
            let read = of(id);
            assert_eq!((read.kind, read.name), (kind, name), "{id}");
        }
    }
}
