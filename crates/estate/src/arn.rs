//! What ARNs and image names say.

use portreeve_model::EntityKind;

/// The id of an account.
pub(crate) fn account(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

/// Whether a text is an account number.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An ARN's parts: partition, service, region, account, resource.
pub(crate) fn parts(arn: &str) -> Option<[&str; 5]> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
    let found = [
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ];
    (!found[4].is_empty()).then_some(found)
}

/// What an ARN is of, and its id: an object's ARN is taken for its bucket's. `None` for what is no
/// ARN, for patterns, and for what no inventory format knows.
pub(crate) fn entity(arn: &str) -> Option<(&str, EntityKind)> {
    let [_, service, _, account, resource] = parts(arn)?;
    if resource.contains(['*', '?', '$']) && service != "s3" {
        return None;
    }
    let is = |prefix: &str| {
        resource
            .strip_prefix(prefix)
            .is_some_and(|name| !name.is_empty())
    };
    let kind = match service {
        "s3" if account.is_empty() => {
            let bucket = resource.split('/').next().unwrap_or_default();
            let plain = !bucket.is_empty() && !bucket.contains(['*', '?', '$', ':']);
            let end = arn.len() - resource.len() + bucket.len();
            return plain.then(|| (arn.get(..end).unwrap_or(arn), EntityKind::Bucket));
        }
        "iam" | "sts" if account == "aws" => return None,
        "iam" if resource == "root" => EntityKind::External,
        "iam" if is("role/") => EntityKind::Role,
        "iam" if is("user/") => EntityKind::User,
        "iam" if is("group/") => EntityKind::Group,
        "iam" if is("oidc-provider/") || is("saml-provider/") => EntityKind::External,
        "kms" if is("key/") => EntityKind::Key,
        "secretsmanager" if is("secret:") => EntityKind::Secret,
        "ssm" if is("parameter/") => EntityKind::Parameter,
        "sqs" => EntityKind::Queue,
        "sns" => EntityKind::Topic,
        "lambda" if is("function:") => {
            // A version or alias at the end belongs to the same function.
            let name = resource.split(':').nth(1).unwrap_or_default();
            let end = arn.len() - resource.len() + "function:".len() + name.len();
            return Some((arn.get(..end).unwrap_or(arn), EntityKind::Function));
        }
        "ecr" if is("repository/") => EntityKind::ImageRepository,
        "cloudfront" if is("distribution/") => EntityKind::Distribution,
        "ec2" if is("instance/") => EntityKind::Instance,
        "ec2" if is("launch-template/") => EntityKind::LaunchTemplate,
        "ecs" if is("task-definition/") || is("task/") => EntityKind::Task,
        "ecs" if is("service/") => EntityKind::ContainerService,
        "ecs" | "eks" if is("cluster/") => EntityKind::Cluster,
        "codebuild" if is("project/") => EntityKind::BuildProject,
        "cloudformation" if is("stack/") => EntityKind::Stack,
        "glue" if is("job/") || is("devEndpoint/") => EntityKind::DataJob,
        "states" if is("stateMachine:") => EntityKind::DataJob,
        "sagemaker" | "datapipeline" | "elasticmapreduce" => EntityKind::DataJob,
        "apprunner" if is("service/") => EntityKind::Application,
        "dynamodb" if is("table/") => {
            let name = resource.split('/').nth(1).unwrap_or_default();
            let end = arn.len() - resource.len() + "table/".len() + name.len();
            return Some((arn.get(..end).unwrap_or(arn), EntityKind::Database));
        }
        "rds" if is("db:") || is("cluster:") => EntityKind::Database,
        _ => return None,
    };
    Some((arn, kind))
}

/// The ECR repository that an image is from: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`.
pub(crate) fn image_repository(image: &str) -> Option<String> {
    let (registry, path) = image.split_once('/')?;
    let mut labels = registry.split('.');
    let account = labels.next().filter(|account| is_account(account))?;
    if labels.next() != Some("dkr") || !matches!(labels.next(), Some("ecr" | "ecr-fips")) {
        return None;
    }
    let region = labels.next().filter(|region| !region.is_empty())?;
    let name = path
        .split(['@', ':'])
        .next()
        .filter(|name| !name.is_empty())?;
    let partition = partition(region);
    Some(format!(
        "arn:{partition}:ecr:{region}:{account}:repository/{name}"
    ))
}

/// The partition that a region is in.
pub(crate) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// A role given by ARN or by name.
pub(crate) fn role(text: &str, account: Option<&str>) -> Option<String> {
    if text.starts_with("arn:") {
        return parts(text)
            .filter(|parts| parts[4].starts_with("role/"))
            .map(|_| text.to_owned());
    }
    let name = text.trim_start_matches('/');
    let named = !name.is_empty() && !name.contains([':', '*', '$', '{']);
    named.then_some(())?;
    Some(format!("arn:aws:iam::{}:role/{name}", account?))
}

/// The bucket that a web origin's domain name is of.
pub(crate) fn bucket_of_domain(domain: &str) -> Option<String> {
    let domain = domain.trim_end_matches('.');
    let host = domain
        .strip_suffix(".amazonaws.com")
        .or_else(|| domain.strip_suffix(".amazonaws.com.cn"))?;
    // The bucket's name may itself hold dots: the last `.s3`, `.s3-REGION` or `.s3-website` counts.
    let ends = host.match_indices(".s3").map(|(at, _)| at);
    let end = ends
        .filter(|at| {
            let rest = host.get(at + 3..).unwrap_or_default();
            rest.is_empty() || rest.starts_with(['.', '-'])
        })
        .last()?;
    let bucket = host.get(..end).filter(|bucket| !bucket.is_empty())?;
    Some(format!("arn:aws:s3:::{bucket}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_tell_kinds_and_patterns_do_not() {
        let kind = |arn| entity(arn).map(|(id, kind)| (id.to_owned(), kind));
        assert_eq!(
            kind("arn:aws:s3:::web/app/*"),
            Some(("arn:aws:s3:::web".to_owned(), EntityKind::Bucket))
        );
        assert_eq!(
            kind("arn:aws:lambda:eu-west-1:111122223333:function:pay:live"),
            Some((
                "arn:aws:lambda:eu-west-1:111122223333:function:pay".to_owned(),
                EntityKind::Function
            ))
        );
        for none in [
            "arn:aws:s3:::*",
            "arn:aws:s3:::web-*/x",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws",
            "*",
        ] {
            assert_eq!(kind(none), None, "{none}");
        }
    }

    #[test]
    fn images_and_origins_lead_to_their_stores() {
        assert_eq!(
            image_repository("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.2").unwrap(),
            "arn:aws:ecr:eu-west-1:111122223333:repository/team/app"
        );
        assert_eq!(image_repository("docker.io/library/nginx:1"), None);
        for domain in [
            "web.example.com.s3.amazonaws.com",
            "web.example.com.s3.eu-west-1.amazonaws.com",
            "web.example.com.s3-website-eu-west-1.amazonaws.com",
            "web.example.com.s3-website.eu-central-1.amazonaws.com",
        ] {
            let bucket = bucket_of_domain(domain);
            assert_eq!(
                bucket.as_deref(),
                Some("arn:aws:s3:::web.example.com"),
                "{domain}"
            );
        }
        assert_eq!(bucket_of_domain("alb-1.eu-west-1.elb.amazonaws.com"), None);
    }
}
